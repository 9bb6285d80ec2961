#include "tsdb/head/head_impl.h"

#include "base/mem.h"

/* Open runs, chunk rings and late columns change hands as they are: nothing is encoded or copied
   here, because writers wait meanwhile. */
void head_flush_begin(struct head *head)
{
    CHECK(head->aside == NULL);
    uint32_t slot_count = head->series.slot_count;
    head->aside = mem_alloc(slot_count * sizeof *head->aside);
    head->aside_count = slot_count;
    for (uint32_t ref = 0; ref < slot_count; ref++) {
        struct series *series = slab_at(&head->series, ref);
        head->aside[ref] = (struct aside){.held = HELD_NOTHING};
        if (!series->is_used)
            continue;
        head->aside[ref] = (struct aside){series->held, series->last_ts_ms};
        series->held = HELD_NOTHING;
    }
    chunk_pool_set_aside(&head->chunks);
    open_pool_set_aside(&head->open);
    head->aside_sample_count = head->sample_count;
    head->sample_count = 0;
}

uint32_t head_slot_count(const struct head *head)
{
    return head->series.slot_count;
}

bool head_flush_has(const struct head *head, struct series_ref ref)
{
    return head_aside(head, ref) != NULL;
}

static void end_flush(struct head *head)
{
    mem_free(head->aside);
    head->aside = NULL;
    head->aside_count = 0;
    head->aside_sample_count = 0;
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
        if (series->is_used && !series->is_active && held_is_empty(&series->held))
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
            tenant_index_free(index);
            head->tenants[i] = NULL;
        } else {
            index->is_leaving = true;
        }
    }
}

void head_forget(struct head *head, struct series_ref ref)
{
    CHECK(head->aside == NULL);
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
    CHECK(head->aside != NULL);
    for (uint32_t ref = 0; ref < head->aside_count; ref++) {
        head->aside[ref].held.open = (struct open_run){0}; /* goes with its page */
        held_release(head, &head->aside[ref].held);
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
static void merge_held(struct head *head, struct held *older, struct held *newer)
{
    if (held_is_empty(newer)) {
        *newer = *older;
        *older = HELD_NOTHING;
        return;
    }
    if (newer->open.count > 0 || newer->chunks != CHUNK_REF_NONE)
        held_seal(head, older);
    chunk_pool_join(&head->chunks, &older->chunks, &newer->chunks);
    newer->chunks = older->chunks;
    if (older->open.count > 0) {
        newer->open = older->open;
        older->open = (struct open_run){0};
    }
    const struct columns *late = held_late(head, older);
    if (late != NULL)
        held_merge_late(head, newer, late);
    if (older->min_ts_ms < newer->min_ts_ms)
        newer->min_ts_ms = older->min_ts_ms;
    held_release(head, older);
}

void head_flush_abort(struct head *head)
{
    CHECK(head->aside != NULL);
    open_pool_take_back(&head->open);
    for (uint32_t ref = 0; ref < head->aside_count; ref++) {
        struct held *older = &head->aside[ref].held;
        if (held_is_empty(older))
            continue;
        merge_held(head, older, &head_series(head, (struct series_ref){ref})->held);
    }
    head->sample_count += head->aside_sample_count;
    end_flush(head);
}
