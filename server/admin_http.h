/*
 * admin_http: what an operator asks of the store: POST or PUT
 *
 *     /api/v1/admin/tsdb/flush      every head to blocks
 *     /api/v1/admin/tsdb/compact    the same, then one block per shard and day
 *     /api/v1/admin/tsdb/clean_tombstones   blocks without what was deleted or has expired
 *
 * Answered 204 when the store is at rest, 503 when the server stops or the disk is full, 500 when
 * something could not be done, with the reason as a line of text. The work is the compactor's; no
 * HTTP thread waits.
 */
#ifndef CROFT_SERVER_ADMIN_HTTP_H
#define CROFT_SERVER_ADMIN_HTTP_H

#include "compaction/compactor.h"
#include "http/route.h"

struct admin_api {
    struct compactor *compactor; /* kept */
};

/* Writes ADMIN_API_ROUTE_COUNT rows, valid as long as `api`. */
enum { ADMIN_API_ROUTE_COUNT = 3 };
void admin_api_routes(struct admin_api *api, struct route *out);

#endif
