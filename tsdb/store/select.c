#include "tsdb/store/select_impl.h"

#include "base/check.h"
#include "base/mem.h"
#include "tsdb/store/thinned_series.h"

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

const struct held_shard *select_hold_shard(struct selection *s, uint32_t number)
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

/* ---- opening ---- */

enum status select_open(struct store *store, const struct select_options *options,
                        struct selection **out, struct error *err)
{
    struct selection *s = mem_alloc_zeroed(1, sizeof *s);
    s->store = store;
    s->options = options;
    s->damage = options->damage;
    s->charge = options->charge;
    s->min_ts_ms = store_first_visible_ms(store, NULL, options->min_ts_ms);
    arena_init(&s->arena, SIZE_MAX);
    timeline_cache_init(&s->timelines);
    s->held = arena_alloc_zeroed(&s->arena, store->shard_count * sizeof *s->held);
    enum status status = select_gather(s, err);
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
    mem_free(selection->series);
    mem_free(selection->places);
    mem_free(selection->sources);
    arena_deinit(&selection->arena);
    charge_give(selection->charge, selection->charged_bytes);
    mem_free(selection);
}

size_t select_memory_bytes(const struct selection *selection)
{
    return selection->arena.used_bytes + selection->series_count * sizeof *selection->series +
           selection->place_capacity * sizeof *selection->places +
           selection->source_capacity * sizeof *selection->sources;
}

/* ---- series ---- */

size_t select_count(const struct selection *selection)
{
    return selection->series_count;
}

struct labels select_labels(const struct selection *selection, size_t index)
{
    CHECK(index < selection->series_count);
    return selection->series[index].labels;
}

static enum status read_head(const struct selection *s, const struct selected *series,
                             const struct block_range *range, struct columns *out,
                             struct error *err)
{
    if (series->head_source == PLACE_NONE)
        return STATUS_OK;
    struct shard *shard = s->sources[series->head_source].shard;
    rwlock_lock_read(&shard->lock);
    enum status status = head_read(shard->head, (struct series_ref){series->head_ref},
                                   range->min_ts_ms, range->max_ts_ms, out, err);
    rwlock_unlock_read(&shard->lock);
    return status;
}

/* Blocks oldest first, the head last: the first written sample wins. */
static enum status read_places(struct selection *s, const struct selected *series,
                               const struct block_range *range, struct columns *out,
                               struct error *err)
{
    for (uint32_t number = series->first_place; number != PLACE_NONE;) {
        const struct place *place = &s->places[number];
        const struct source *source = &s->sources[place->source];
        const struct thinned_series in_block = {.block = source->block,
                                                .tenant = source->block_tenant,
                                                .series = place->position,
                                                .deleted = place->deleted};
        enum status status = thinned_series_read(&in_block, range, out, err);
        TRY(select_pass_damage(s->store, &s->damage, source->block, status, err));
        number = place->next;
    }
    return read_head(s, series, range, out, err);
}

enum status select_read(struct selection *selection, size_t index, int64_t min_ts_ms,
                        int64_t max_ts_ms, struct columns *out, struct error *err)
{
    CHECK(index < selection->series_count);
    const struct selected *series = &selection->series[index];
    columns_reset(out);
    if (min_ts_ms < series->part->min_ts_ms)
        min_ts_ms = series->part->min_ts_ms;
    if (min_ts_ms > max_ts_ms)
        return STATUS_OK;
    const struct block_range range = {min_ts_ms, max_ts_ms, &selection->timelines};
    return read_places(selection, series, &range, out, err);
}
