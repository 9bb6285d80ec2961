#include "tsdb/head/head_impl.h"

void series_samples_seal(struct head *head, struct series_samples *samples)
{
    if (samples->open.count == 0)
        return;
    struct columns *decoded = &head->decoding;
    columns_reset(decoded);
    open_run_read(&head->open, &samples->open, decoded);
    buffer_reset(&head->encoding);
    chunk_encode(&head->encoding, &head->times, decoded->ts_ms, decoded->values, decoded->count);
    chunk_pool_add(&head->chunks, &samples->chunks, buffer_bytes(&head->encoding));
    open_run_release(&head->open, &samples->open);
}

static size_t columns_bytes(const struct columns *columns)
{
    return columns->capacity * (sizeof *columns->ts_ms + sizeof *columns->values);
}

void series_samples_merge_late(struct head *head, struct series_samples *samples,
                               const struct columns *more)
{
    if (samples->late == SLAB_REF_NONE) {
        samples->late = slab_take(&head->late);
        columns_init(slab_at(&head->late, samples->late));
    }
    struct columns *late = series_samples_late(head, samples);
    head->late_bytes -= columns_bytes(late);
    columns_merge(late, more);
    head->late_bytes += columns_bytes(late);
}

void series_samples_release(struct head *head, struct series_samples *samples)
{
    open_run_release(&head->open, &samples->open);
    struct columns *late = series_samples_late(head, samples);
    if (late != NULL) {
        head->late_bytes -= columns_bytes(late);
        columns_deinit(late);
        slab_give(&head->late, samples->late);
    }
    *samples = SERIES_SAMPLES_NONE;
}
