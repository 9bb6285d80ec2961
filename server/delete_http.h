/*
 * delete_http: deleting samples over HTTP, for administrators.
 *
 *     POST, PUT /api/v1/admin/tsdb/delete_series   match[] (one or more), start, end; 204
 *     POST      /compactor/delete_tenant           all of the tenant of X-Scope-OrgID; 200
 *     GET       /compactor/delete_tenant_status    whether its bytes have left the disk
 *
 * The first is Prometheus', of the tenants of the request; the others are Mimir's. The caller must
 * be allowed to write the tenants. The answer comes when every later read is without the samples.
 * One deletion at a time, on a thread of their own: a deletion flushes.
 */
#ifndef CROFT_SERVER_DELETE_HTTP_H
#define CROFT_SERVER_DELETE_HTTP_H

#include "base/pool.h"
#include "http/route.h"
#include "tsdb/store/store.h"

struct delete_api {
    struct store *store; /* kept */
    struct pool *pool;   /* kept; of one thread */
};

/* Writes DELETE_API_ROUTE_COUNT rows, valid as long as `api`. */
enum { DELETE_API_ROUTE_COUNT = 3 };
void delete_api_routes(struct delete_api *api, struct route *out);

#endif
