/*
 * What a write may do: the limits of its tenants.
 *
 * Every check comes before anything is allocated for what it may refuse, and under the lock of the
 * shard, which has all series of a tenant: so limits are exact. A series that a limit refuses is
 * looked up and compared, never copied: it costs less than one that is taken, each time.
 */
#include "tsdb/store/store_write_impl.h"

#include "base/check.h"

/* ---- what a tenant has ---- */

/* How much of a limit is used, and what one more series would add. */
struct measure {
    uint64_t usage;
    uint64_t more;
};

typedef struct measure (*measure_series)(struct shard_write *w, struct tenant *tenant,
                                         struct labels labels);

static struct measure measure_active(struct shard_write *w, struct tenant *tenant,
                                     struct labels labels)
{
    (void)w, (void)labels;
    return (struct measure){counter_get(&tenant->active_series), 1};
}

static struct measure measure_metric(struct shard_write *w, struct tenant *tenant,
                                     struct labels labels)
{
    struct label metric = {LABEL_METRIC_NAME, labels_get(labels, LABEL_METRIC_NAME)};
    return (struct measure){head_label_series_count(w->shard->head, tenant, metric), 1};
}

static struct measure measure_values(struct shard_write *w, struct tenant *tenant,
                                     struct labels labels)
{
    size_t values;
    bool is_more = head_new_label_value(w->shard->head, tenant, labels, &values);
    return (struct measure){values, is_more};
}

static struct measure measure_bytes(struct shard_write *w, struct tenant *tenant,
                                    struct labels labels)
{
    return (struct measure){head_charged_bytes(w->shard->head, tenant),
                            head_series_charge(w->shard->head, tenant, labels)};
}

static struct measure measure_hour(struct shard_write *w, struct tenant *tenant,
                                   struct labels labels)
{
    (void)labels;
    return (struct measure){quota_taken(&tenant->new_series_in_hour, w->monotonic_ms), 1};
}

static const struct usage_row {
    enum tenant_limit limit;
    enum refusal_reason reason;
    measure_series measure;
} active_row = {TENANT_LIMIT_MAX_SERIES, REFUSAL_MAX_SERIES, measure_active},
  usage_rows[] = {
      {TENANT_LIMIT_MAX_SERIES, REFUSAL_MAX_SERIES, measure_active},
      {TENANT_LIMIT_MAX_SERIES_PER_METRIC, REFUSAL_MAX_SERIES_PER_METRIC, measure_metric},
      {TENANT_LIMIT_MAX_LABEL_VALUES, REFUSAL_MAX_LABEL_VALUES, measure_values},
      {TENANT_LIMIT_MAX_SERIES_BYTES, REFUSAL_MAX_SERIES_BYTES, measure_bytes},
      {TENANT_LIMIT_MAX_NEW_SERIES_PER_HOUR, REFUSAL_MAX_NEW_SERIES_PER_HOUR, measure_hour},
};

static bool is_beyond(struct measure measure, uint64_t max)
{
    return measure.more > 0 && (measure.usage >= max || measure.more > max - measure.usage);
}

static bool finds_full_locked(struct shard_write *w, const struct usage_row *row,
                              struct tenant *tenant, struct labels labels, struct hit *hit)
    REQUIRES(w->shard->lock)
{
    uint64_t max = tenant_limit(tenant, row->limit);
    if (max == TENANT_LIMIT_NONE)
        return false;
    struct measure measure = row->measure(w, tenant, labels);
    *hit = (struct hit){row->reason, row->limit, measure.usage, 0};
    return is_beyond(measure, max);
}

