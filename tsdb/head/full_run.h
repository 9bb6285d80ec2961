/*
 * full_run: a copy of the open samples of a series to which no more fit, so that they can be
 * encoded away from the head, by another thread.
 *
 *     head_append_logged ─► full_run_encode ─► head_adopt_chunk
 *
 * The series keeps its samples until the chunk takes their place, and is as free in between as
 * ever: if it has sealed them itself by then, the chunk is not needed. Only a flush may neither
 * begin nor end in between.
 *
 * Threads:    full_run_encode needs no lock; the other two are calls of the head.
 */
#ifndef CROFT_TSDB_FULL_RUN_H
#define CROFT_TSDB_FULL_RUN_H

#include "base/buffer.h"
#include "tsdb/head/head.h"
#include "tsdb/head/open_run.h"

struct full_run {
    int64_t base_ts_ms;
    struct series_ref ref;
    uint16_t chunk_len; /* bytes that full_run_encode has appended */
    struct open_sample samples[OPEN_RUN_COUNT_MAX];
};

/* Ownership: the caller owns the struct; it owns `ptr`, and keeps it when `count` is set to 0. */
struct full_runs {
    struct full_run *ptr;
    size_t count;
    size_t capacity;
};

/* Appends the samples one after the other, and adds each run that is full then to `full`. Moves the
   samples that the head took to the front of the array; returns how many. CHECK: all their series
   are active. */
size_t head_append_logged(struct head *head, struct logged_sample *samples, size_t count,
                          int64_t now_ms, struct full_runs *full);
/* Appends the chunk of the samples; `latest` as for chunk_encode. */
void full_run_encode(struct full_run *run, struct chunk_times *latest, struct buffer *out);
/* `chunk` is what full_run_encode has appended for `run`. */
void head_adopt_chunk(struct head *head, const struct full_run *run, struct bytes chunk);

#endif
