/*
 * own_metrics: what the server says about itself at /metrics.
 */
#ifndef CROFT_SERVER_OWN_METRICS_H
#define CROFT_SERVER_OWN_METRICS_H

#include "base/buffer.h"
#include "compaction/compactor.h"
#include "compaction/maintenance.h"
#include "http/server.h"
#include "ingest/ha_tracker.h"
#include "ingest/write_counters.h"
#include "query/api/api_http.h"
#include "server/credential.h"
#include "tsdb/store/store.h"

struct own_metrics {
    struct store *store;
    struct http_server *const *http; /* set before the first request */
    const struct write_counters *ingest;
    const struct ha_tracker *ha_tracker;
    const struct query_api *query;
    struct budget *request_memory;
    const struct maintenance *maintenance;
    const struct credentials_counters *credentials;
    const struct compactor *compactor;
    int64_t started_ms;
};

void own_metrics_write(const struct own_metrics *metrics, struct buffer *out);

#endif
