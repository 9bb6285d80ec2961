/*
 * A selection gathers one item for each place where a matching series lives (the head, a block),
 * sorts the items by labels, and makes one series of those that are the same series of the same
 * tenant:
 *
 *     items     {labels a, head}  {labels a, block 7}  {labels b, block 7}  {labels b, block 9} ...
 *     series    └────── a: items 0-1 ──────┘           └────── b: items 2-3 ──────┘
 */
#include "tsdb/store/select.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "tsdb/store/select_scope.h"
#include "tsdb/store/store_impl.h"

/* How many series are looked at between two looks at the cancel flag. */
enum { CANCEL_EVERY = 4096 };

/* A shard that this selection reads: what it must give back at the end. */
struct held_shard {
    struct shard *shard;
    uint32_t generation;
    struct block **blocks; /* that overlap the time range, oldest first; one reference each */
    size_t block_count;
    struct deletions *deletions; /* one reference */
    bool is_held;
};

struct item {
    struct labels labels;
    const struct tenant_part *part;
    struct shard *shard;
    struct block *block; /* NULL: the head */
    size_t block_tenant;
    uint32_t position; /* series in the block, or ref in the head */
    uint32_t age;      /* blocks oldest first, the head last: the first written sample wins */
    struct span_list deleted; /* of what the block has */
};

struct selected {
    uint32_t first_item;
    uint32_t item_count;
};

struct selection {
    struct store *store;
    const struct select_options *options;
    int64_t min_ts_ms; /* of the options, less what the longest retention of a tenant hides */
    struct arena arena;
    struct held_shard *held; /* one per shard of the store */
    struct item *items;      /* base/mem */
    size_t item_count;
    size_t item_capacity;
    struct selected *series;
    size_t series_count;
    struct timeline_cache timelines; /* of the blocks */
};

/* ---- shards ---- */

static void hold_blocks_locked(struct selection *s, struct held_shard *held)
    REQUIRES_SHARED(held->shard->lock)
{
    struct shard *shard = held->shard;
    held->deletions = shard->deletions;
    deletions_acquire(held->deletions);
    held->blocks = arena_alloc(&s->arena, shard->block_count * sizeof *held->blocks);
    for (size_t i = 0; i < shard->block_count; i++) {
        const struct block_meta *meta = block_meta(shard->blocks[i]);
        if (meta->max_ts_ms < s->min_ts_ms || meta->min_ts_ms > s->options->max_ts_ms)
            continue;
        block_acquire(shard->blocks[i]);
        held->blocks[held->block_count++] = shard->blocks[i];
    }
}

/* The guard is entered before the blocks are listed, so a flush that ends later waits for us. */
static struct held_shard *hold_shard(struct selection *s, uint32_t number)
{
    struct held_shard *held = &s->held[number];
    if (held->is_held)
        return held;
    held->shard = &s->store->shards[number];
    held->is_held = true;
    held->generation = read_guard_enter(&held->shard->guard);
    rwlock_lock_read(&held->shard->lock);
    hold_blocks_locked(s, held);
    rwlock_unlock_read(&held->shard->lock);
    return held;
}

static void release_shards(struct selection *s)
{
    for (uint32_t i = 0; i < s->store->shard_count; i++) {
        struct held_shard *held = &s->held[i];
        if (!held->is_held)
            continue;
        for (size_t b = 0; b < held->block_count; b++)
            block_release(held->blocks[b]);
        deletions_release(held->deletions);
        read_guard_leave(&held->shard->guard, held->generation);
    }
}

/* ---- items ---- */

static enum status check_cancel(const struct selection *s, struct error *err)
{
    const struct select_options *options = s->options;
    if (options->cancel != NULL && s->item_count % CANCEL_EVERY == 0 &&
        flag_is_set(options->cancel))
        return error_set(err, STATUS_CANCELLED, "select: cancelled");
    return STATUS_OK;
}

static enum status add_item(struct selection *s, struct item item, struct labels stored,
                            struct error *err)
{
    TRY(check_cancel(s, err));
    if (!scope_labels(item.part, s->store->options.tenant_label, stored, &s->arena, &item.labels))
        return STATUS_OK;
    s->items = mem_grow(s->items, &s->item_capacity, s->item_count + 1, sizeof *s->items);
    s->items[s->item_count++] = item;
    return STATUS_OK;
}

