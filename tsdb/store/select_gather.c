/*
 * Gathering: tenant by tenant, first what the head has, sorted, then what each block has, which is
 * in order of labels already and is merged in as it is read:
 *
 *     head      b c   e
 *     block 7   a b c          ─►   a {7}   b {7, head}   c {7, 9, head}   d {9}   e {9, head}
 *     block 9       c d e
 *
 * So the labels of a series are kept once, wherever it lives. A block whose labels the scope
 * rewrites is not in order any more and is sorted like the head.
 */
#include "tsdb/store/select_impl.h"

#include <stdlib.h>

#include "base/mem.h"
#include "tsdb/store/thinned_series.h"

/* How many series of blocks are looked at between two checks. */
enum { CHECK_EVERY = 4096 };

/* What is charged at once, so that what all share is not asked for each series. */
enum { CHARGE_BYTES = 64 << 10 };

/* A series of a source. */
struct found {
    struct labels labels;
    uint32_t position; /* in the block, or ref in the head */
    bool is_kept;      /* the labels live as long as the selection */
    struct span_list deleted;
};

/* The series of one tenant, as far as they are known. */
struct list {
    struct selected *series; /* base/mem; sorted by labels */
    size_t count;
    size_t capacity;
};

struct gathering {
    struct selection *selection;
    const struct tenant_part *part;
    struct list list;
    struct list merged;   /* being made of the list and a source */
    struct arena scratch; /* of the source at hand */
    size_t looked_at;
    size_t others_count; /* series of tenants before this one */
};

/* ---- limits ---- */

/* With no lock held: whoever checks may wait. */
static enum status check(struct gathering *g, struct error *err)
{
    const struct select_options *options = g->selection->options;
    if (options->check == NULL || g->looked_at++ % CHECK_EVERY != 0)
        return STATUS_OK;
    return options->check(options->check_context, err);
}

static enum status check_count(const struct gathering *g, size_t count, struct error *err)
{
    size_t series_max = g->selection->options->series_max;
    if (series_max > 0 && g->others_count + count > series_max)
        return error_set(err, STATUS_LIMIT, "select: got more than %zu series, want at most that",
                         series_max);
    return STATUS_OK;
}

static enum status charge(struct selection *s, size_t used_bytes, struct error *err)
{
    if (used_bytes <= s->charged_bytes)
        return STATUS_OK;
    size_t more_bytes = used_bytes - s->charged_bytes + CHARGE_BYTES;
    TRY(charge_take(s->charge, more_bytes, err));
    s->charged_bytes += more_bytes;
    return STATUS_OK;
}

/* What was needed on the way is given back. */
static void settle_charge(struct selection *s)
{
    size_t held_bytes = select_memory_bytes(s);
    if (held_bytes > s->charged_bytes)
        charge_force(s->charge, held_bytes - s->charged_bytes);
    else
        charge_give(s->charge, s->charged_bytes - held_bytes);
    s->charged_bytes = held_bytes;
}

static enum status check_memory(struct gathering *g, struct error *err)
{
    struct selection *s = g->selection;
    size_t bytes_max = s->options->memory_max_bytes;
    size_t used_bytes = select_memory_bytes(s) + g->scratch.used_bytes +
                        (g->list.capacity + g->merged.capacity) * sizeof *g->list.series;
    if (bytes_max > 0 && used_bytes > bytes_max)
        return error_set(err, STATUS_LIMIT,
                         "select: the labels of the series take more than the %zu bytes that are "
                         "left of limit max_estimated_memory_consumption_per_query "
                         "(err-croft-max-estimated-memory-consumption-per-query): select fewer "
                         "series, or have the limit raised",
                         bytes_max);
    return charge(s, used_bytes, err);
}

/* ---- series ---- */

static uint32_t add_source(struct selection *s, struct source source)
{
    s->sources = mem_grow(s->sources, &s->source_capacity, s->source_count + 1, sizeof *s->sources);
    s->sources[s->source_count] = source;
    return (uint32_t)s->source_count++;
}

static void add_place(struct selection *s, struct selected *series, uint32_t source,
                      const struct found *found)
{
    if (s->sources[source].block == NULL) {
        series->head_source = source;
        series->head_ref = found->position;
        return;
    }
    s->places = mem_grow(s->places, &s->place_capacity, s->place_count + 1, sizeof *s->places);
    uint32_t number = (uint32_t)s->place_count++;
    s->places[number] = (struct place){found->deleted, source, found->position, PLACE_NONE};
    if (series->first_place == PLACE_NONE)
        series->first_place = number;
    else
        s->places[series->last_place].next = number;
    series->last_place = number;
}

