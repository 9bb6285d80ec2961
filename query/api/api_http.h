/*
 * api_http: the read side of the Prometheus HTTP API.
 *
 * Every request is handed to the query threads at once, so that no HTTP thread ever waits for a
 * query and a slow one never delays a write. Its payer is the tenant it reads: requests of one wait
 * for each other in a lane, and share the processors with other payers by turns. What reads several
 * tenants has the caller's credential as its payer, because nobody could say what each tenant's
 * part was.
 */
#ifndef CROFT_QUERY_API_HTTP_H
#define CROFT_QUERY_API_HTTP_H

#include "http/route.h"
#include "query/api/lanes.h"
#include "query/engine/engine.h"
#include "query/engine/turns.h"

struct query_api_counters {
    struct counter queries;     /* calls answered, of all read endpoints */
    struct counter failures;    /* answered with an error that is not the client's */
    struct counter refused;     /* too many of its payer waited, or it waited for too long */
    struct counter samples;     /* samples loaded by queries */
    struct counter duration_ns; /* wall time from the request to the reply */
};

enum { QUERY_API_ROUTES_MAX = 32 };

struct api_call;

/* What a route hands to its handler. */
struct query_api_route {
    struct query_api *api;
    void (*run)(struct api_call *call);
    bool has_timeout;
};

struct query_api {
    const struct engine *engine; /* kept, as is everything it points at */
    struct lanes *lanes;         /* kept */
    struct turns *turns;         /* kept */
    struct budget *memory; /* of all calls together, their replies included; kept; NULL: no limit */
    int64_t timeout_ms;    /* of one query; the parameter "timeout" may only lower it */
    size_t series_max;     /* of /series and of label lookups with matchers */
    struct query_api_counters counters;
    struct query_api_route routes[QUERY_API_ROUTES_MAX]; /* filled by query_api_routes */
};

/* The rows of the route table, for the caller to serve; valid as long as `api`. At most
   QUERY_API_ROUTES_MAX are written to `out`; returns how many. */
size_t query_api_routes(struct query_api *api, struct route *out);

#endif
