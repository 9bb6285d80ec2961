#include "tsdb/head/head_impl.h"

void held_seal(struct head *head, struct held *held)
{
    if (held->open.count == 0)
        return;
    struct columns *samples = &head->decoding;
    columns_reset(samples);
    open_run_read(&head->open, &held->open, samples);
    buffer_reset(&head->encoding);
    chunk_encode(&head->encoding, &head->times, samples->ts_ms, samples->values, samples->count);
    chunk_pool_add(&head->chunks, &held->chunks, buffer_bytes(&head->encoding));
    open_run_release(&head->open, &held->open);
}

static size_t columns_bytes(const struct columns *columns)
{
    return columns->capacity * (sizeof *columns->ts_ms + sizeof *columns->values);
}

void held_merge_late(struct head *head, struct held *held, const struct columns *samples)
{
    if (held->late == SLAB_REF_NONE) {
        held->late = slab_take(&head->late);
        columns_init(slab_at(&head->late, held->late));
    }
    struct columns *late = held_late(head, held);
    head->late_bytes -= columns_bytes(late);
    columns_merge(late, samples);
    head->late_bytes += columns_bytes(late);
}

void held_release(struct head *head, struct held *held)
{
    open_run_release(&head->open, &held->open);
    struct columns *late = held_late(head, held);
    if (late != NULL) {
        head->late_bytes -= columns_bytes(late);
        columns_deinit(late);
        slab_give(&head->late, held->late);
    }
    *held = HELD_NOTHING;
}