static bool is_wanted_locked(const struct selection *s, const struct tenant_part *part,
                             struct shard *shard, struct series_ref ref)
    REQUIRES_SHARED(shard->lock)
{
    int64_t min_ts_ms, max_ts_ms;
    if (s->options->source != SELECT_STORED)
        return s->options->source == SELECT_IN_MEMORY || head_is_active(shard->head, ref);
    head_time_range(shard->head, ref, &min_ts_ms, &max_ts_ms);
    return max_ts_ms >= part->min_ts_ms && min_ts_ms <= s->options->max_ts_ms;
}

static enum status add_head_locked(struct selection *s, const struct tenant_part *part,
                                   struct shard *shard, struct error *err)
    REQUIRES_SHARED(shard->lock)
{
    struct ref_list refs;
    TRY(head_select(shard->head, part->tenant, part->matchers, part->matcher_count, &s->arena,
                    &refs, err));
    for (size_t i = 0; i < refs.count; i++) {
        if (!is_wanted_locked(s, part, shard, refs.ptr[i]))
            continue;
        struct item item = {
            .part = part, .shard = shard, .position = refs.ptr[i].value, .age = UINT32_MAX};
        TRY(add_item(s, item, head_labels(shard->head, refs.ptr[i], &s->arena), err));
    }
    return STATUS_OK;
}

static enum status add_from_block(struct selection *s, const struct deletions *deletions,
                                  struct item item, struct error *err)
{
    struct labels stored;
    int64_t min_ts_ms, max_ts_ms;
    TRY(block_time_range(item.block, item.block_tenant, item.position, &min_ts_ms, &max_ts_ms,
                         err));
    if (min_ts_ms < item.part->min_ts_ms)
        min_ts_ms = item.part->min_ts_ms;
    if (max_ts_ms > s->options->max_ts_ms)
        max_ts_ms = s->options->max_ts_ms;
    if (min_ts_ms > max_ts_ms)
        return STATUS_OK;
    TRY(block_labels(item.block, item.block_tenant, item.position, &s->arena, &stored, err));
    if (deletions->count > 0)
        item.deleted =
            deletions_of_series(deletions, block_meta(item.block)->sequence,
                                tenant_id_str(&item.part->tenant->id), stored, &s->arena);
    if (spans_cover(item.deleted, min_ts_ms, max_ts_ms))
        return STATUS_OK;
    return add_item(s, item, stored, err);
}

static enum status add_block(struct selection *s, const struct tenant_part *part,
                             struct held_shard *held, uint32_t age, struct error *err)
{
    struct block *block = held->blocks[age];
    size_t tenant;
    if (!block_find_tenant(block, tenant_id_str(&part->tenant->id), &tenant))
        return STATUS_OK;
    uint32_t *found;
    size_t count;
    TRY(block_select(block, tenant, part->matchers, part->matcher_count, &s->arena, &found, &count,
                     err));
    for (size_t i = 0; i < count; i++) {
        struct item item = {.part = part,
                            .shard = held->shard,
                            .block = block,
                            .block_tenant = tenant,
                            .position = found[i],
                            .age = age};
        TRY(add_from_block(s, held->deletions, item, err));
    }
    return STATUS_OK;
}

static enum status add_part(struct selection *s, const struct tenant_part *part, struct error *err)
{
    struct held_shard *held = hold_shard(s, part->tenant->shard);
    rwlock_lock_read(&held->shard->lock);
    enum status status = add_head_locked(s, part, held->shard, err);
    rwlock_unlock_read(&held->shard->lock);
    TRY(status);
    for (size_t i = 0; i < held->block_count && s->options->source == SELECT_STORED; i++)
        TRY(add_block(s, part, held, (uint32_t)i, err));
    return STATUS_OK;
}

/* ---- series ---- */

static int compare_items(const void *left, const void *right)
{
    const struct item *a = left, *b = right;
    int order = labels_compare(a->labels, b->labels);
    if (order != 0)
        return order;
    if (a->part != b->part)
        return a->part < b->part ? -1 : 1;
    return (a->age > b->age) - (a->age < b->age);
}

