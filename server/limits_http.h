/*
 * limits_http: limits of a tenant at run time, for administrators:
 *
 *     GET     /api/v1/admin/tenants/<id>/limits  what is set at run time: {"max_series": 5}
 *     PUT     the same                           replaces it; the body is such a mapping
 *     DELETE  the same                           back to the configuration
 *
 * Answered in the envelope of the API when the change is durable and holds. The work is done on a
 * thread of its own, because it waits for the disk.
 */
#ifndef CROFT_SERVER_LIMITS_HTTP_H
#define CROFT_SERVER_LIMITS_HTTP_H

#include "base/pool.h"
#include "http/route.h"
#include "server/limit_layers.h"

struct limits_api {
    struct limit_layers *layers; /* kept */
    struct pool *pool;           /* kept */
};

/* Writes LIMITS_API_ROUTE_COUNT rows, valid as long as `api`. */
enum { LIMITS_API_ROUTE_COUNT = 1 };
void limits_api_routes(struct limits_api *api, struct route *out);

#endif
