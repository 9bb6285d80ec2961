/*
 * status_http: health, readiness, build information, metric metadata and /metrics.
 */
#ifndef CROFT_SERVER_STATUS_HTTP_H
#define CROFT_SERVER_STATUS_HTTP_H

#include "http/route.h"
#include "ingest/metadata.h"
#include "server/own_metrics.h"

struct status_api {
    const struct own_metrics *own_metrics; /* kept */
    struct metadata *metadata;             /* kept */
    struct tenant_table *tenants;          /* kept */
    struct budget *memory;                 /* of replies, with those of queries; kept */
};

/* Writes its rows to `out` (at most STATUS_API_ROUTES_MAX), returns how many; valid as long as
   `api`. */
enum { STATUS_API_ROUTES_MAX = 8 };
size_t status_api_routes(struct status_api *api, struct route *out);

#endif
