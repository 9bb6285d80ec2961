/*
 * Looking things up in the index of a tenant. Each answer is found again when bytes of the file
 * were gone meanwhile, and is a copy: what is gone later does not change it.
 */
#include "tsdb/block/block_impl.h"

/* ---- series ---- */

static enum status labels_once(struct block *block, size_t tenant, uint32_t series,
                               struct arena *arena, struct labels *out, struct error *err)
{
    const struct block_slot *slot;
    TRY(block_slot_get(block, tenant, &slot, err));
    return block_index_copy_labels(&slot->index, series, arena, out, err);
}

enum status block_labels(struct block *block, size_t tenant, uint32_t series, struct arena *arena,
                         struct labels *out, struct error *err)
{
    enum status status;
    uint64_t faults = file_fault_count(block->file);
    do
        status = labels_once(block, tenant, series, arena, out, err);
    while (block_has_faulted(block, &faults));
    return status;
}

static enum status find_series_once(struct block *block, size_t tenant, struct labels labels,
                                    struct arena *scratch, uint32_t *series, struct error *err)
{
    const struct block_slot *slot;
    TRY(block_slot_get(block, tenant, &slot, err));
    uint32_t begin = 0, end = slot->index.series_count, guess = *series;
    while (begin < end) {
        bool is_within = begin <= guess && guess < end;
        uint32_t middle = is_within ? guess : begin + (end - begin) / 2;
        struct labels there;
        guess = UINT32_MAX;
        arena_reset(scratch);
        TRY(block_index_labels(&slot->index, middle, scratch, &there, err));
        int order = labels_compare(there, labels);
        *series = middle;
        if (order == 0)
            return STATUS_OK;
        if (order < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    return error_set(err, STATUS_NOT_FOUND, "%s: no such series", block->path);
}

enum status block_find_series(struct block *block, size_t tenant, struct labels labels,
                              struct arena *scratch, uint32_t *series, struct error *err)
{
    enum status status;
    uint64_t faults = file_fault_count(block->file);
    do
        status = find_series_once(block, tenant, labels, scratch, series, err);
    while (block_has_faulted(block, &faults));
    return status;
}

static enum status time_range_once(struct block *block, size_t tenant, uint32_t series,
                                   int64_t *min_ts_ms, int64_t *max_ts_ms, struct error *err)
{
    const struct block_slot *slot;
    struct block_place place;
    TRY(block_slot_get(block, tenant, &slot, err));
    TRY(block_index_place(&slot->index, series, &place, err));
    struct block_timeline timeline = block_index_timeline(&slot->index, place.timeline);
    *min_ts_ms = timeline.min_ts_ms;
    *max_ts_ms = timeline.max_ts_ms;
    return STATUS_OK;
}

enum status block_time_range(struct block *block, size_t tenant, uint32_t series,
                             int64_t *min_ts_ms, int64_t *max_ts_ms, struct error *err)
{
    enum status status;
    uint64_t faults = file_fault_count(block->file);
    do
        status = time_range_once(block, tenant, series, min_ts_ms, max_ts_ms, err);
    while (block_has_faulted(block, &faults));
    return status;
}

/* ---- names and values ---- */

/* Texts of an index come as they are numbered, which is sorted. */
static enum status texts_init(struct str_list *texts, struct arena *arena, size_t count,
                              struct error *err)
{
    *texts = (struct str_list){arena_try_alloc(arena, count * sizeof *texts->ptr), count};
    return texts->ptr == NULL ? arena_refusal(arena, err) : STATUS_OK;
}

/* Copies the text, all of it in one piece. */
static enum status texts_keep(struct str_list *texts, struct arena *arena, struct error *err)
{
    size_t len = 0;
    for (size_t i = 0; i < texts->count; i++)
        len += texts->ptr[i].len;
    char *to = arena_try_alloc(arena, len);
    if (to == NULL)
        return arena_refusal(arena, err);
    for (size_t i = 0; i < texts->count; i++)
        to = str_move(&texts->ptr[i], to);
    return STATUS_OK;
}

static enum status names_once(struct block *block, size_t tenant, struct arena *arena,
                              struct str_list *out, struct error *err)
{
    const struct block_slot *slot;
    TRY(block_slot_get(block, tenant, &slot, err));
    TRY(texts_init(out, arena, slot->index.name_count, err));
    for (uint32_t i = 0; i < out->count; i++)
        out->ptr[i] = block_index_name(&slot->index, i);
    return texts_keep(out, arena, err);
}

enum status block_label_names(struct block *block, size_t tenant, struct arena *arena,
                              struct str_list *out, struct error *err)
{
    enum status status;
    *out = (struct str_list){0};
    uint64_t faults = file_fault_count(block->file);
    do
        status = names_once(block, tenant, arena, out, err);
    while (block_has_faulted(block, &faults));
    return status;
}

static enum status values_once(struct block *block, size_t tenant, struct str name,
                               struct arena *arena, struct str_list *out, struct error *err)
{
    const struct block_slot *slot;
    uint32_t number, first = 0, end = 0;
    TRY(block_slot_get(block, tenant, &slot, err));
    if (block_index_find_name(&slot->index, name, &number)) {
        first = block_index_first_pair(&slot->index, number);
        end = block_index_first_pair(&slot->index, number + 1);
    }
    TRY(texts_init(out, arena, first < end ? end - first : 0, err));
    for (uint32_t i = 0; i < out->count; i++)
        out->ptr[i] = block_index_value(&slot->index, first + i);
    return texts_keep(out, arena, err);
}

enum status block_label_values(struct block *block, size_t tenant, struct str name,
                               struct arena *arena, struct str_list *out, struct error *err)
{
    enum status status;
    *out = (struct str_list){0};
    uint64_t faults = file_fault_count(block->file);
    do
        status = values_once(block, tenant, name, arena, out, err);
    while (block_has_faulted(block, &faults));
    return status;
}
