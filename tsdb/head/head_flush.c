#include "tsdb/head/head_impl.h"

#include "base/mem.h"

/* Open runs, chunk rings and late samples change hands as they are: nothing is encoded or copied
   here, because writers wait meanwhile. */
void head_flush_begin(struct head *head)
{
    CHECK(head->flushing == NULL);
    uint32_t slot_count = head->series.slot_count;
    head->flushing = mem_alloc(slot_count * sizeof *head->flushing);
    head->flushing_count = slot_count;
    for (uint32_t ref = 0; ref < slot_count; ref++) {
        struct series *series = slab_at(&head->series, ref);
        head->flushing[ref] = (struct flushing_series){.samples = SERIES_SAMPLES_NONE};
        if (!series->is_used)
            continue;
        head->flushing[ref] = (struct flushing_series){series->samples, series->last_ts_ms};
        series->samples = SERIES_SAMPLES_NONE;
    }
    chunk_pool_set_aside(&head->chunks);
    open_pool_set_aside(&head->open);
    head->flushing_sample_count = head->sample_count;
    head->sample_count = 0;
}

uint32_t head_slot_count(const struct head *head)
{
    return head->series.slot_count;
}

bool head_flush_has(const struct head *head, struct series_ref ref)
{
    return head_flushing(head, ref) != NULL;
}

static void end_flush(struct head *head)
{
    mem_free(head->flushing);
    head->flushing = NULL;
    head->flushing_count = 0;
    head->flushing_sample_count = 0;
}

/* Who read the refs of these before the last head_flush_end is gone. */
static void reuse_retired(struct head *head)
{
    for (size_t i = 0; i < head->retired_count; i++)
        slab_give(&head->series, head->retired[i]);
    head->retired_count = 0;
}

static void remove_unused(struct head *head)
{
    for (uint32_t ref = 0; ref < head->series.slot_count; ref++) {
        const struct series *series = slab_at(&head->series, ref);
        if (series->is_used && !series->is_active && series_samples_is_empty(&series->samples))
            head_remove(head, (struct series_ref){ref});
    }
}

/* Who reads the texts of an index began when it had series: at the end of the flush after the one
   that removed the last of them nobody does. */
static void drop_empty_tenants(struct head *head)
{
    for (size_t i = 0; i < head->tenant_capacity; i++) {
        struct tenant_index *index = head->tenants[i];
        if (index == NULL || !postings_is_empty(&index->all_series))
            continue;
        if (index->is_leaving) {
            head->index_bytes -= tenant_index_memory_bytes(index);
            tenant_index_free(index);
            head->tenants[i] = NULL;
        } else {
            index->is_leaving = true;
        }
    }
}

void head_forget(struct head *head, struct series_ref ref)
{
    CHECK(head->flushing == NULL);
    head_deactivate(head, ref);
    head_remove(head, ref);
}

/* Not the series: a ref to one that was removed may still be read. */
static void shrink(struct head *head)
{
    pair_pool_shrink(&head->pairs);
    slab_shrink(&head->late);
}

void head_flush_end(struct head *head)
{
    CHECK(head->flushing != NULL);
    for (uint32_t ref = 0; ref < head->flushing_count; ref++) {
        head->flushing[ref].samples.open = (struct open_run){0}; /* goes with its page */
        series_samples_release(head, &head->flushing[ref].samples);
    }
    chunk_pool_drop_aside(&head->chunks);
    open_pool_drop_aside(&head->open);
    end_flush(head);
    reuse_retired(head);
    remove_unused(head);
    drop_empty_tenants(head);
    shrink(head);
}

/* Puts `newer` behind `older`, all in order; `newer` becomes the whole. */
static void merge_samples(struct head *head, struct series_samples *older,
                          struct series_samples *newer)
{
    if (series_samples_is_empty(newer)) {
        *newer = *older;
        *older = SERIES_SAMPLES_NONE;
        return;
    }
    if (newer->open.count > 0 || newer->chunks != CHUNK_REF_NONE)
        series_samples_seal(head, older);
    chunk_pool_join(&head->chunks, &older->chunks, &newer->chunks);
    newer->chunks = older->chunks;
    struct late *late = series_samples_late(head, newer);
    if (late != NULL)
        late_forget_chunks(late);
    if (older->open.count > 0) {
        newer->open = older->open;
        older->open = (struct open_run){0};
    }
    series_samples_join_late(head, newer, older);
    if (older->min_ts_ms < newer->min_ts_ms)
        newer->min_ts_ms = older->min_ts_ms;
    series_samples_release(head, older);
}

void head_flush_abort(struct head *head)
{
    CHECK(head->flushing != NULL);
    open_pool_take_back(&head->open);
    for (uint32_t ref = 0; ref < head->flushing_count; ref++) {
        struct series_samples *older = &head->flushing[ref].samples;
        if (series_samples_is_empty(older))
            continue;
        merge_samples(head, older, &head_series(head, (struct series_ref){ref})->samples);
    }
    head->sample_count += head->flushing_sample_count;
    end_flush(head);
}
