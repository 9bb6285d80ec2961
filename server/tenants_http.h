/*
 * tenants_http: who uses how much of what: tenants, their limits, what was refused. Each caller
 * sees the tenants that he may read.
 */
#ifndef CROFT_SERVER_TENANTS_HTTP_H
#define CROFT_SERVER_TENANTS_HTTP_H

#include "http/route.h"
#include "server/limit_rows.h"

enum { TENANTS_API_ROUTES_MAX = 8 };

/* Writes its rows to `out` (at most TENANTS_API_ROUTES_MAX), returns how many; `limits` is kept. */
size_t tenants_api_routes(struct limit_rows *limits, struct route *out);

#endif
