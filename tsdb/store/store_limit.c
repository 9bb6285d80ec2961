/*
 * What a write may do: the limits of its tenants, and what is said and counted when one is hit.
 *
 * Every check comes before anything is allocated for what it may refuse, and under the lock of the
 * shard, which has all series of a tenant: so limits are exact.
 */
#include "tsdb/store/store_write_impl.h"

#include "base/check.h"

enum { LABELS_SHOWN_BYTES = 200 };

/* ---- refusals ---- */

static struct str shown_labels(const struct shard_write *w, const struct write_series *series)
{
    struct buffer text;
    buffer_init(&text, LABELS_SHOWN_BYTES * 8);
    labels_print(&text, (struct labels){series->labels, series->label_count}, LABELS_SHOWN_BYTES);
    struct str shown = arena_copy(w->arena, buffer_str(&text));
    buffer_deinit(&text);
    return shown;
}

/* True for the first refusal of this reason: the caller then writes the text. */
static bool count_refusal(struct shard_write *w, const struct write_series *series,
                          enum reject_reason reason, uint64_t samples)
{
    bool is_first = w->result->samples_rejected[reason] + w->result->series_rejected[reason] == 0;
    w->result->samples_rejected[reason] += samples;
    counter_add(&series->tenant->samples_rejected, samples);
    counter_add(&series->tenant->samples_rejected_for[reason], samples);
    return is_first;
}

void refuse_sample(struct shard_write *w, const struct write_series *series,
                   enum reject_reason reason, struct sample sample, const char *what)
{
    if (!count_refusal(w, series, reason, 1))
        return;
    struct str labels = shown_labels(w, series);
    error_set(&w->result->first[reason], STATUS_INVALID, "%s: got timestamp %lld for series %.*s",
              what, (long long)sample.ts_ms, STR_ARG(labels));
}

void refuse_labels(struct shard_write *w, const struct write_series *series,
                   const struct error *why)
{
    if (count_refusal(w, series, REJECT_INVALID_LABELS, series->sample_count))
        error_set(&w->result->first[REJECT_INVALID_LABELS], STATUS_INVALID, "%s", why->text);
    w->result->series_rejected[REJECT_INVALID_LABELS]++;
}

/* A limit that a whole series hit. `usage` is a number and what it counts. */
struct hit {
    enum reject_reason reason;
    enum tenant_limit limit;
    uint64_t usage;
    const char *unit;
};

static void refuse_series(struct shard_write *w, const struct write_series *series, struct hit hit)
{
    if (count_refusal(w, series, hit.reason, series->sample_count)) {
        const char *name = tenant_limit_name(hit.limit);
        const char *tenant = series->tenant->id.text;
        struct str labels = shown_labels(w, series);
        error_set(&w->result->first[hit.reason], STATUS_LIMIT,
                  "tenant \"%s\" has %llu %s, limit %s is %llu (to raise it: "
                  "tenants: {%s: {limits: {%s: ...}}}): refused new series %.*s",
                  tenant, (unsigned long long)hit.usage, hit.unit, name,
                  (unsigned long long)tenant_limit(series->tenant, hit.limit), tenant, name,
                  STR_ARG(labels));
    }
    w->result->series_rejected[hit.reason]++;
}

static void note_wait(struct shard_write *w, int64_t wait_ms)
{
    if (wait_ms > w->result->retry_after_ms)
        w->result->retry_after_ms = wait_ms;
}

/* ---- time ---- */

static int64_t duration_of(const struct tenant *tenant, enum tenant_limit limit,
                           int64_t fallback_ms)
{
    return (int64_t)tenant_limit_or(tenant, limit, (uint64_t)fallback_ms);
}

void enter_tenant(struct shard_write *w, const struct write_series *series)
{
    const struct tenant *tenant = series->tenant;
    const struct store_options *options = &w->shard->store->options;
    if (w->bounds.tenant == tenant)
        return;
    w->bounds = (struct write_bounds){
        .tenant = tenant,
        .min_ts_ms = w->now_ms - duration_of(tenant, TENANT_LIMIT_RETENTION, options->retention_ms),
        .max_ts_ms =
            w->now_ms + duration_of(tenant, TENANT_LIMIT_CREATION_GRACE, options->future_max_ms),
        .late_max_ms = duration_of(tenant, TENANT_LIMIT_OUT_OF_ORDER_WINDOW, INT64_MAX)};
}

bool is_in_time(struct shard_write *w, const struct write_series *series, struct sample sample)
{
    if (sample.ts_ms > w->bounds.max_ts_ms) {
        refuse_sample(w, series, REJECT_TOO_FAR_IN_FUTURE, sample, "sample too far in the future");
        return false;
    }
    if (sample.ts_ms < w->bounds.min_ts_ms) {
        refuse_sample(w, series, REJECT_TOO_OLD, sample, "sample older than the retention");
        return false;
    }
    return true;
}

bool has_sample_in_time(struct shard_write *w, const struct write_series *series)
{
    for (uint32_t i = 0; i < series->sample_count; i++) {
        int64_t ts_ms = series->samples[i].ts_ms;
        if (ts_ms >= w->bounds.min_ts_ms && ts_ms <= w->bounds.max_ts_ms)
            return true;
    }
    for (uint32_t i = 0; i < series->sample_count; i++)
        is_in_time(w, series, series->samples[i]);
    return false;
}

