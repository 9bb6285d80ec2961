/*
 * server_impl: the state of the server, which the way in (intake) and the reply (exchange) share.
 */
#ifndef CROFT_HTTP_SERVER_IMPL_H
#define CROFT_HTTP_SERVER_IMPL_H

#include "http/exchange_impl.h"
#include "http/listener.h"
#include "http/peers.h"
#include "http/router.h"
#include "http/server.h"
#include "http/tls_impl.h"

struct http_server {
    const struct clock *clock;
    const char *cors_origin; /* NULL when browsers of other origins are not let in */
    struct gate gate;
    struct budget *memory; /* of bodies; may be NULL */
    struct tls *tls;       /* NULL: plain HTTP */
    unsigned connections_max;
    struct router *router;
    struct listener *listener;
    struct MHD_Daemon *daemon;
    struct MHD_Response *empty;       /* the reply without headers or body, shared by all */
    struct MHD_Response *empty_close; /* the same with "Connection: close" */
    struct exchange_pool pool;
    struct peers peers;
    uint64_t waiting_ns_max; /* between two requests of one connection */
    struct http_server_counters counters;
    struct flag is_draining;
    struct flag is_ending; /* who still works on a reply had his time */
};

/* What exchange_address gives for a client at `address`; lives as long. */
struct str network_of(const struct sockaddr *address);
/* Begins the request whose headers have arrived. The exchange is replied to when it is refused. */
struct exchange *intake_begin(struct http_server *server, struct MHD_Connection *connection,
                              const char *url, const char *method, const char *version);
/* More of the body. False when the connection must be dropped. */
bool intake_receive(struct exchange *exchange, struct bytes part);
/* The body is complete: calls the handler, or refuses. True when the reply can be sent; else the
   connection is suspended until it is there. */
bool intake_finish(struct exchange *exchange);

#endif
