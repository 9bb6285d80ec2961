/*
 * store_write_impl: one shard's part of a write, shared by store_write.c and store_limit.c.
 */
#ifndef CROFT_TSDB_STORE_WRITE_IMPL_H
#define CROFT_TSDB_STORE_WRITE_IMPL_H

#include "tsdb/store/store_impl.h"

/* What the tenant of the series at hand may do with time; changes with the tenant. */
struct write_bounds {
    const struct tenant *tenant;
    int64_t min_ts_ms;
    int64_t max_ts_ms;
    int64_t late_max_ms; /* behind the newest sample of a series; INT64_MAX for any */
};

struct shard_write {
    struct shard *shard;
    const struct write_series *series;
    const uint32_t *picked; /* positions in `series` that belong to the shard; NULL: all */
    size_t count;           /* of the series of this shard */
    uint32_t *missing;      /* positions in `series` that step 1 did not find */
    size_t missing_count;
    struct arena *arena;
    struct write_result *result;
    int64_t now_ms;
    int64_t monotonic_ms; /* what the head calls now */
    bool has_rates;       /* some tenant of the write has an ingestion_rate */
    struct write_bounds bounds;
};

static inline const struct write_series *series_at(const struct shard_write *w, size_t index)
{
    return &w->series[w->picked == NULL ? index : w->picked[index]];
}

/* To be called before the samples of a series are looked at. */
void enter_tenant(struct shard_write *w, const struct write_series *series);
/* Counts the refusal when it is not. */
bool is_in_time(struct shard_write *w, const struct write_series *series, struct sample sample);
/* A series is made, or comes back from idleness, only for a sample that can be kept. */
bool has_sample_in_time(struct shard_write *w, const struct write_series *series);
/* Too far behind the newest sample of the series, and not a repetition: counted. */
bool is_too_late_locked(struct shard_write *w, const struct write_series *series,
                        struct series_ref ref, struct sample sample) REQUIRES(w->shard->lock);

/* Whether the tenant may have one more active series; if not, the series is refused. Exact, because a
   tenant's series are all in this shard and its lock is held. */
bool is_within_limit_locked(struct shard_write *w, const struct write_series *series)
    REQUIRES(w->shard->lock);
/* The same for a series that the head does not know; takes from the rate of new ones. */
bool may_add_locked(struct shard_write *w, const struct write_series *series, struct labels labels)
    REQUIRES(w->shard->lock);
/* A series that is not known as it stands here is refused without a closer look when its tenant is full
   and its labels stand as they are stored, so that another order cannot be why it was not found. */
bool is_refused_early_locked(struct shard_write *w, const struct write_series *series)
    REQUIRES(w->shard->lock);
/* Leaves out (in `picked`) the series of tenants that send too fast: all of a tenant's series that
   follow each other, or none. */
void refuse_over_rate_locked(struct shard_write *w) REQUIRES(w->shard->lock);

void refuse_sample(struct shard_write *w, const struct write_series *series,
                   enum reject_reason reason, struct sample sample, const char *what);
void refuse_labels(struct shard_write *w, const struct write_series *series,
                   const struct error *why);
/* Within those of the store and those of the tenant. */
struct label_limits label_limits_of(const struct shard_write *w, const struct tenant *tenant);

#endif
