/*
 * sample: a timestamp and a float64; columns of them.
 *
 * Units:      ts_ms is milliseconds since the Unix epoch, any int64.
 * Invariant:  in `struct columns` ts_ms is strictly increasing.
 */
#ifndef CROFT_TSDB_SAMPLE_H
#define CROFT_TSDB_SAMPLE_H

#include "base/codec.h"

struct sample {
    int64_t ts_ms;
    double value;
};

/* The NaN that says "this series has ended" (Prometheus, model/value). Never compare as a
   double. */
#define STALE_NAN_BITS UINT64_C(0x7ff0000000000002)

static inline bool sample_is_stale(double value)
{
    return f64_bits(value) == STALE_NAN_BITS;
}

/* Samples of one series as two arrays of the same length; owns both (base/mem). */
struct columns {
    int64_t *ts_ms;
    double *values;
    size_t count;
    size_t capacity;
};

void columns_init(struct columns *columns);
void columns_deinit(struct columns *columns);
/* Empty, capacity kept. */
void columns_reset(struct columns *columns);
/* Makes room for `more` samples behind the present ones. */
void columns_reserve(struct columns *columns, size_t more);
void columns_append(struct columns *columns, int64_t ts_ms, double value);
/* The position of the first sample at or after `ts_ms`, `count` when there is none. */
size_t columns_find(const struct columns *columns, int64_t ts_ms);
/* Adds the samples of `from` so that the result is sorted; where both have a timestamp the one that
   `columns` already has stays. */
void columns_merge(struct columns *columns, const struct columns *from);
/* Keeps only min_ts_ms <= ts_ms <= max_ts_ms. */
void columns_clip(struct columns *columns, int64_t min_ts_ms, int64_t max_ts_ms);

#endif