static enum status push(struct gathering *g, struct list *list, struct selected series,
                        struct error *err)
{
    TRY(check_count(g, list->count + 1, err));
    TRY(check_memory(g, err));
    list->series = mem_grow(list->series, &list->capacity, list->count + 1, sizeof *list->series);
    list->series[list->count++] = series;
    return STATUS_OK;
}

/* A series that no source had before. */
static enum status push_new(struct gathering *g, uint32_t source, const struct found *found,
                            struct error *err)
{
    struct selection *s = g->selection;
    struct selected series = {
        .labels = found->labels,
        .part = g->part,
        .first_place = PLACE_NONE,
        .last_place = PLACE_NONE,
        .head_source = PLACE_NONE,
    };
    if (!found->is_kept)
        TRY(labels_clone(found->labels, &s->arena, &series.labels, err));
    add_place(s, &series, source, found);
    return push(g, &g->merged, series, err);
}

/* ---- merging ---- */

/* Takes over from the list what stands before `labels`; whether it has them as well. */
static enum status skip_to(struct gathering *g, struct labels labels, size_t *next, bool *has,
                           struct error *err)
{
    *has = false;
    for (; *next < g->list.count; (*next)++) {
        int order = labels_compare(g->list.series[*next].labels, labels);
        *has = order == 0;
        if (order >= 0)
            return STATUS_OK;
        TRY(push(g, &g->merged, g->list.series[*next], err));
    }
    return STATUS_OK;
}

static enum status merge_one(struct gathering *g, uint32_t source, const struct found *found,
                             size_t *next, struct error *err)
{
    bool has;
    TRY(skip_to(g, found->labels, next, &has, err));
    if (!has)
        return push_new(g, source, found, err);
    struct selected series = g->list.series[(*next)++];
    add_place(g->selection, &series, source, found);
    return push(g, &g->merged, series, err);
}

static enum status finish_merge(struct gathering *g, size_t next, struct error *err)
{
    for (; next < g->list.count; next++)
        TRY(push(g, &g->merged, g->list.series[next], err));
    struct list done = g->list;
    g->list = g->merged;
    done.count = 0;
    g->merged = done;
    return STATUS_OK;
}

/* ---- sources that have to be sorted ---- */

static int compare_found(const void *left, const void *right)
{
    return labels_compare(((const struct found *)left)->labels,
                          ((const struct found *)right)->labels);
}

/* Who writes the labels that a scope adds can have several series shown alike: they are one, for
   two with the same labels would fail the queries of whoever reads all tenants. */
static enum status merge_unsorted(struct gathering *g, uint32_t source, struct found *found,
                                  size_t count, struct error *err)
{
    size_t next = 0;
    if (count > 0)
        qsort(found, count, sizeof *found, compare_found);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && compare_found(&found[i - 1], &found[i]) == 0)
            add_place(g->selection, &g->merged.series[g->merged.count - 1], source, &found[i]);
        else
            TRY(merge_one(g, source, &found[i], &next, err));
    }
    return finish_merge(g, next, err);
}

/* Adds a series to the list as the scope shows it, if it does. What is new for it is kept. */
static enum status add_found(struct gathering *g, struct found stored, struct found *list,
                             size_t *count, struct error *err)
{
    struct selection *s = g->selection;
    struct found shown = stored;
    shown.is_kept = true;
    TRY(check_memory(g, err));
    if (!scope_labels(g->part, s->store->options.tenant_label, stored.labels, &s->arena,
                      &shown.labels))
        return STATUS_OK;
    list[(*count)++] = shown;
    return check_count(g, *count, err);
}

/* ---- the head ---- */

static bool is_wanted_locked(const struct gathering *g, struct shard *shard, struct series_ref ref)
    REQUIRES_SHARED(shard->lock)
{
    const struct select_options *options = g->selection->options;
    int64_t min_ts_ms, max_ts_ms;
    if (options->source != SELECT_STORED)
        return options->source == SELECT_IN_MEMORY || head_is_active(shard->head, ref);
    head_time_range(shard->head, ref, &min_ts_ms, &max_ts_ms);
    return max_ts_ms >= g->part->min_ts_ms && min_ts_ms <= options->max_ts_ms;
}

