/*
 * routes_http: GET /api/v1/admin/routes, the endpoints of this server and who may call them; what
 * walks all of them, such as a test, need not keep a list of its own.
 */
#ifndef CROFT_SERVER_ROUTES_HTTP_H
#define CROFT_SERVER_ROUTES_HTTP_H

#include "http/route.h"

struct routes_api {
    const struct route *routes; /* kept; may be filled until the server is open */
    const size_t *route_count;  /* kept */
};

/* The row of it; valid as long as `api`. */
struct route routes_api_route(const struct routes_api *api);

#endif
