#include "tsdb/wal/wal_batch.h"

#include "base/check.h"
#include "base/mem.h"
#include "tsdb/wal/wal_frame.h"

enum {
    /* A frame ends behind the record that passes this: enough for LZ4 to find what repeats, and a
       small loss when one is damaged. */
    FRAME_TARGET_BYTES = 256 << 10,
};

_Static_assert(FRAME_TARGET_BYTES + WAL_SERIES_BYTES_MAX + 64 <= FRAME_RAW_BYTES_MAX,
               "a frame has room for the largest series behind its target");

struct wal_batch *batch_new(size_t max_bytes)
{
    struct wal_batch *batch = mem_alloc_zeroed(1, sizeof *batch);
    record_writer_init(&batch->writer, max_bytes);
    batch->waiter_end = &batch->first_waiter;
    return batch;
}

void batch_free(struct wal_batch *batch)
{
    if (batch == NULL)
        return;
    record_writer_deinit(&batch->writer);
    mem_free(batch->frame_ends);
    mem_free(batch);
}

void batch_reset(struct wal_batch *batch)
{
    CHECK(batch->first_waiter == NULL);
    buffer_reset(&batch->writer.raw);
    record_writer_begin_frame(&batch->writer);
    batch->next = NULL;
    batch->frame_count = 0;
    batch->frame_offset = 0;
}

static void end_frame(struct wal_batch *batch)
{
    record_writer_end_run(&batch->writer);
    record_writer_begin_frame(&batch->writer);
    batch->frame_ends = mem_grow(batch->frame_ends, &batch->frame_capacity, batch->frame_count + 1,
                                 sizeof *batch->frame_ends);
    batch->frame_offset = batch->writer.raw.len;
    batch->frame_ends[batch->frame_count++] = batch->frame_offset;
}

static inline bool is_frame_full(const struct wal_batch *batch)
{
    return batch->writer.raw.len - batch->frame_offset >= FRAME_TARGET_BYTES;
}

void batch_log_series(struct wal_batch *batch, struct series_ref ref,
                      const struct tenant_id *tenant, struct labels labels)
{
    record_write_series(&batch->writer, ref, tenant, labels);
    if (is_frame_full(batch))
        end_frame(batch);
}

void batch_log_sample(struct wal_batch *batch, struct series_ref ref, struct sample sample)
{
    record_write_sample(&batch->writer, ref, sample);
    if (is_frame_full(batch))
        end_frame(batch);
}

void batch_seal(struct wal_batch *batch)
{
    if (batch->writer.raw.len > batch->frame_offset)
        end_frame(batch);
}

struct bytes batch_frame(const struct wal_batch *batch, size_t index)
{
    size_t begin = index == 0 ? 0 : batch->frame_ends[index - 1];
    return (struct bytes){batch->writer.raw.ptr + begin, batch->frame_ends[index] - begin};
}

void batch_add_waiter(struct wal_batch *batch, struct wal_waiter *waiter)
{
    waiter->next = NULL;
    *batch->waiter_end = waiter;
    batch->waiter_end = &waiter->next;
}

struct wal_waiter *batch_take_waiters(struct wal_batch *batch)
{
    struct wal_waiter *first = batch->first_waiter;
    batch->first_waiter = NULL;
    batch->waiter_end = &batch->first_waiter;
    return first;
}
