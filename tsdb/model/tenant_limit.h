/*
 * tenant_limit: what a tenant may use: the table of all limits, and values for them.
 *
 * A limit has three values, each of which may be missing:
 *
 *     hard       what is beyond it is refused
 *     soft       what is beyond it is taken, with a warning; 80 % of `hard` when it is not given
 *     dry run    what is beyond it is taken, and counted as what a hard limit would have refused
 *
 * Units: numbers as the table says; durations in milliseconds; TENANT_LIMIT_NONE for no limit.
 */
#ifndef CROFT_TSDB_TENANT_LIMIT_H
#define CROFT_TSDB_TENANT_LIMIT_H

#include "base/bytes.h"

/* No limit of its own: then the store's holds, where it has one. */
#define TENANT_LIMIT_NONE UINT64_MAX

/* In values that are laid over others: as the others have it. */
#define TENANT_LIMIT_KEPT (UINT64_MAX - 1)

enum tenant_limit_unit {
    TENANT_LIMIT_NUMBER,   /* in the configuration 0 stands for no limit, as Mimir has it */
    TENANT_LIMIT_DURATION, /* in the configuration a duration such as 30d */
    TENANT_LIMIT_SWITCH,   /* in the configuration true or false, here 1 or 0 */
};

/* What is compared with the limit. */
enum tenant_limit_nature {
    TENANT_LIMIT_OF_USAGE, /* what the tenant has now */
    TENANT_LIMIT_OF_SPEED, /* how much comes in a time */
    TENANT_LIMIT_OF_PART,  /* one sample, series or request, whatever else there is */
};

enum tenant_limit_mode { LIMIT_HARD, LIMIT_SOFT, LIMIT_DRY_RUN, LIMIT_MODE_COUNT };

/* Every limit is one row: name in the configuration (Mimir's, where Mimir has it), another name for
   it or the same again, unit, nature, default hard, default soft, the most that may be configured,
   what it bounds. */
#define TENANT_LIMIT_LIST(X)                                                                       \
    X(MAX_SERIES, "max_series", "max_global_series_per_user", NUMBER, USAGE, 1000000,              \
      TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, "active series")                                       \
    X(MAX_SERIES_PER_METRIC, "max_series_per_metric", "max_global_series_per_metric", NUMBER,      \
      USAGE, TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, "series of one metric")      \
    X(MAX_LABEL_VALUES, "max_label_values", "max_label_values", NUMBER, USAGE, TENANT_LIMIT_NONE,  \
      1000, TENANT_LIMIT_NONE, "values of one label name")                                         \
    X(MAX_SERIES_BYTES, "max_series_bytes", "max_series_bytes", NUMBER, USAGE, TENANT_LIMIT_NONE,  \
      TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, "bytes of memory of series and labels")                \
    X(MAX_NEW_SERIES, "max_new_series_per_second", "max_new_series_per_second", NUMBER, SPEED,     \
      TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, "series made in a second")          \
    X(MAX_NEW_SERIES_PER_HOUR, "max_new_series_per_hour", "max_new_series_per_hour", NUMBER,       \
      USAGE, TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, "series made in this hour")  \
    X(INGESTION_RATE, "ingestion_rate", "ingestion_rate", NUMBER, SPEED, TENANT_LIMIT_NONE,        \
      TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, "samples a second")                                    \
    X(INGESTION_BURST, "ingestion_burst_size", "ingestion_burst_size", NUMBER, PART, 200000,       \
      TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, "samples at once, with an ingestion_rate")             \
    X(MAX_LABEL_NAMES, "max_label_names_per_series", "max_label_names_per_series", NUMBER, PART,   \
      64, TENANT_LIMIT_NONE, 64, "labels of a series")                                             \
    X(MAX_LABEL_NAME_LEN, "max_label_name_length", "max_label_name_length", NUMBER, PART, 1024,    \
      TENANT_LIMIT_NONE, 1024, "bytes of a label's name")                                          \
    X(MAX_LABEL_VALUE_LEN, "max_label_value_length", "max_label_value_length", NUMBER, PART, 4096, \
      TENANT_LIMIT_NONE, 4096, "bytes of a label's value")                                         \
    X(OUT_OF_ORDER_WINDOW, "out_of_order_time_window", "out_of_order_time_window", DURATION, PART, \
      TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, TENANT_LIMIT_NONE,                                     \
      "age of a sample, from the newest of its series")                                            \
    X(CREATION_GRACE, "creation_grace_period", "creation_grace_period", DURATION, PART,            \
      TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, TENANT_LIMIT_NONE,                                     \
      "how far a sample may be ahead of the clock")                                                \
    X(RETENTION, "retention", "compactor_blocks_retention_period", DURATION, PART,                 \
      TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, "how long samples are kept")        \
    X(ACCEPT_HA, "accept_ha_samples", "accept_ha_samples", SWITCH, PART, 0, TENANT_LIMIT_NONE, 1,  \
      "whether replicas send the same series")                                                     \
    X(HA_MAX_CLUSTERS, "ha_max_clusters", "ha_max_clusters", NUMBER, PART, 100, TENANT_LIMIT_NONE, \
      10000, "clusters that replicas send for")                                                    \
    X(MAX_REQUEST_BYTES, "max_request_bytes", "max_request_bytes", NUMBER, PART, 33554432,         \
      TENANT_LIMIT_NONE, 33554432, "bytes of one write, not compressed")                           \
    X(MAX_QUERY_SAMPLES, "max_samples_per_query", "max_samples_per_query", NUMBER, PART, 50000000, \
      TENANT_LIMIT_NONE, 50000000, "samples that a query has in memory at once")                   \
    X(MAX_QUERY_BYTES, "max_estimated_memory_consumption_per_query",                               \
      "max_estimated_memory_consumption_per_query", NUMBER, PART, 1073741824, TENANT_LIMIT_NONE,   \
      1073741824, "bytes of memory of one query")                                                  \
    X(MAX_QUERY_LEN, "max_query_expression_size_bytes", "max_query_expression_size_bytes", NUMBER, \
      PART, 16384, TENANT_LIMIT_NONE, 16384, "bytes of the text of a query")                       \
    X(MAX_CONCURRENT_QUERIES, "max_concurrent_queries", "max_concurrent_queries", NUMBER, PART,    \
      TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, "queries at a time")                \
    X(QUERY_TIMEOUT, "query_timeout", "query_timeout", DURATION, PART, TENANT_LIMIT_NONE,          \
      TENANT_LIMIT_NONE, TENANT_LIMIT_NONE, "time of one query")

