#include "tsdb/wal/wal_batch.h"

#include "base/check.h"
#include "base/mem.h"
#include "tsdb/wal/wal_frame.h"

enum {
    /* A frame ends behind the declaration that passes this, or when it has a record full of
       samples: enough for LZ4 to find what repeats, and a small loss when one is damaged. */
    FRAME_SERIES_BYTES = 256 << 10,
    /* ref, timestamp, bit, code and value */
    SAMPLE_BYTES_MAX = 2 * VARINT_BYTES_MAX + 2 * VARINT_BYTES_MAX + 1 + 1 + 8,
};

_Static_assert(FRAME_SERIES_BYTES + WAL_SERIES_BYTES_MAX +
                       SAMPLE_RECORD_COUNT_MAX * SAMPLE_BYTES_MAX + 64 <=
                   FRAME_RAW_BYTES_MAX,
               "a frame has room for the largest series behind its target, and for all samples");

struct wal_batch *batch_new(size_t series_max_bytes)
{
    struct wal_batch *batch = mem_alloc_zeroed(1, sizeof *batch);
    buffer_init(&batch->series, series_max_bytes);
    batch->waiter_end = &batch->first_waiter;
    return batch;
}

void batch_free(struct wal_batch *batch)
{
    if (batch == NULL)
        return;
    buffer_deinit(&batch->series);
    mem_free(batch->samples);
    mem_free(batch->frame_ends);
    mem_free(batch);
}

void batch_reset(struct wal_batch *batch)
{
    CHECK(batch->first_waiter == NULL);
    buffer_reset(&batch->series);
    batch->sample_count = 0;
    batch->next = NULL;
    batch->frame_count = 0;
    batch->begin = (struct frame_end){0};
}

size_t batch_memory_bytes(const struct wal_batch *batch)
{
    return batch->series.capacity + batch->sample_capacity * sizeof *batch->samples;
}

static void end_frame(struct wal_batch *batch)
{
    batch->begin = (struct frame_end){batch->series.len, batch->sample_count};
    batch->frame_ends = mem_grow(batch->frame_ends, &batch->frame_capacity, batch->frame_count + 1,
                                 sizeof *batch->frame_ends);
    batch->frame_ends[batch->frame_count++] = batch->begin;
}

void batch_log_series(struct wal_batch *batch, struct series_ref ref,
                      const struct tenant_id *tenant, struct labels labels)
{
    record_write_series(&batch->series, ref, tenant, labels);
    if (batch->series.len - batch->begin.series_bytes >= FRAME_SERIES_BYTES)
        end_frame(batch);
}

void batch_log_sample(struct wal_batch *batch, struct series_ref ref, struct sample sample)
{
    batch->samples = mem_grow(batch->samples, &batch->sample_capacity, batch->sample_count + 1,
                              sizeof *batch->samples);
    batch->samples[batch->sample_count++] = (struct logged_sample){sample, ref};
    if (batch->sample_count - batch->begin.sample_count == SAMPLE_RECORD_COUNT_MAX)
        end_frame(batch);
}

void batch_seal(struct wal_batch *batch)
{
    if (batch->series.len > batch->begin.series_bytes ||
        batch->sample_count > batch->begin.sample_count)
        end_frame(batch);
}

void batch_encode_frame(const struct wal_batch *batch, size_t index, struct last_values *last,
                        struct buffer *out)
{
    struct frame_end begin = index == 0 ? (struct frame_end){0} : batch->frame_ends[index - 1];
    struct frame_end end = batch->frame_ends[index];
    buffer_append(out, batch->series.ptr + begin.series_bytes,
                  end.series_bytes - begin.series_bytes);
    if (end.sample_count > begin.sample_count)
        record_write_samples(out, last, batch->samples + begin.sample_count,
                             end.sample_count - begin.sample_count);
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