static bool is_same_series(const struct item *a, const struct item *b)
{
    return a->part == b->part && labels_eq(a->labels, b->labels);
}

static enum status group_items(struct selection *s, struct error *err)
{
    if (s->item_count > 0)
        qsort(s->items, s->item_count, sizeof *s->items, compare_items);
    s->series = arena_alloc(&s->arena, s->item_count * sizeof *s->series);
    for (size_t i = 0; i < s->item_count; i++) {
        if (i > 0 && is_same_series(&s->items[i - 1], &s->items[i]))
            s->series[s->series_count - 1].item_count++;
        else
            s->series[s->series_count++] = (struct selected){(uint32_t)i, 1};
    }
    size_t series_max = s->options->series_max;
    if (series_max > 0 && s->series_count > series_max)
        return error_set(err, STATUS_LIMIT, "select: got %zu series, want at most %zu",
                         s->series_count, series_max);
    return STATUS_OK;
}

static enum status fill(struct selection *s, struct error *err)
{
    struct tenant_part *parts;
    size_t part_count;
    scope_parts(s->store->tenants, s->store->options.tenant_label, s->options, &s->arena, &parts,
                &part_count);
    for (size_t i = 0; i < part_count; i++) {
        parts[i].min_ts_ms =
            store_first_visible_ms(s->store, parts[i].tenant, s->options->min_ts_ms);
        TRY(add_part(s, &parts[i], err));
    }
    return group_items(s, err);
}

enum status select_open(struct store *store, const struct select_options *options,
                        struct selection **out, struct error *err)
{
    struct selection *s = mem_alloc_zeroed(1, sizeof *s);
    s->store = store;
    s->options = options;
    s->min_ts_ms = store_first_visible_ms(store, NULL, options->min_ts_ms);
    arena_init(&s->arena, SIZE_MAX);
    timeline_cache_init(&s->timelines);
    s->held = arena_alloc_zeroed(&s->arena, store->shard_count * sizeof *s->held);
    enum status status = fill(s, err);
    if (status != STATUS_OK) {
        select_close(s);
        return status;
    }
    s->options = NULL; /* the caller's; not ours beyond this call */
    *out = s;
    return STATUS_OK;
}

void select_close(struct selection *selection)
{
    if (selection == NULL)
        return;
    timeline_cache_deinit(&selection->timelines);
    release_shards(selection);
    mem_free(selection->items);
    arena_deinit(&selection->arena);
    mem_free(selection);
}

size_t select_count(const struct selection *selection)
{
    return selection->series_count;
}

struct labels select_labels(const struct selection *selection, size_t index)
{
    CHECK(index < selection->series_count);
    return selection->items[selection->series[index].first_item].labels;
}

static enum status read_item(const struct item *item, const struct block_range *range,
                             struct columns *out, struct error *err)
{
    if (item->block != NULL)
        return deletions_read(item->deleted, item->block, item->block_tenant, item->position, range,
                              out, err);
    rwlock_lock_read(&item->shard->lock);
    enum status status = head_read(item->shard->head, (struct series_ref){item->position},
                                   range->min_ts_ms, range->max_ts_ms, out, err);
    rwlock_unlock_read(&item->shard->lock);
    return status;
}

enum status select_read(struct selection *selection, size_t index, int64_t min_ts_ms,
                        int64_t max_ts_ms, struct columns *out, struct error *err)
{
    CHECK(index < selection->series_count);
    const struct selected *series = &selection->series[index];
    columns_reset(out);
    int64_t first_visible_ms = selection->items[series->first_item].part->min_ts_ms;
    if (min_ts_ms < first_visible_ms)
        min_ts_ms = first_visible_ms;
    if (min_ts_ms > max_ts_ms)
        return STATUS_OK;
    const struct block_range range = {min_ts_ms, max_ts_ms, &selection->timelines};
    for (uint32_t i = 0; i < series->item_count; i++)
        TRY(read_item(&selection->items[series->first_item + i], &range, out, err));
    return STATUS_OK;
}
