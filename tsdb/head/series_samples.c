#include "tsdb/head/head_impl.h"

/* Each chunk on the way is a wait for memory: who asks for one further on gets an index. */
enum { CHUNKS_WALKED_MAX = 4 };

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

static struct late *get_late(struct head *head, struct series_samples *samples)
{
    if (samples->late == SLAB_REF_NONE) {
        samples->late = slab_take(&head->late);
        late_init(slab_at(&head->late, samples->late));
    }
    return series_samples_late(head, samples);
}

void series_samples_add_late(struct head *head, struct series_samples *samples,
                             struct sample sample)
{
    struct late *late = get_late(head, samples);
    head->late_bytes -= late_memory_bytes(late);
    late_add(late, sample);
    head->late_bytes += late_memory_bytes(late);
}

void series_samples_join_late(struct head *head, struct series_samples *samples,
                              struct series_samples *from)
{
    struct late *more = series_samples_late(head, from);
    if (more == NULL)
        return;
    struct late *late = get_late(head, samples);
    head->late_bytes -= late_memory_bytes(late) + late_memory_bytes(more);
    late_join(late, more);
    head->late_bytes += late_memory_bytes(late) + late_memory_bytes(more);
}

const struct sealed_chunk *series_samples_chunk_at(struct head *head,
                                                   struct series_samples *samples, int64_t ts_ms)
{
    struct late *late = series_samples_late(head, samples);
    const struct sealed_chunk *found = NULL;
    size_t walk_max = late != NULL && late->chunk_count > 0 ? 0 : CHUNKS_WALKED_MAX;
    uint32_t ref = samples->chunks;
    for (size_t walked = 0; ref != CHUNK_REF_NONE && walked < walk_max; walked++) {
        ref = chunk_pool_at(&head->chunks, ref)->next;
        const struct sealed_chunk *chunk = chunk_pool_at(&head->chunks, ref);
        if (chunk_min_ts_ms(sealed_bytes(chunk)) > ts_ms)
            return found;
        if (ref == samples->chunks)
            return chunk;
        found = chunk;
    }
    if (ref == CHUNK_REF_NONE)
        return NULL;
    late = get_late(head, samples);
    head->late_bytes -= late_memory_bytes(late);
    found = late_find_chunk(late, &head->chunks, samples->chunks, ts_ms);
    head->late_bytes += late_memory_bytes(late);
    return found;
}

void series_samples_release(struct head *head, struct series_samples *samples)
{
    open_run_release(&head->open, &samples->open);
    struct late *late = series_samples_late(head, samples);
    if (late != NULL) {
        head->late_bytes -= late_memory_bytes(late);
        late_deinit(late);
        slab_give(&head->late, samples->late);
    }
    *samples = SERIES_SAMPLES_NONE;
}
