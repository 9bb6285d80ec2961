/*
 * exchange: one HTTP request and the one reply it gets.
 *
 * A handler reads the request, then replies exactly once: before it returns, or later from any
 * thread (the connection is suspended in between and no thread waits). Everything that the getters
 * return is borrowed and lives until the reply is given; exchange_reply ends the handler's right to
 * touch the exchange.
 *
 * Threads: one thread at a time; handing it to another thread is the handler's business.
 */
#ifndef CROFT_HTTP_EXCHANGE_H
#define CROFT_HTTP_EXCHANGE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"

struct exchange;
struct grant;

enum http_method {
    HTTP_GET = 1,
    HTTP_POST = 2,
    HTTP_PUT = 4,
    HTTP_DELETE = 8,
    HTTP_HEAD = 16,
    HTTP_OPTIONS = 32,
};

/* One of those that the route lists; HEAD on a route that lists only GET shows as HTTP_GET. */
enum http_method exchange_method(const struct exchange *exchange);
/* The part that a '*' in the route's pattern matched, percent-decoded; empty when there is none. */
struct str exchange_capture(const struct exchange *exchange);

/* Header names are case-insensitive; `is_present` may be NULL. Of a header sent several times this
   is one, and the count tells. */
struct str exchange_header(const struct exchange *exchange, const char *name, bool *is_present);
size_t exchange_header_count(const struct exchange *exchange, const char *name);

/* Whose connection it is: the bytes of the address, of IPv6 the half that says which network. */
struct str exchange_address(const struct exchange *exchange);

/* Parameters of the URL and, for a body of type application/x-www-form-urlencoded, of the form,
   both percent-decoded. A single-valued parameter that both carry: the form wins. */
struct str exchange_param(const struct exchange *exchange, const char *name, bool *is_present);
/* All values of a repeated parameter: the form's first, then the URL's. Allocated in the arena. */
size_t exchange_params(struct exchange *exchange, const char *name, struct str **out);

/* Empty for a form, whose bytes have become parameters. */
struct bytes exchange_body(const struct exchange *exchange);
/* Lives as long as the exchange. */
struct arena *exchange_arena(struct exchange *exchange);

/* What the server's gate granted the caller, for those who know what a grant is; NULL when there is
   no gate or it lets everybody do everything. */
const struct grant *exchange_grant(const struct exchange *exchange);

/* Who pays for the request, as the server's gate says; empty when there is none. */
struct str exchange_payer(const struct exchange *exchange);

/* What the body takes, and what its handler makes of it while it runs. */
struct charge *exchange_body_charge(struct exchange *exchange);
/* What the exchange holds for its reply, until that has been sent, is charged to `payer`; else to
   nobody. Called once, before anything is charged. `budget`: kept; may be NULL. */
void exchange_charge_reply(struct exchange *exchange, struct budget *budget, struct str payer);
/* For the buffers that the reply is written to. */
struct charge *exchange_reply_charge(struct exchange *exchange);

/* Adds a header to the coming reply; both strings are copied. A value with a line break in it is
   left out, so that nothing from outside can split a reply. */
void exchange_reply_header(struct exchange *exchange, const char *name, const char *value);

/* Ends the exchange. `body` is copied. Compressed with gzip when the client accepts it and it pays.
   A HEAD request gets the headers only. */
void exchange_reply(struct exchange *exchange, unsigned code, const char *content_type,
                    struct str body);
/* The same, taking the memory of `body` (which is left empty) instead of copying it; with what it
   is charged, if that is the exchange_reply_charge. An overflown body is answered 500 instead. */
void exchange_reply_buffer(struct exchange *exchange, unsigned code, const char *content_type,
                           struct buffer *body);
/* The same for a body that is compressed with gzip already; the client takes that. */
void exchange_reply_packed(struct exchange *exchange, unsigned code, const char *content_type,
                           struct buffer *body);
/* 204 with no body. */
void exchange_reply_empty(struct exchange *exchange);
/* Text/plain: the formatted line, cut at 1 KiB, and a newline. */
void exchange_reply_text(struct exchange *exchange, unsigned code, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* True when the client has gone away, or the server ends and has waited for long enough; a handler
   that works for long asks from time to time. */
bool exchange_is_abandoned(struct exchange *exchange);

#endif
