/*
 * Reading the samples of a series: timestamps and values are proved each time, and read again when
 * bytes of the file were gone meanwhile.
 */
#include "tsdb/block/block_impl.h"
#include "tsdb/block/block_run.h"

/* A timeline or run: at a place relative to the tenant's runs, with a checksum. */
struct piece {
    uint64_t offset;
    uint64_t len;
    uint32_t sum;
    const char *what;
};

static enum status get_piece(const struct block *block, const struct block_slot *slot,
                             struct piece piece, struct bytes *out, struct error *err)
{
    if (piece.offset > slot->runs_len || piece.len > slot->runs_len - piece.offset)
        return error_set(err, STATUS_CORRUPT, "%s: %s: not within the tenant's part", block->path,
                         piece.what);
    uint64_t offset = slot->runs_offset + piece.offset;
    *out = (struct bytes){block->bytes.ptr + offset, (size_t)piece.len};
    if (block_sum(&block->footer.meta, offset, *out) != piece.sum)
        return error_set(err, STATUS_CORRUPT, "%s: %s: wrong checksum", block->path, piece.what);
    return STATUS_OK;
}

enum status block_slot_run(const struct block *block, const struct block_slot *slot,
                           const struct block_place *place, struct bytes *out, struct error *err)
{
    struct piece piece = {place->run_offset, place->run_len, place->run_sum, "values of a series"};
    return get_piece(block, slot, piece, out, err);
}

static enum status get_timeline_bytes(const struct block *block, const struct block_slot *slot,
                                      uint32_t number, struct bytes *out, struct error *err)
{
    struct block_timeline place = block_index_timeline(&slot->index, number);
    struct piece piece = {place.offset, place.len, place.sum, "timestamps of series"};
    return get_piece(block, slot, piece, out, err);
}

static bool covers(const struct timeline *timeline, const struct block_range *range)
{
    size_t first, end;
    timeline_find(timeline, range->min_ts_ms, range->max_ts_ms, &first, &end);
    return first == end || (timeline->first_chunk <= first && end <= timeline->end_chunk);
}

static enum status open_timeline_once(const struct block *block, const struct block_slot *slot,
                                      uint32_t number, const struct block_range *range,
                                      struct timeline **out, struct error *err)
{
    struct bytes bytes;
    TRY(get_timeline_bytes(block, slot, number, &bytes, err));
    return timeline_open(bytes, range->min_ts_ms, range->max_ts_ms, out, err);
}

static enum status open_timeline(const struct block *block, const struct block_slot *slot,
                                 uint32_t number, const struct block_range *range,
                                 struct timeline **out, struct error *err)
{
    enum status status;
    uint64_t faults = file_fault_count(block->file);
    *out = NULL;
    do {
        timeline_release(*out);
        *out = NULL;
        status = open_timeline_once(block, slot, number, range, out, err);
    } while (block_has_faulted(block, &faults));
    return status;
}

/* One that is in the cache for a smaller range is decoded as a whole: the ranges asked for
   differ. */
enum status block_slot_timeline(const struct block *block, const struct block_slot *slot,
                                uint32_t number, const struct block_range *range,
                                struct timeline **out, struct error *err)
{
    struct timeline_key key = {block, (uint32_t)(slot - block->slots), number};
    struct timeline *kept =
        range->timelines == NULL ? NULL : timeline_cache_get(range->timelines, &key);
    if (kept != NULL && covers(kept, range)) {
        *out = kept;
        return STATUS_OK;
    }
    int64_t min_ts_ms = kept == NULL ? range->min_ts_ms : INT64_MIN;
    int64_t max_ts_ms = kept == NULL ? range->max_ts_ms : INT64_MAX;
    timeline_release(kept);
    const struct block_range wanted = {min_ts_ms, max_ts_ms, NULL};
    TRY(open_timeline(block, slot, number, &wanted, out, err));
    if (range->timelines != NULL)
        timeline_cache_put(range->timelines, &key, *out);
    return STATUS_OK;
}

static enum status measure_once(struct block *block, size_t tenant, uint32_t series,
                                struct timeline_cache *timelines, struct run_sizes *sizes,
                                struct error *err)
{
    const struct block_range all = {INT64_MIN, INT64_MAX, timelines};
    const struct block_slot *slot;
    struct block_place place;
    struct bytes run;
    struct timeline *timeline;
    TRY(block_slot_get(block, tenant, &slot, err));
    TRY(block_index_place(&slot->index, series, &place, err));
    TRY(block_slot_run(block, slot, &place, &run, err));
    TRY(block_slot_timeline(block, slot, place.timeline, &all, &timeline, err));
    enum status status = run_measure(run, timeline, sizes, err);
    timeline_release(timeline);
    return status;
}

enum status block_series_measure(struct block *block, size_t tenant, uint32_t series,
                                 struct timeline_cache *timelines, struct run_sizes *sizes,
                                 struct error *err)
{
    const struct run_sizes before = *sizes;
    enum status status;
    uint64_t faults = file_fault_count(block->file);
    do {
        *sizes = before;
        status = measure_once(block, tenant, series, timelines, sizes, err);
    } while (block_has_faulted(block, &faults));
    return status;
}

enum status block_timelines_measure(struct block *block, size_t tenant,
                                    struct timeline_sizes *sizes, struct error *err)
{
    const struct block_slot *slot;
    TRY(block_slot_get(block, tenant, &slot, err));
    for (uint32_t i = 0; i < slot->index.timeline_count; i++) {
        struct bytes bytes;
        TRY(get_timeline_bytes(block, slot, i, &bytes, err));
        TRY(timeline_measure(bytes, sizes, err));
    }
    return STATUS_OK;
}

const struct block_range block_all_time = {.min_ts_ms = INT64_MIN, .max_ts_ms = INT64_MAX};

static enum status decode(struct bytes run, const struct timeline *timeline,
                          const struct block_range *range, struct columns *out, struct error *err)
{
    TRY(run_decode(run, timeline, range->min_ts_ms, range->max_ts_ms, out, err));
    columns_clip(out, range->min_ts_ms, range->max_ts_ms);
    return STATUS_OK;
}

/* To empty columns. */
static enum status read_once(struct block *block, size_t tenant, uint32_t series,
                             const struct block_range *range, struct columns *out,
                             struct error *err)
{
    const struct block_slot *slot;
    struct block_place place;
    struct bytes run;
    struct timeline *timeline;
    TRY(block_slot_get(block, tenant, &slot, err));
    TRY(block_index_place(&slot->index, series, &place, err));
    struct block_timeline times = block_index_timeline(&slot->index, place.timeline);
    if (times.max_ts_ms < range->min_ts_ms || times.min_ts_ms > range->max_ts_ms)
        return STATUS_OK;
    TRY(block_slot_run(block, slot, &place, &run, err));
    TRY(block_slot_timeline(block, slot, place.timeline, range, &timeline, err));
    enum status status = decode(run, timeline, range, out, err);
    timeline_release(timeline);
    return status;
}

enum status block_read(struct block *block, size_t tenant, uint32_t series,
                       const struct block_range *range, struct columns *out, struct error *err)
{
    struct columns apart;
    columns_init(&apart);
    struct columns *to = out->count == 0 ? out : &apart;
    enum status status;
    uint64_t faults = file_fault_count(block->file);
    do {
        columns_reset(to);
        status = read_once(block, tenant, series, range, to, err);
    } while (block_has_faulted(block, &faults));
    if (to == &apart && status == STATUS_OK)
        columns_merge(out, &apart);
    columns_deinit(&apart);
    return status;
}
