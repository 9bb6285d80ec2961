/*
 * What a write may do: the limits that look at one sample, or at the labels of one series.
 */
#include "tsdb/store/store_write_impl.h"

/* ---- time ---- */

static int64_t duration_of(const struct tenant *tenant, enum tenant_limit_mode mode,
                           enum tenant_limit limit, int64_t fallback_ms)
{
    uint64_t max = tenant_limit_in(tenant, mode, limit);
    return max == TENANT_LIMIT_NONE ? fallback_ms : (int64_t)max;
}

/* The store's bounds hold where the tenant has none; a soft one or dry run it may have or not. */
static struct time_bounds bounds_of(const struct shard_write *w, const struct tenant *tenant,
                                    enum tenant_limit_mode mode)
{
    const struct store_options *options = &w->shard->store->options;
    bool is_hard = mode == LIMIT_HARD;
    int64_t past_max_ms = duration_of(tenant, mode, TENANT_LIMIT_RETENTION,
                                      is_hard ? options->retention_ms : INT64_MAX);
    int64_t future_max_ms = duration_of(tenant, mode, TENANT_LIMIT_CREATION_GRACE,
                                        is_hard ? options->future_max_ms : INT64_MAX);
    return (struct time_bounds){
        .min_ts_ms = past_max_ms == INT64_MAX ? INT64_MIN : w->now_ms - past_max_ms,
        .max_ts_ms = future_max_ms == INT64_MAX ? INT64_MAX : w->now_ms + future_max_ms,
        .late_max_ms = duration_of(tenant, mode, TENANT_LIMIT_OUT_OF_ORDER_WINDOW, INT64_MAX)};
}

static void tighten(struct time_bounds *all, const struct time_bounds *by)
{
    if (by->min_ts_ms > all->min_ts_ms)
        all->min_ts_ms = by->min_ts_ms;
    if (by->max_ts_ms < all->max_ts_ms)
        all->max_ts_ms = by->max_ts_ms;
    if (by->late_max_ms < all->late_max_ms)
        all->late_max_ms = by->late_max_ms;
}

void enter_tenant(struct shard_write *w, const struct write_series *series)
{
    struct write_bounds *bounds = &w->bounds;
    if (bounds->tenant == series->tenant)
        return;
    count_written(w);
    bounds->tenant = series->tenant;
    bounds->all = bounds->of[LIMIT_HARD] = bounds_of(w, series->tenant, LIMIT_HARD);
    for (enum tenant_limit_mode mode = LIMIT_SOFT; mode < LIMIT_MODE_COUNT; mode++) {
        bounds->of[mode] = bounds_of(w, series->tenant, mode);
        tighten(&bounds->all, &bounds->of[mode]);
    }
}

/* From the one to the other, which is not before it; both may be anything. */
static uint64_t elapsed_ms(int64_t from_ms, int64_t to_ms)
{
    return (uint64_t)to_ms - (uint64_t)from_ms;
}

bool is_in_time(struct shard_write *w, const struct write_series *series, struct sample sample)
{
    const struct time_bounds *hard = &w->bounds.of[LIMIT_HARD];
    if (sample.ts_ms > hard->max_ts_ms) {
        const struct time_hit hit = {.reason = REFUSAL_TOO_FAR_IN_FUTURE,
                                     .limit = TENANT_LIMIT_CREATION_GRACE,
                                     .what = "too far in the future",
                                     .from = "ahead of the clock",
                                     .by_ms = elapsed_ms(w->now_ms, sample.ts_ms),
                                     .max_ms = hard->max_ts_ms - w->now_ms};
        refuse_time(w, series, sample, &hit);
        return false;
    }
    if (sample.ts_ms < hard->min_ts_ms) {
        const struct time_hit hit = {.reason = REFUSAL_TOO_OLD,
                                     .limit = TENANT_LIMIT_RETENTION,
                                     .what = "older than the retention",
                                     .from = "behind the clock",
                                     .by_ms = elapsed_ms(sample.ts_ms, w->now_ms),
                                     .max_ms = w->now_ms - hard->min_ts_ms};
        refuse_time(w, series, sample, &hit);
        return false;
    }
    return true;
}

void note_time(const struct shard_write *w, int64_t ts_ms)
{
    const struct write_bounds *bounds = &w->bounds;
    if (ts_ms >= bounds->all.min_ts_ms && ts_ms <= bounds->all.max_ts_ms)
        return;
    tenant_note_taken(bounds->tenant, TENANT_LIMIT_CREATION_GRACE,
                      ts_ms > bounds->of[LIMIT_SOFT].max_ts_ms,
                      ts_ms > bounds->of[LIMIT_DRY_RUN].max_ts_ms, w->monotonic_ms);
    tenant_note_taken(bounds->tenant, TENANT_LIMIT_RETENTION,
                      ts_ms < bounds->of[LIMIT_SOFT].min_ts_ms,
                      ts_ms < bounds->of[LIMIT_DRY_RUN].min_ts_ms, w->monotonic_ms);
}