enum tenant_limit {
#define TENANT_LIMIT_ENUM(name, text, other, unit, nature, hard, soft, most, what)                 \
    TENANT_LIMIT_##name,
    TENANT_LIMIT_LIST(TENANT_LIMIT_ENUM)
#undef TENANT_LIMIT_ENUM
        TENANT_LIMIT_COUNT
};

/* What a tenant may choose beside its limits, with Mimir's names: the labels of an HA pair. */
enum tenant_text { TENANT_TEXT_HA_CLUSTER_LABEL, TENANT_TEXT_HA_REPLICA_LABEL, TENANT_TEXT_COUNT };

enum { TENANT_TEXT_LEN_MAX = 64 };

struct tenant_texts {
    char of[TENANT_TEXT_COUNT][TENANT_TEXT_LEN_MAX + 1]; /* "" stands for TENANT_LIMIT_KEPT */
};

struct tenant_limits {
    uint64_t max[LIMIT_MODE_COUNT][TENANT_LIMIT_COUNT];
    struct tenant_texts texts;
};

struct tenant_limit_row {
    const char *name;
    const char *other_name; /* perhaps the same */
    enum tenant_limit_unit unit;
    enum tenant_limit_nature nature;
    uint64_t default_max[LIMIT_MODE_COUNT];
    uint64_t most; /* that may be configured */
    const char *what;
};

const struct tenant_limit_row *tenant_limit_row(enum tenant_limit limit);
const char *tenant_limit_name(enum tenant_limit limit);
/* By either name; false when there is no limit of that name. */
bool tenant_limit_find(struct str name, enum tenant_limit *out);
/* "hard", "soft", "dry_run", as in the configuration. */
const char *tenant_limit_mode_name(enum tenant_limit_mode mode);
/* As in the configuration. */
const char *tenant_text_name(enum tenant_text text);

/* The limits that hold when nothing is configured. */
struct tenant_limits tenant_limits_default(void);
/* All TENANT_LIMIT_KEPT, all texts "". */
struct tenant_limits tenant_limits_kept(void);
/* Whether one of the three values is not TENANT_LIMIT_KEPT. */
bool tenant_limits_has(const struct tenant_limits *limits, enum tenant_limit limit);
/* Lays `over`, where it is not TENANT_LIMIT_KEPT or "", over what `limits` has. */
void tenant_limits_lay(struct tenant_limits *limits, const struct tenant_limits *over);
/* The most that is taken without a warning: the soft limit, if it is not beyond the hard one; else
   the last number below 80 % of the hard one where that is a matter of usage or speed. */
uint64_t tenant_limits_quiet_max(const struct tenant_limits *limits, enum tenant_limit limit);

#endif
