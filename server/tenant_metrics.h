/*
 * tenant_metrics: the part of /metrics that has a line for each tenant.
 */
#ifndef CROFT_SERVER_TENANT_METRICS_H
#define CROFT_SERVER_TENANT_METRICS_H

#include "server/exposition.h"
#include "tsdb/store/store.h"

/* Tenants beyond this many are left out. */
enum { METRICS_TENANTS_MAX = 10000 };

void tenant_metrics_write(struct store *store, struct exposition *exposition);

#endif