/* The series is about to be added: what a soft limit or dry run has to say. */
static void note_series_locked(struct shard_write *w, const struct usage_row *row,
                               struct tenant *tenant, struct labels labels) REQUIRES(w->shard->lock)
{
    uint64_t quiet_max = tenant_limit_in(tenant, LIMIT_SOFT, row->limit);
    uint64_t dry_max = tenant_limit_in(tenant, LIMIT_DRY_RUN, row->limit);
    if (row->limit == TENANT_LIMIT_MAX_LABEL_VALUES)
        quiet_max = TENANT_LIMIT_NONE; /* the index watches it, for each name by itself */
    if (quiet_max == TENANT_LIMIT_NONE && dry_max == TENANT_LIMIT_NONE)
        return;
    struct measure measure = row->measure(w, tenant, labels);
    if (is_beyond(measure, dry_max))
        counter_add(&tenant->limit_would_refuse[row->limit], 1);
    if (measure.usage <= quiet_max && is_beyond(measure, quiet_max))
        tenant_warn(tenant, row->limit,
                    row->measure == measure_metric ? labels_get(labels, LABEL_METRIC_NAME)
                                                   : STR(""));
}

/* ---- speed ---- */

static struct rate_limit rate_of(const struct tenant *tenant, enum tenant_limit_mode mode,
                                 enum tenant_limit per_second, enum tenant_limit burst)
{
    uint64_t own = tenant_limit_in(tenant, mode, burst);
    return (struct rate_limit){.per_second = tenant_limit_in(tenant, mode, per_second),
                               .burst =
                                   own == TENANT_LIMIT_NONE ? tenant_limit(tenant, burst) : own};
}

/* What a soft limit or dry run has to say about `count` that are taken. */
static void note_speed(const struct shard_write *w, struct tenant *tenant,
                       struct tenant_rates *rates, enum tenant_limit per_second,
                       enum tenant_limit burst, uint64_t count)
{
    uint64_t now_ns = (uint64_t)w->monotonic_ms * 1000000;
    for (enum tenant_limit_mode mode = LIMIT_SOFT; mode < LIMIT_MODE_COUNT; mode++) {
        struct rate_limit limit = rate_of(tenant, mode, per_second, burst);
        int64_t wait_ms;
        if (limit.per_second == TENANT_LIMIT_NONE ||
            rate_take(&rates->of[mode], &limit, now_ns, count, &wait_ms))
            continue;
        bool is_soft = mode == LIMIT_SOFT;
        tenant_note_taken(tenant, per_second, is_soft, is_soft ? 0 : count, w->monotonic_ms);
    }
}

static bool finds_fast_locked(const struct shard_write *w, const struct tenant *tenant,
                              struct hit *hit) REQUIRES(w->shard->lock)
{
    struct rate_limit limit =
        rate_of(tenant, LIMIT_HARD, TENANT_LIMIT_MAX_NEW_SERIES, TENANT_LIMIT_MAX_NEW_SERIES);
    *hit = (struct hit){REFUSAL_MAX_NEW_SERIES, TENANT_LIMIT_MAX_NEW_SERIES, limit.per_second, 0};
    return limit.per_second != TENANT_LIMIT_NONE &&
           !rate_allows(&tenant->new_series.of[LIMIT_HARD], &limit,
                        (uint64_t)w->monotonic_ms * 1000000, 1, &hit->wait_ms);
}

static void take_new_series_locked(const struct shard_write *w, struct tenant *tenant)
    REQUIRES(w->shard->lock)
{
    struct rate_limit limit =
        rate_of(tenant, LIMIT_HARD, TENANT_LIMIT_MAX_NEW_SERIES, TENANT_LIMIT_MAX_NEW_SERIES);
    int64_t wait_ms;
    if (limit.per_second != TENANT_LIMIT_NONE)
        rate_take(&tenant->new_series.of[LIMIT_HARD], &limit, (uint64_t)w->monotonic_ms * 1000000,
                  1, &wait_ms);
    note_speed(w, tenant, &tenant->new_series, TENANT_LIMIT_MAX_NEW_SERIES,
               TENANT_LIMIT_MAX_NEW_SERIES, 1);
    quota_take(&tenant->new_series_in_hour, w->monotonic_ms);
}

/* ---- the memory of all tenants ---- */

enum { MEMORY_WAIT_MS = 30 * 1000 }; /* until a flush may have ended, or series became idle */

static bool finds_no_memory_locked(struct shard_write *w, const struct tenant *tenant,
                                   struct hit *hit) REQUIRES(w->shard->lock)
{
    uint64_t usage = head_charged_bytes(w->shard->head, tenant);
    *hit = (struct hit){.reason = REFUSAL_HEAD_MEMORY, .usage = usage, .wait_ms = MEMORY_WAIT_MS};
    return usage >= shard_memory_left_locked(w->shard, usage);
}

