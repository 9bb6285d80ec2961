/*
 * exchange_impl: what an exchange is made of, and the pool that recycles exchanges.
 *
 * An exchange has two owners once its handler is called: the connection's thread, and whoever
 * replies. The last of the two to let go acts:
 *
 *   reply first:    the replier lets go; the connection's thread finds itself the sole owner when
 * the handler returns and sends the reply without ever suspending suspend first:  the connection's
 * thread suspends and lets go; the replier is the last and resumes the connection, whose thread
 * then sends the reply both at once:   the connection's thread suspends, finds it is the last, and
 * resumes at once
 */
#ifndef CROFT_HTTP_EXCHANGE_IMPL_H
#define CROFT_HTTP_EXCHANGE_IMPL_H

#include <microhttpd.h>

#include "base/counter.h"
#include "base/thread.h"
#include "http/exchange.h"
#include "http/params.h"
#include "http/progress.h"
#include "http/route.h"

struct http_server;
struct peer;

struct reply_header {
    struct reply_header *next;
    const char *name;
    const char *value;
};

enum exchange_phase {
    EXCHANGE_READING, /* the body is arriving */
    EXCHANGE_REFUSED, /* replied to without a handler; what arrives of the body is forgotten */
    EXCHANGE_ASKED,   /* the handler has been called */
};

struct exchange {
    struct exchange *next_free;
    struct http_server *server;
    struct MHD_Connection *connection;
    struct peer *peer; /* of the connection; its socket is open until the reply */
    enum exchange_phase phase;
    struct refcount owners;
    enum http_method method;
    const struct route *route; /* NULL when none fits: the exchange is refused */
    struct str path;
    struct str capture;
    const struct grant *grant; /* of the server's gate, to be released with the exchange */
    struct str payer;          /* the same; lives in the headers or the grant */
    struct params params;
    struct arena arena;
    uint64_t received_bytes;    /* of the body, kept or not */
    struct progress progress;   /* of that */
    struct buffer body;         /* limited by route->body_max_bytes, not by its own maximum */
    struct charge body_charge;  /* what the body takes, or will when it has arrived */
    struct charge reply_charge; /* what the reply takes */
    struct reply_header *reply_headers;
    unsigned code;                 /* 0 until replied */
    struct MHD_Response *response; /* owned; NULL stands for an empty one without headers */
    bool must_close;               /* the connection, after the reply */
};

/* Exchanges that are not in use keep their memory, within POOL_COUNT_MAX and POOL_BYTES_MAX. */
struct exchange_pool {
    struct mutex lock;
    struct cond is_quiet;
    struct exchange *free; /* guarded by lock */
    size_t free_count;     /* guarded by lock */
    size_t free_bytes;     /* guarded by lock; of the bodies in the list */
    size_t open_count;     /* guarded by lock; taken and not given back */
    size_t asked_count;    /* guarded by lock; handler called, replier not yet done */
    bool is_closed;        /* guarded by lock; no handler is called any more */
};

void exchange_pool_init(struct exchange_pool *pool);
/* Every exchange must have been given back. */
void exchange_pool_deinit(struct exchange_pool *pool);
/* A blank exchange. */
struct exchange *exchange_pool_take(struct exchange_pool *pool);
void exchange_pool_give(struct exchange_pool *pool, struct exchange *exchange);
/* To be called around the handler and the reply; false when the pool is closed. */
MUST_USE bool exchange_pool_begin_answer(struct exchange_pool *pool);
void exchange_pool_end_answer(struct exchange_pool *pool);
/* Waits until no exchange is open and returns true, or false after `timeout_ms`. */
MUST_USE bool exchange_pool_wait_quiet(struct exchange_pool *pool, int64_t timeout_ms);
/* From now on no handler is called. False, and nothing has changed, when one still owes a reply. */
MUST_USE bool exchange_pool_close(struct exchange_pool *pool);

/* After the handler: suspends the connection until the reply comes, and returns true; or false when
   the reply is there already. */
bool exchange_suspend(struct exchange *exchange);

#endif