bool is_too_late_locked(struct shard_write *w, const struct write_series *series,
                        struct series_ref ref, struct sample sample)
{
    if (w->bounds.late_max_ms == INT64_MAX)
        return false;
    int64_t newest_ms = head_newest_ts_ms(w->shard->head, ref);
    if (newest_ms == INT64_MIN || sample.ts_ms >= newest_ms - w->bounds.late_max_ms)
        return false;
    refuse_sample(w, series, REJECT_OUT_OF_ORDER, sample,
                  "sample further behind the newest of its series than out_of_order_time_window");
    return true;
}

/* ---- series ---- */

bool is_within_limit_locked(struct shard_write *w, const struct write_series *series)
{
    CHECK(rwlock_is_held_write(&w->shard->lock));
    uint64_t usage = counter_get(&series->tenant->active_series);
    if (usage < tenant_limit(series->tenant, TENANT_LIMIT_MAX_SERIES))
        return true;
    refuse_series(w, series,
                  (struct hit){REJECT_MAX_SERIES, TENANT_LIMIT_MAX_SERIES, usage, "active series"});
    return false;
}

static bool is_within_metric_limit_locked(struct shard_write *w, const struct write_series *series,
                                          struct labels labels) REQUIRES(w->shard->lock)
{
    uint64_t limit = tenant_limit(series->tenant, TENANT_LIMIT_MAX_SERIES_PER_METRIC);
    if (limit == TENANT_LIMIT_NONE)
        return true;
    struct label metric = {LABEL_METRIC_NAME, labels_get(labels, LABEL_METRIC_NAME)};
    uint64_t usage = head_label_series_count(w->shard->head, series->tenant, metric);
    if (usage < limit)
        return true;
    refuse_series(w, series,
                  (struct hit){REJECT_MAX_SERIES_PER_METRIC, TENANT_LIMIT_MAX_SERIES_PER_METRIC,
                               usage, "series of this metric"});
    return false;
}

static bool is_within_creation_rate_locked(struct shard_write *w, const struct write_series *series)
    REQUIRES(w->shard->lock)
{
    uint64_t per_second = tenant_limit(series->tenant, TENANT_LIMIT_MAX_NEW_SERIES);
    struct rate_limit limit = {.per_second = per_second, .burst = per_second};
    int64_t wait_ms;
    if (per_second == TENANT_LIMIT_NONE ||
        rate_take(&series->tenant->new_series, &limit, (uint64_t)w->monotonic_ms * 1000000, 1,
                  &wait_ms))
        return true;
    note_wait(w, wait_ms);
    refuse_series(w, series,
                  (struct hit){REJECT_MAX_NEW_SERIES, TENANT_LIMIT_MAX_NEW_SERIES, per_second,
                               "new series in this second"});
    return false;
}

bool may_add_locked(struct shard_write *w, const struct write_series *series, struct labels labels)
{
    return is_within_limit_locked(w, series) && is_within_metric_limit_locked(w, series, labels) &&
           is_within_creation_rate_locked(w, series);
}

bool is_refused_early_locked(struct shard_write *w, const struct write_series *series)
{
    bool is_full = counter_get(&series->tenant->active_series) >=
                   tenant_limit(series->tenant, TENANT_LIMIT_MAX_SERIES);
    return is_full && labels_are_in_order(series->labels, series->label_count) &&
           !is_within_limit_locked(w, series);
}

struct label_limits label_limits_of(const struct shard_write *w, const struct tenant *tenant)
{
    const struct label_limits *most = &w->shard->store->options.label_limits;
    uint64_t labels_max = tenant_limit(tenant, TENANT_LIMIT_MAX_LABEL_NAMES);
    uint64_t name_len_max = tenant_limit(tenant, TENANT_LIMIT_MAX_LABEL_NAME_LEN);
    uint64_t value_len_max = tenant_limit(tenant, TENANT_LIMIT_MAX_LABEL_VALUE_LEN);
    struct label_limits limits = *most;
    if (labels_max < most->labels_max)
        limits.labels_max = (uint32_t)labels_max;
    if (name_len_max < most->name_len_max)
        limits.name_len_max = (uint32_t)name_len_max;
    if (value_len_max < most->value_len_max)
        limits.value_len_max = (uint32_t)value_len_max;
    return limits;
}

/* ---- samples a second ---- */

static void refuse_fast(struct shard_write *w, const struct write_series *series,
                        const struct rate_limit *limit, uint64_t samples)
{
    if (count_refusal(w, series, REJECT_INGESTION_RATE, samples))
        error_set(&w->result->first[REJECT_INGESTION_RATE], STATUS_LIMIT,
                  "tenant \"%s\" sends faster than its limits ingestion_rate of %llu samples a "
                  "second and ingestion_burst_size of %llu: refused %llu samples, send them again",
                  series->tenant->id.text, (unsigned long long)limit->per_second,
                  (unsigned long long)limit->burst, (unsigned long long)samples);
}

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
    struct rate_limit limit = {.per_second = tenant_limit(tenant, TENANT_LIMIT_INGESTION_RATE),
                               .burst = tenant_limit(tenant, TENANT_LIMIT_INGESTION_BURST)};
    int64_t wait_ms;
    if (limit.per_second == TENANT_LIMIT_NONE ||
        rate_take(&tenant->ingestion, &limit, (uint64_t)w->monotonic_ms * 1000000, samples,
                  &wait_ms))
        return true;
    note_wait(w, wait_ms);
    refuse_fast(w, series, &limit, samples);
    return false;
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