/* ---- a series ---- */

static bool finds_hit_locked(struct shard_write *w, struct tenant *tenant, struct labels labels,
                             struct hit *hit) REQUIRES(w->shard->lock)
{
    for (size_t i = 0; i < sizeof usage_rows / sizeof *usage_rows; i++) {
        if (finds_full_locked(w, &usage_rows[i], tenant, labels, hit))
            return true;
    }
    return finds_no_memory_locked(w, tenant, hit) || finds_fast_locked(w, tenant, hit);
}

bool may_activate_locked(struct shard_write *w, const struct write_series *series)
{
    struct labels labels = labels_given(w, series);
    struct hit hit;
    CHECK(rwlock_is_held_write(&w->shard->lock));
    if (finds_full_locked(w, &active_row, series->tenant, labels, &hit)) {
        refuse_series(w, series, &hit);
        return false;
    }
    note_series_locked(w, &active_row, series->tenant, labels);
    return true;
}

bool may_add_locked(struct shard_write *w, const struct write_series *series, struct labels labels)
{
    struct hit hit;
    CHECK(rwlock_is_held_write(&w->shard->lock));
    if (finds_hit_locked(w, series->tenant, labels, &hit)) {
        refuse_series(w, series, &hit);
        return false;
    }
    for (size_t i = 0; i < sizeof usage_rows / sizeof *usage_rows; i++)
        note_series_locked(w, &usage_rows[i], series->tenant, labels);
    note_labels(w, series->tenant, labels);
    take_new_series_locked(w, series->tenant);
    return true;
}

bool is_refused_early_locked(struct shard_write *w, const struct write_series *series)
{
    struct labels labels = labels_given(w, series);
    struct hit hit;
    if (!labels_are_in_order(labels.ptr, labels.count) ||
        !finds_hit_locked(w, series->tenant, labels, &hit))
        return false;
    refuse_series(w, series, &hit);
    return true;
}

/* ---- samples a second ---- */

/* The run of series of one tenant that begins at `from`: how many they are and their samples. */
static size_t run_of(const struct shard_write *w, size_t from, uint64_t *samples)
{
    const struct tenant *tenant = series_at(w, from)->tenant;
    size_t to = from;
    *samples = 0;
    while (to < w->count && series_at(w, to)->tenant == tenant)
        *samples += series_at(w, to++)->sample_count;
    return to - from;
}

static bool may_send_locked(struct shard_write *w, const struct write_series *series,
                            uint64_t samples) REQUIRES(w->shard->lock)
{
    struct tenant *tenant = series->tenant;
    struct rate_limit limit =
        rate_of(tenant, LIMIT_HARD, TENANT_LIMIT_INGESTION_RATE, TENANT_LIMIT_INGESTION_BURST);
    int64_t wait_ms;
    if (limit.per_second != TENANT_LIMIT_NONE &&
        !rate_take(&tenant->ingestion.of[LIMIT_HARD], &limit, (uint64_t)w->monotonic_ms * 1000000,
                   samples, &wait_ms)) {
        refuse_fast(w, series, &limit, samples, wait_ms);
        return false;
    }
    note_speed(w, tenant, &tenant->ingestion, TENANT_LIMIT_INGESTION_RATE,
               TENANT_LIMIT_INGESTION_BURST, samples);
    return true;
}

void refuse_over_rate_locked(struct shard_write *w)
{
    uint32_t *kept = arena_alloc(w->arena, w->count * sizeof *kept);
    size_t kept_count = 0, run;
    for (size_t from = 0; from < w->count; from += run) {
        uint64_t samples;
        run = run_of(w, from, &samples);
        if (!may_send_locked(w, series_at(w, from), samples))
            continue;
        for (size_t i = from; i < from + run; i++)
            kept[kept_count++] = (uint32_t)(series_at(w, i) - w->series);
    }
    w->picked = kept;
    w->count = kept_count;
}
