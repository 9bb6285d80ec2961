/*
 * Looking up series in the index of a tenant. Each answer is found again when bytes of the file
 * were gone meanwhile, and is a copy: what is gone later does not change it.
 */
#include "tsdb/block/block_impl.h"

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