/* Only the labels are looked at under the lock: their text outlives it. */
static enum status list_head_locked(struct gathering *g, struct shard *shard, struct found **out,
                                    size_t *count, struct error *err) REQUIRES_SHARED(shard->lock)
{
    const struct tenant_part *part = g->part;
    struct matchers matchers = {part->matchers, part->matcher_count};
    struct ref_list refs;
    TRY(head_select(shard->head, part->tenant, matchers, &g->scratch, &refs, err));
    *out = arena_alloc(&g->scratch, refs.count * sizeof **out);
    for (size_t i = 0; i < refs.count; i++) {
        if (!is_wanted_locked(g, shard, refs.ptr[i]))
            continue;
        struct found found = {.labels = head_labels(shard->head, refs.ptr[i], &g->selection->arena),
                              .position = refs.ptr[i].value};
        TRY(add_found(g, found, *out, count, err));
    }
    return STATUS_OK;
}

static enum status gather_head(struct gathering *g, const struct held_shard *held,
                               struct error *err)
{
    struct found *found = NULL;
    size_t count = 0;
    rwlock_lock_read(&held->shard->lock);
    enum status status = list_head_locked(g, held->shard, &found, &count, err);
    rwlock_unlock_read(&held->shard->lock);
    TRY(status);
    uint32_t source =
        add_source(g->selection, (struct source){.part = g->part, .shard = held->shard});
    return merge_unsorted(g, source, found, count, err);
}

/* ---- blocks ---- */

static enum status read_series(struct gathering *g, const struct source *source,
                               struct arena *arena, struct found *out, bool *has_samples,
                               struct error *err)
{
    int64_t min_ts_ms, max_ts_ms;
    TRY(block_time_range(source->block, source->block_tenant, out->position, &min_ts_ms, &max_ts_ms,
                         err));
    const struct block_range range = {g->part->min_ts_ms, g->selection->options->max_ts_ms, NULL};
    *has_samples = min_ts_ms <= range.max_ts_ms && max_ts_ms >= range.min_ts_ms;
    if (!*has_samples)
        return STATUS_OK;
    TRY(block_labels(source->block, source->block_tenant, out->position, arena, &out->labels, err));
    if (source->deletions->count > 0)
        out->deleted = deletions_of_series(source->deletions, block_meta(source->block)->sequence,
                                           tenant_id_str(&g->part->tenant->id), out->labels,
                                           &g->selection->arena);
    const struct thinned_series in_block = {.block = source->block,
                                            .tenant = source->block_tenant,
                                            .series = out->position,
                                            .deleted = out->deleted};
    *has_samples = !thinned_series_is_empty(&in_block, &range);
    return STATUS_OK;
}

/* Labels and deletions of the series at `out->position` of a block; `*has_samples` false: none in
   the time range that are not deleted, or none that can be read. */
static enum status look_up(struct gathering *g, const struct source *source, struct arena *arena,
                           struct found *out, bool *has_samples, struct error *err)
{
    const struct selection *s = g->selection;
    TRY(check(g, err));
    enum status status = read_series(g, source, arena, out, has_samples, err);
    if (status != STATUS_OK)
        *has_samples = false;
    return select_pass_damage(s->store, &s->damage, source->block, status, err);
}

/* The labels of one series at a time are in memory, unless they are new: all are while the list is
   empty. */
static enum status merge_block(struct gathering *g, uint32_t source, struct series_list series,
                               struct error *err)
{
    const struct source at = g->selection->sources[source];
    bool are_new = g->list.count == 0;
    struct arena one, *arena = are_new ? &g->selection->arena : &one;
    size_t next = 0;
    enum status status = STATUS_OK;
    arena_init(&one, SIZE_MAX);
    for (size_t i = 0; i < series.count && status == STATUS_OK; i++) {
        struct found found = {.position = series.ptr[i], .is_kept = are_new};
        bool has_samples = false;
        status = look_up(g, &at, arena, &found, &has_samples, err);
        if (status == STATUS_OK && has_samples)
            status = merge_one(g, source, &found, &next, err);
        arena_reset(&one);
    }
    arena_deinit(&one);
    TRY(status);
    return finish_merge(g, next, err);
}

static enum status merge_rewritten_block(struct gathering *g, uint32_t source,
                                         struct series_list series, struct error *err)
{
    const struct source at = g->selection->sources[source];
    struct found *list = arena_alloc(&g->scratch, series.count * sizeof *list);
    size_t found_count = 0;
    for (size_t i = 0; i < series.count; i++) {
        struct found found = {.position = series.ptr[i]};
        bool has_samples;
        TRY(look_up(g, &at, &g->selection->arena, &found, &has_samples, err));
        if (has_samples)
            TRY(add_found(g, found, list, &found_count, err));
    }
    return merge_unsorted(g, source, list, found_count, err);
}

