#include "tsdb/store/thinned_series.h"

static enum status read_all(const struct thinned_series *s, const struct block_range *range,
                            struct columns *out, struct error *err)
{
    return block_read(s->block, s->tenant, s->series, range, out, err);
}

enum status thinned_series_read(const struct thinned_series *series,
                                const struct block_range *range, struct columns *out,
                                struct error *err)
{
    if (series->deleted.count == 0)
        return read_all(series, range, out, err);
    struct columns kept;
    columns_init(&kept);
    enum status status = read_all(series, range, &kept, err);
    if (status == STATUS_OK) {
        spans_cut(series->deleted, &kept);
        columns_merge(out, &kept);
    }
    columns_deinit(&kept);
    return status;
}

static bool reads_nothing(const struct thinned_series *series, const struct block_range *range)
{
    struct columns left;
    struct error err;
    columns_init(&left);
    enum status status = thinned_series_read(series, range, &left, &err);
    bool is_empty = status == STATUS_OK && left.count == 0;
    columns_deinit(&left);
    return is_empty;
}

bool thinned_series_is_empty(const struct thinned_series *series, const struct block_range *range)
{
    int64_t min_ts_ms, max_ts_ms;
    struct error err;
    if (series->deleted.count == 0 ||
        block_time_range(series->block, series->tenant, series->series, &min_ts_ms, &max_ts_ms,
                         &err) != STATUS_OK)
        return false;
    bool begins_before = min_ts_ms < range->min_ts_ms;
    if (begins_before)
        min_ts_ms = range->min_ts_ms;
    if (max_ts_ms > range->max_ts_ms)
        max_ts_ms = range->max_ts_ms;
    if (spans_cover(series->deleted, min_ts_ms, max_ts_ms))
        return true;
    bool may_be_empty = spans_cover(series->deleted, max_ts_ms, max_ts_ms) &&
                        (begins_before || spans_cover(series->deleted, min_ts_ms, min_ts_ms));
    return may_be_empty && reads_nothing(series, range);
}