bool has_sample_in_time(struct shard_write *w, const struct write_series *series)
{
    const struct time_bounds *hard = &w->bounds.of[LIMIT_HARD];
    for (uint32_t i = 0; i < series->sample_count; i++) {
        int64_t ts_ms = series->samples[i].ts_ms;
        if (ts_ms >= hard->min_ts_ms && ts_ms <= hard->max_ts_ms)
            return true;
    }
    for (uint32_t i = 0; i < series->sample_count; i++)
        is_in_time(w, series, series->samples[i]);
    return false;
}

bool is_too_late_locked(struct shard_write *w, const struct write_series *series,
                        struct series_ref ref, struct sample sample)
{
    const struct write_bounds *bounds = &w->bounds;
    if (bounds->all.late_max_ms == INT64_MAX)
        return false;
    int64_t newest_ms = head_newest_ts_ms(w->shard->head, ref);
    if (newest_ms == INT64_MIN || sample.ts_ms >= newest_ms - bounds->all.late_max_ms)
        return false;
    int64_t late_ms = newest_ms - sample.ts_ms;
    if (late_ms > bounds->of[LIMIT_HARD].late_max_ms) {
        const struct time_hit hit = {.reason = REFUSAL_OUT_OF_ORDER,
                                     .limit = TENANT_LIMIT_OUT_OF_ORDER_WINDOW,
                                     .what = "out of order",
                                     .from = "behind the newest of the series",
                                     .by_ms = (uint64_t)late_ms,
                                     .max_ms = bounds->of[LIMIT_HARD].late_max_ms};
        refuse_time(w, series, sample, &hit);
        return true;
    }
    tenant_note_taken(series->tenant, TENANT_LIMIT_OUT_OF_ORDER_WINDOW,
                      late_ms > bounds->of[LIMIT_SOFT].late_max_ms,
                      late_ms > bounds->of[LIMIT_DRY_RUN].late_max_ms, w->monotonic_ms);
    return false;
}

/* ---- labels ---- */

static uint32_t lower_of(uint32_t most, uint64_t own)
{
    return own < most ? (uint32_t)own : most;
}

/* Within those of the store and those of the tenant. */
static struct label_limits label_limits_of(const struct shard_write *w, const struct tenant *tenant)
{
    const struct label_limits *most = &w->shard->store->options.label_limits;
    return (struct label_limits){
        .labels_max =
            lower_of(most->labels_max, tenant_limit(tenant, TENANT_LIMIT_MAX_LABEL_NAMES)),
        .name_len_max =
            lower_of(most->name_len_max, tenant_limit(tenant, TENANT_LIMIT_MAX_LABEL_NAME_LEN)),
        .value_len_max =
            lower_of(most->value_len_max, tenant_limit(tenant, TENANT_LIMIT_MAX_LABEL_VALUE_LEN))};
}

/* The one that labels_canonicalise met first when it gave STATUS_LIMIT. */
static enum tenant_limit first_beyond(struct labels labels, const struct label_limits *limits)
{
    for (size_t i = 0; i < labels.count; i++) {
        if (labels.ptr[i].name.len > limits->name_len_max)
            return TENANT_LIMIT_MAX_LABEL_NAME_LEN;
        if (labels.ptr[i].value.len > limits->value_len_max)
            return TENANT_LIMIT_MAX_LABEL_VALUE_LEN;
    }
    return TENANT_LIMIT_MAX_LABEL_NAMES;
}

bool has_good_labels(struct shard_write *w, const struct write_series *series, struct labels given,
                     struct labels *canonical)
{
    struct error why;
    const struct label_limits limits = label_limits_of(w, series->tenant);
    enum status status =
        labels_canonicalise(given.ptr, given.count, &limits, w->arena, canonical, &why);
    if (status == STATUS_LIMIT)
        refuse_label_limit(w, series, first_beyond(given, &limits), &why);
    else if (status != STATUS_OK)
        refuse_labels(w, series, &why);
    return status == STATUS_OK;
}

void note_labels(const struct shard_write *w, struct tenant *tenant, struct labels labels)
{
    size_t name_len = 0, value_len = 0;
    for (size_t i = 0; i < labels.count; i++) {
        name_len = labels.ptr[i].name.len > name_len ? labels.ptr[i].name.len : name_len;
        value_len = labels.ptr[i].value.len > value_len ? labels.ptr[i].value.len : value_len;
    }
    const struct {
        enum tenant_limit limit;
        size_t usage;
    } rows[] = {{TENANT_LIMIT_MAX_LABEL_NAMES, labels.count},
                {TENANT_LIMIT_MAX_LABEL_NAME_LEN, name_len},
                {TENANT_LIMIT_MAX_LABEL_VALUE_LEN, value_len}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        tenant_note_part(tenant, rows[i].limit, rows[i].usage, w->monotonic_ms);
}
