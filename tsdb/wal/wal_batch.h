/*
 * wal_batch: records that wait to be written to the log together, and who waits for them.
 *
 * Declarations and samples stand apart; a frame is a piece of each.
 *
 * Invariant:  frame_ends[i] are increasing; what is behind the last of them is the open frame.
 * Threads:    filled and waited for under the log's mutex; once it is sealed its records no longer
 *             change and the committing thread reads them without.
 */
#ifndef CROFT_TSDB_WAL_BATCH_H
#define CROFT_TSDB_WAL_BATCH_H

#include "tsdb/wal/wal_record.h"

struct frame_end {
    size_t series_bytes;
    size_t sample_count;
};

struct wal_batch {
    struct wal_batch *next; /* in the log's queue */
    uint32_t epoch;
    struct buffer series; /* records */
    struct logged_sample *samples;
    size_t sample_count;
    size_t sample_capacity;
    struct frame_end *frame_ends;
    size_t frame_count;
    size_t frame_capacity;
    struct frame_end begin; /* of the open frame */
    struct wal_waiter *first_waiter;
    struct wal_waiter **waiter_end; /* where the next one is linked */
};

/* At most so many bytes of declarations. */
struct wal_batch *batch_new(size_t series_max_bytes);
void batch_free(struct wal_batch *batch);
/* Empty, capacity kept. CHECK: nobody waits. */
void batch_reset(struct wal_batch *batch);

static inline size_t batch_size_bytes(const struct wal_batch *batch)
{
    return batch->series.len + batch->sample_count * sizeof *batch->samples;
}

void batch_log_series(struct wal_batch *batch, struct series_ref ref,
                      const struct tenant_id *tenant, struct labels labels);
void batch_log_sample(struct wal_batch *batch, struct series_ref ref, struct sample sample);
/* Ends the open frame. Nothing is logged afterwards. */
void batch_seal(struct wal_batch *batch);
/* What batch_reset keeps. */
size_t batch_memory_bytes(const struct wal_batch *batch);
/* Appends the records of one frame, 0 <= index < frame_count. */
void batch_encode_frame(const struct wal_batch *batch, size_t index, struct last_values *last,
                        struct buffer *out);

/* `waiter` is kept. */
void batch_add_waiter(struct wal_batch *batch, struct wal_waiter *waiter);
/* The list of all waiters, first come first; nobody waits any more. */
struct wal_waiter *batch_take_waiters(struct wal_batch *batch);

#endif
