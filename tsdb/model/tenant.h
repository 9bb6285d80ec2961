/*
 * tenant: one tenant of the store, and the table of all of them.
 *
 * A tenant's series live in one shard, chosen by a stable hash of its id. Tenants are made by the
 * first series that names them (or by replay) and live as long as the table; the default tenant is
 * there from the start, with number 0.
 *
 * Threads: the table is synchronised; a tenant's counters and limits may be read and changed from
 *          any thread. Series are counted by the shard, under the shard's lock, so the limit is
 *          exact.
 */
#ifndef CROFT_TSDB_TENANT_H
#define CROFT_TSDB_TENANT_H

#include "base/counter.h"
#include "tsdb/model/quota.h"
#include "tsdb/model/rate.h"
#include "tsdb/model/refusal.h"
#include "tsdb/model/tenant_id.h"
#include "tsdb/model/tenant_limit.h"

/* New tenants: an agent that brings all of a large installation at once is fine, names made up by
   the thousand are not. */
enum { TENANT_NEW_BURST = 10000, TENANT_NEW_PER_SECOND = 100 };

/* A bucket for each value of a limit of speed. */
struct tenant_rates {
    struct rate of[LIMIT_MODE_COUNT];
};

struct tenant {
    struct tenant_id id;
    uint32_t number; /* position in the table; not on disk */
    uint32_t shard;
    bool is_default; /* the tenant of writes that name none */
    /* of LIMIT_SOFT: what tenant_limits_quiet_max gives */
    struct counter limit_max[LIMIT_MODE_COUNT][TENANT_LIMIT_COUNT];
    struct counter limit_warnings[TENANT_LIMIT_COUNT];     /* times that the soft one was passed */
    struct counter limit_told_ms[TENANT_LIMIT_COUNT];      /* by tenant_note_taken; 0: never */
    struct counter limit_would_refuse[TENANT_LIMIT_COUNT]; /* in dry run: series or samples */
    struct counter active_series;                          /* changed under the shard's lock only */
    struct counter samples_written;
    struct counter samples_refused;
    struct counter samples_deduplicated; /* sent by a replica that is not elected */
    struct counter query_cpu_ns;  /* processor time of the queries that read this tenant alone */
    struct counter query_samples; /* loaded by these queries */
    struct counter open_queries;  /* reads of this tenant alone, running or waiting */
    struct counter samples_refused_for[REFUSAL_COUNT]; /* by reason */
    struct refusal **refusals; /* the last, by reason; guarded by the shard's lock; NULL: none */
    struct tenant_rates ingestion;   /* guarded by the shard's lock */
    struct tenant_rates new_series;  /* guarded by the shard's lock */
    struct quota new_series_in_hour; /* guarded by the shard's lock */
};

/* What the label that names the tenant says in a read of several tenants; empty: it is not shown.
   See docs/decisions/0002-default-tenant-shows-no-label.md. */
static inline struct str tenant_shown(const struct tenant *tenant)
{
    return tenant->is_default ? (struct str){0} : tenant_id_str(&tenant->id);
}

static inline uint64_t tenant_limit_in(const struct tenant *tenant, enum tenant_limit_mode mode,
                                       enum tenant_limit limit)
{
    return counter_get(&tenant->limit_max[mode][limit]);
}

/* The hard one. */
static inline uint64_t tenant_limit(const struct tenant *tenant, enum tenant_limit limit)
{
    return tenant_limit_in(tenant, LIMIT_HARD, limit);
}

/* Whether one of the three is set. */
static inline bool tenant_has_limit(const struct tenant *tenant, enum tenant_limit limit)
{
    return tenant_limit(tenant, limit) != TENANT_LIMIT_NONE ||
           tenant_limit_in(tenant, LIMIT_SOFT, limit) != TENANT_LIMIT_NONE ||
           tenant_limit_in(tenant, LIMIT_DRY_RUN, limit) != TENANT_LIMIT_NONE;
}

/* `fallback` where the tenant has none of its own. */
static inline uint64_t tenant_limit_or(const struct tenant *tenant, enum tenant_limit limit,
                                       uint64_t fallback)
{
    uint64_t max = tenant_limit(tenant, limit);
    return max == TENANT_LIMIT_NONE ? fallback : max;
}

/* The soft limit was passed, by `subject` (a label, a metric; may be empty): counted, and
   told in the log. */
void tenant_warn(struct tenant *tenant, enum tenant_limit limit, struct str subject);
/* The same for what is passed again and again, by samples or requests that are taken: a line a
   minute. A dry run would have refused `would_refuse` of them. `now_ms` is of a clock that is never
   set back. */
void tenant_note_taken(struct tenant *tenant, enum tenant_limit limit, bool is_beyond_soft,
                       uint64_t would_refuse, int64_t now_ms);
/* The same for `usage` of one part (a request, a query), by its limits. */
void tenant_note_part(struct tenant *tenant, enum tenant_limit limit, uint64_t usage,
                      int64_t now_ms);

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
/* The same for writes, which may add TENANT_NEW_BURST at once and TENANT_NEW_PER_SECOND.
   STATUS_UNAVAILABLE: not now, but after `wait_ms`. */
MUST_USE enum status tenant_table_add(struct tenant_table *table, const struct tenant_id *id,
                                      uint64_t now_ns, struct tenant **out, int64_t *wait_ms,
                                      struct error *err);
/* The tenant that tenant_table_add would make, with its limits; it is not made. */
void tenant_table_describe(struct tenant_table *table, const struct tenant_id *id,
                           struct tenant *out);
struct tenant *tenant_table_default(struct tenant_table *table);
size_t tenant_table_count(struct tenant_table *table);
/* 0 <= number < count; never NULL. */
struct tenant *tenant_table_at(struct tenant_table *table, size_t number);

/* The hard limit that holds for a tenant of that id, whether it exists yet or not. */
uint64_t tenant_table_limit(struct tenant_table *table, const struct tenant_id *id,
                            enum tenant_limit limit);

/* The texts that hold for that tenant. */
void tenant_table_texts(struct tenant_table *table, const struct tenant_id *id,
                        struct tenant_texts *out);

/* The longest retention that any tenant's limits give it, whether it exists yet or not; those
   without one have `fallback_ms`. */
int64_t tenant_table_longest_retention_ms(struct tenant_table *table, int64_t fallback_ms);

/* Replaces all limits: `defaults` for everyone, `overrides[i]` for `ids[i]` (whether it exists yet
   or not). Copied. */
void tenant_table_set_limits(struct tenant_table *table, const struct tenant_limits *defaults,
                             const struct tenant_id *ids, const struct tenant_limits *overrides,
                             size_t override_count);

#endif
