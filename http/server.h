/*
 * server: libmicrohttpd behind routes and exchanges.
 *
 * Several threads, epoll, keep-alive. No handler may block: it replies at once or hands the
 * exchange to somebody who will.
 */
#ifndef CROFT_HTTP_SERVER_H
#define CROFT_HTTP_SERVER_H

#include "base/clock.h"
#include "base/counter.h"
#include "http/gate.h"
#include "http/tls.h"

struct http_server;
struct listener;

/* What the buffers of a connection may take; with what a TLS session does. */
enum { HTTP_CONNECTION_BYTES_MAX = 160 << 10 };

struct http_server_options {
    struct str listen;         /* as for listener_open: "127.0.0.1:9009", "[::1]:9009", ":9009" */
    struct listener *listener; /* one that is bound already, instead; taken; else NULL */
    unsigned thread_count;
    unsigned connections_max;
    unsigned connections_per_ip_max; /* 0 for no limit */
    unsigned idle_timeout_s; /* of a connection on which nothing moves; suspended ones are exempt */
    const struct route *routes; /* kept */
    size_t route_count;
    /* kept; "/prometheus": a path below it is routed as if it were not there; empty for none */
    struct str alias_prefix;
    /* kept; Access-Control-Allow-Origin, e.g. "*"; NULL: pages of other origins are not let in */
    const char *cors_origin;
    const struct clock *clock; /* kept */
    struct budget *memory;     /* of the bodies of all requests; kept; NULL: no limit */
    struct tls *tls;           /* kept; NULL: plain HTTP */
    struct gate gate;          /* without functions: nobody is asked who he is */
};

struct http_server_counters {
    struct counter requests;    /* handlers started */
    struct counter replies[6];  /* by hundreds of the status code; [0] is unused */
    struct counter connections; /* open now */
    struct counter refused;     /* answered before any handler: bad ones, and CORS questions */
};

/* STATUS_INVALID: the listen address cannot be parsed; STATUS_UNAVAILABLE: it cannot be bound.
   `*out` is set before the first handler runs, which may be before this returns; NULL on failure.
 */
MUST_USE enum status http_server_open(const struct http_server_options *options,
                                      struct http_server **out, struct error *err);
unsigned http_server_port(const struct http_server *server);
const struct http_server_counters *http_server_counters(const struct http_server *server);
/* Stops accepting; requests under way still get their replies, each with "Connection: close". Twice
   is fine. */
void http_server_drain(struct http_server *server);
/* Drains, waits until every reply is sent, at most `timeout_ms`, then stops the threads and frees
   the server. Who has sent half a request, or does not read his reply, is awaited for 5 s. NULL is
   fine. STATUS_TIMEOUT: a handler still owes a reply, so nothing was freed and
   the routes' contexts are still in use; the caller may call again. */
MUST_USE enum status http_server_close(struct http_server *server, int64_t timeout_ms,
                                       struct error *err);

#endif
