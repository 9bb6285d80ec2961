/*
 * gate: decides who may call what, on the headers alone, before a byte of the body is kept.
 *
 * http knows neither tenants nor credentials: the gate is given by whoever opens the server, and
 * what it grants is handed through to the handlers (exchange_grant).
 */
#ifndef CROFT_HTTP_GATE_H
#define CROFT_HTTP_GATE_H

#include "http/route.h"

/* All functions or none. */
struct gate {
    void *context; /* kept */
    /* Lets the caller in and returns true; a grant, if there is one, goes to `out`, which is NULL
       before. To refuse, replies and returns false. Any thread, also several at once. */
    bool (*admit)(void *context, struct exchange *exchange, enum route_access access,
                  const struct grant **out);
    /* Who pays for the body of the request that was let in; lives as long as the exchange. */
    struct str (*payer)(void *context, struct exchange *exchange);
    /* The exchange is over; called once for each grant. */
    void (*release)(void *context, const struct grant *grant);
};

#endif
