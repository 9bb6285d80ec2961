/*
 * metadata: type, help and unit of metrics, per tenant, as senders last told them.
 *
 * In memory only: senders repeat it every minute. Bounded: metrics per tenant, bytes per text.
 *
 * Threads: any; one lock for all of it, held briefly.
 */
#ifndef CROFT_INGEST_METADATA_H
#define CROFT_INGEST_METADATA_H

#include "base/arena.h"
#include "tsdb/model/tenant.h"

/* As numbered on the wire; with the names that the Prometheus API uses. */
#define METRIC_TYPE_LIST(X)                                                                        \
    X(METRIC_UNKNOWN, "unknown")                                                                   \
    X(METRIC_COUNTER, "counter")                                                                   \
    X(METRIC_GAUGE, "gauge")                                                                       \
    X(METRIC_HISTOGRAM, "histogram")                                                               \
    X(METRIC_GAUGE_HISTOGRAM, "gaugehistogram")                                                    \
    X(METRIC_SUMMARY, "summary")                                                                   \
    X(METRIC_INFO, "info")                                                                         \
    X(METRIC_STATE_SET, "stateset")

enum metric_type {
#define METRIC_TYPE_ENUM(name, text) name,
    METRIC_TYPE_LIST(METRIC_TYPE_ENUM)
#undef METRIC_TYPE_ENUM
        METRIC_TYPE_COUNT
};

const char *metric_type_text(enum metric_type type);
/* Any number that a sender may give: METRIC_UNKNOWN when it means nothing. */
enum metric_type metric_type_of_wire(uint32_t value);

enum {
    METADATA_METRICS_MAX = 50000, /* per tenant */
    METADATA_NAME_LEN_MAX = 1024, /* longer: not kept */
    METADATA_HELP_LEN_MAX = 1024, /* longer: cut */
    METADATA_UNIT_LEN_MAX = 128,  /* longer: cut */
};

struct metric_metadata {
    struct str metric;
    struct str help;
    struct str unit;
    enum metric_type type;
};

struct metadata;

struct metadata *metadata_new(uint32_t metrics_max);
/* NULL is fine. */
void metadata_free(struct metadata *metadata);

/* Copies; the last told replaces what was there. False, with nothing changed: the tenant has as
   many metrics as it may have, or the name is empty, too long or not UTF-8. */
bool metadata_put(struct metadata *metadata, const struct tenant *tenant,
                  const struct metric_metadata *entry);
/* Everything of a tenant, sorted by metric, copied into the arena. */
void metadata_list(struct metadata *metadata, const struct tenant *tenant, struct arena *arena,
                   struct metric_metadata **out, size_t *count);

#endif
