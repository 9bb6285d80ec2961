/*
 * tenant: one tenant of the store, and the table of all of them.
 *
 * A tenant's series live in one shard, chosen by a stable hash of its id. Tenants are made by the
 * first write that names them (or by replay) and live as long as the table; the default tenant is
 * there from the start, with number 0.
 *
 * Threads: the table is synchronised; a tenant's counters and limits may be read and changed from any
 *          thread. Series are counted by the shard, under the shard's lock, so the limit is exact.
 */
#ifndef CROFT_TSDB_TENANT_H
#define CROFT_TSDB_TENANT_H

#include "base/counter.h"
#include "tsdb/model/rate.h"
#include "tsdb/model/tenant_id.h"

/* No limit of its own: then the store's holds, where it has one. */
#define TENANT_LIMIT_NONE UINT64_MAX

enum tenant_limit_kind {
    TENANT_LIMIT_COUNT_OF, /* in the configuration a number; 0 for none, as Mimir has it */
    TENANT_LIMIT_DURATION, /* a duration such as 30d, here in milliseconds */
    TENANT_LIMIT_SOFT,     /* a count that is watched, not enforced */
};

/* Every limit of a tenant is one row: name in the configuration (Mimir's, where Mimir has it), another
   name for it or the same again, kind, default, the most that may be configured, what it bounds. */
#define TENANT_LIMIT_LIST(X)                                                                       \
    X(MAX_SERIES, "max_series", "max_global_series_per_user", COUNT_OF, 1000000,                   \
      TENANT_LIMIT_NONE, "active series")                                                          \
    X(MAX_SERIES_PER_METRIC, "max_series_per_metric", "max_global_series_per_metric", COUNT_OF,    \
      TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, "series in memory of one metric name")                 \
    X(MAX_NEW_SERIES, "max_new_series_per_second", "max_new_series_per_second", COUNT_OF,          \
      TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, "series made in a second")                             \
    X(INGESTION_RATE, "ingestion_rate", "ingestion_rate", COUNT_OF, TENANT_LIMIT_NONE,             \
      TENANT_LIMIT_NONE, "samples a second")                                                       \
    X(INGESTION_BURST, "ingestion_burst_size", "ingestion_burst_size", COUNT_OF, 200000,           \
      TENANT_LIMIT_NONE, "samples at once, with an ingestion_rate")                                \
    X(MAX_LABEL_NAMES, "max_label_names_per_series", "max_label_names_per_series", COUNT_OF, 64,   \
      64, "labels of a series")                                                                    \
    X(MAX_LABEL_NAME_LEN, "max_label_name_length", "max_label_name_length", COUNT_OF, 1024, 1024,  \
      "bytes of a label's name")                                                                   \
    X(MAX_LABEL_VALUE_LEN, "max_label_value_length", "max_label_value_length", COUNT_OF, 4096,     \
      4096, "bytes of a label's value")                                                            \
    X(MAX_LABEL_VALUES, "max_label_values", "max_label_values", SOFT, 1000, TENANT_LIMIT_NONE,     \
      "values in memory of one label name")                                                        \
    X(OUT_OF_ORDER_WINDOW, "out_of_order_time_window", "out_of_order_time_window", DURATION,       \
      TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, "age of a sample, from the newest of its series")      \
    X(CREATION_GRACE, "creation_grace_period", "creation_grace_period", DURATION,                  \
      TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, "how far a sample may be ahead of the clock")          \
    X(RETENTION, "retention", "compactor_blocks_retention_period", DURATION, TENANT_LIMIT_NONE,    \
      TENANT_LIMIT_NONE, "how long samples are kept")

enum tenant_limit {
#define TENANT_LIMIT_ENUM(name, text, other, kind, default_value, most, what) TENANT_LIMIT_##name,
    TENANT_LIMIT_LIST(TENANT_LIMIT_ENUM)
#undef TENANT_LIMIT_ENUM
        TENANT_LIMIT_COUNT
};

struct tenant_limits {
    uint64_t max[TENANT_LIMIT_COUNT];
};

const char *tenant_limit_name(enum tenant_limit limit);
enum tenant_limit_kind tenant_limit_kind(enum tenant_limit limit);
/* The most that may be configured. */
uint64_t tenant_limit_most(enum tenant_limit limit);
/* The limits that hold when nothing is configured. */
struct tenant_limits tenant_limits_default(void);
/* By either name; false when there is no limit of that name. */
bool tenant_limit_find(struct str name, enum tenant_limit *out);

/* Room for the reasons of a store's refusals. */
enum { TENANT_REASONS_MAX = 16 };

struct tenant {
    struct tenant_id id;
    uint32_t number; /* position in the table; not on disk */
    uint32_t shard;
    bool is_default; /* the tenant of writes that name none */
    struct counter limit_max[TENANT_LIMIT_COUNT];
    struct counter active_series; /* changed under the shard's lock only */
    struct counter samples_written;
    struct counter samples_rejected;
    struct counter query_cpu_ns; /* processor time of the queries that read this tenant alone */
    struct counter samples_rejected_for[TENANT_REASONS_MAX]; /* by enum reject_reason */
    struct counter
        label_values_exceeded; /* times that a label name got more values than max_label_values */
    struct rate ingestion;     /* guarded by the shard's lock */
    struct rate new_series;    /* guarded by the shard's lock */
};

static inline uint64_t tenant_limit(const struct tenant *tenant, enum tenant_limit limit)
{
    return counter_get(&tenant->limit_max[limit]);
}

/* `fallback` where the tenant has none of its own. */
static inline uint64_t tenant_limit_or(const struct tenant *tenant, enum tenant_limit limit,
                                       uint64_t fallback)
{
    uint64_t max = tenant_limit(tenant, limit);
    return max == TENANT_LIMIT_NONE ? fallback : max;
}

struct tenant_table;

struct tenant_table_options {
    uint32_t shard_count;
    uint32_t tenants_max;      /* one more is STATUS_LIMIT */
    struct str default_tenant; /* "anonymous" */
};

MUST_USE enum status tenant_table_open(const struct tenant_table_options *options,
                                       struct tenant_table **out, struct error *err);
void tenant_table_close(struct tenant_table *table);

/* NULL when nobody has written under that id. */
struct tenant *tenant_table_find(struct tenant_table *table, struct str id);
/* Finds or adds. STATUS_INVALID: not a tenant id; STATUS_LIMIT: too many tenants. */
MUST_USE enum status tenant_table_get(struct tenant_table *table, struct str id,
                                      struct tenant **out, struct error *err);
struct tenant *tenant_table_default(struct tenant_table *table);
size_t tenant_table_count(struct tenant_table *table);
/* 0 <= number < count; never NULL. */
struct tenant *tenant_table_at(struct tenant_table *table, size_t number);

/* The longest retention that any tenant's limits give it, whether it exists yet or not; those without
   one have `fallback_ms`. */
int64_t tenant_table_longest_retention_ms(struct tenant_table *table, int64_t fallback_ms);

/* Replaces all limits: `defaults` for everyone, `overrides[i]` for `ids[i]` (whether it exists yet or
   not). Copied. */
void tenant_table_set_limits(struct tenant_table *table, const struct tenant_limits *defaults,
                             const struct tenant_id *ids, const struct tenant_limits *overrides,
                             size_t override_count);

#endif