/* Whether series of the block show other labels than they have stored. */
static enum status is_rewritten(struct gathering *g, const struct source *source, bool *out,
                                struct error *err)
{
    const struct tenant_part *part = g->part;
    struct str_list names;
    *out = part->is_federated && (part->shown.len > 0 || part->on_original_count > 0);
    if (!part->is_federated || *out)
        return STATUS_OK;
    TRY(block_label_names(source->block, source->block_tenant, &g->scratch, &names, err));
    for (size_t i = 0; i < names.count; i++)
        *out = *out || str_eq(names.ptr[i], g->selection->store->options.tenant_label);
    return STATUS_OK;
}

static enum status gather_block(struct gathering *g, const struct held_shard *held,
                                struct block *block, struct error *err)
{
    struct source source = {
        .part = g->part, .shard = held->shard, .block = block, .deletions = held->deletions};
    const struct tenant_part *part = g->part;
    struct matchers matchers = {part->matchers, part->matcher_count};
    struct series_list series = {0};
    bool rewrites = false;
    enum status status =
        block_find_tenant(block, tenant_id_str(&part->tenant->id), &source.block_tenant, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = is_rewritten(g, &source, &rewrites, err);
    if (status == STATUS_OK)
        status = block_select(block, source.block_tenant, matchers, &g->scratch, &series, err);
    TRY(select_pass_damage(g->selection->store, &g->selection->damage, block, status, err));
    if (status != STATUS_OK)
        return STATUS_OK;
    uint32_t number = add_source(g->selection, source);
    return rewrites ? merge_rewritten_block(g, number, series, err)
                    : merge_block(g, number, series, err);
}

/* ---- tenants ---- */

/* The guard is entered before the blocks are listed, so a flush that ends later waits for us. The
   head comes first: what leaves it meanwhile is in a block of the list, or still readable. */
static enum status gather_part(struct gathering *g, struct error *err)
{
    const struct held_shard *held = select_hold_shard(g->selection, g->part->tenant->shard);
    TRY(gather_head(g, held, err));
    bool wants_blocks = g->selection->options->source == SELECT_STORED;
    for (size_t i = 0; i < held->block_count && wants_blocks; i++) {
        arena_reset(&g->scratch);
        TRY(gather_block(g, held, held->blocks[i], err));
    }
    return STATUS_OK;
}

static void append_list(struct selection *s, const struct list *list, size_t *capacity)
{
    if (list->count == 0)
        return;
    s->series = mem_grow(s->series, capacity, s->series_count + list->count, sizeof *s->series);
    memcpy(s->series + s->series_count, list->series, list->count * sizeof *list->series);
    s->series_count += list->count;
}

static int compare_series(const void *left, const void *right)
{
    const struct selected *a = left, *b = right;
    int order = labels_compare(a->labels, b->labels);
    return order != 0 ? order : (a->part > b->part) - (a->part < b->part);
}

static enum status gather_parts(struct gathering *g, struct tenant_part *parts, size_t part_count,
                                struct error *err)
{
    struct selection *s = g->selection;
    size_t capacity = 0;
    for (size_t i = 0; i < part_count; i++) {
        parts[i].min_ts_ms =
            store_first_visible_ms(s->store, parts[i].tenant, s->options->min_ts_ms);
        g->part = &parts[i];
        g->others_count = s->series_count;
        g->list.count = g->merged.count = 0;
        arena_reset(&g->scratch);
        TRY(gather_part(g, err));
        append_list(s, &g->list, &capacity);
    }
    if (part_count > 1 && s->series_count > 0)
        qsort(s->series, s->series_count, sizeof *s->series, compare_series);
    return STATUS_OK;
}

enum status select_gather(struct selection *selection, struct error *err)
{
    struct gathering g = {.selection = selection};
    struct tenant_part *parts;
    size_t part_count;
    scope_parts(selection->store->tenants, selection->store->options.tenant_label,
                selection->options, &selection->arena, &parts, &part_count);
    arena_init(&g.scratch, SIZE_MAX);
    enum status status = gather_parts(&g, parts, part_count, err);
    arena_deinit(&g.scratch);
    mem_free(g.list.series);
    mem_free(g.merged.series);
    settle_charge(selection);
    return status;
}
