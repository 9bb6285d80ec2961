#include "tsdb/block/block_impl.h"

#include <stdio.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tsdb/block/block_run.h"

/* ---- opening ---- */

static enum status map_block(struct block *block, struct disk *disk, struct error *err)
{
    TRY(disk_open(disk, block->path, &block->file, err));
    TRY(file_map(block->file, &block->bytes, err));
    enum status status = block_footer_decode(block->bytes, &block->footer, err);
    return status == STATUS_OK ? status : error_prefix(err, status, "%s", block->path);
}

enum status block_open(struct disk *disk, const char *path, struct block **out, struct error *err)
{
    struct block *block = mem_alloc_zeroed(1, sizeof *block);
    refcount_init(&block->references);
    mutex_init(&block->lock);
    int len = snprintf(block->path, sizeof block->path, "%s", path);
    CHECK(len < DISK_PATH_MAX);
    enum status status = map_block(block, disk, err);
    if (status != STATUS_OK) {
        block_release(block);
        return status;
    }
    /* zeroed pages of memory cost nothing before a tenant is used */
    block->slots = mem_alloc_zeroed(block->footer.tenant_count, sizeof *block->slots);
    *out = block;
    return STATUS_OK;
}

void block_acquire(struct block *block)
{
    refcount_acquire(&block->references);
}

void block_release(struct block *block)
{
    if (block == NULL || !refcount_release(&block->references))
        return;
    file_close(block->file);
    mem_free(block->slots);
    mutex_deinit(&block->lock);
    mem_free(block);
}

const struct block_meta *block_meta(const struct block *block)
{
    return &block->footer.meta;
}

const char *block_path(const struct block *block)
{
    return block->path;
}

uint64_t block_size_bytes(const struct block *block)
{
    return block->bytes.len;
}

bool block_note_damage(struct block *block)
{
    return flag_raise(&block->is_damaged);
}

bool block_is_damaged(const struct block *block)
{
    return flag_is_set(&block->is_damaged);
}

bool block_replaces(const struct block *block, uint64_t sequence)
{
    const struct block_footer *footer = &block->footer;
    const uint8_t *replaced = block->bytes.ptr + footer->directory_offset +
                              (size_t)footer->tenant_count * BLOCK_ENTRY_BYTES;
    for (uint32_t i = 0; i < footer->replaced_count; i++) {
        if (load_u64(replaced + (size_t)i * BLOCK_REPLACED_BYTES) == sequence)
            return true;
    }
    return false;
}

/* ---- tenants ---- */

size_t block_tenant_count(const struct block *block)
{
    return block->footer.tenant_count;
}

struct block_entry block_entry_of(const struct block *block, size_t tenant)
{
    CHECK(tenant < block->footer.tenant_count);
    return block_entry_decode(block->bytes.ptr + block->footer.directory_offset +
                              tenant * BLOCK_ENTRY_BYTES);
}

struct str block_entry_id(const struct block *block, const struct block_entry *entry)
{
    const struct block_footer *footer = &block->footer;
    uint64_t ids_offset = (uint64_t)footer->tenant_count * BLOCK_ENTRY_BYTES +
                          (uint64_t)footer->replaced_count * BLOCK_REPLACED_BYTES;
    uint64_t ids_len = footer->directory_len - ids_offset;
    if ((uint64_t)entry->id_offset + entry->id_len > ids_len)
        return (struct str){0};
    const uint8_t *ids = block->bytes.ptr + footer->directory_offset + ids_offset;
    return (struct str){(const char *)ids + entry->id_offset, entry->id_len};
}

struct str block_tenant(const struct block *block, size_t tenant)
{
    struct block_entry entry = block_entry_of(block, tenant);
    return block_entry_id(block, &entry);
}

bool block_find_tenant(const struct block *block, struct str id, size_t *tenant)
{
    size_t begin = 0, end = block->footer.tenant_count;
    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        if (str_compare(block_tenant(block, middle), id) < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    *tenant = begin;
    return begin < block->footer.tenant_count && str_eq(block_tenant(block, begin), id);
}

/* ---- the index of a tenant ---- */

static enum status open_index(const struct block *block, const struct block_entry *entry,
                              struct block_index *index, struct error *err)
{
    uint64_t end = block->footer.directory_offset;
    if (entry->runs_offset < BLOCK_HEADER_BYTES || entry->runs_offset > entry->index_offset ||
        entry->index_offset > end || entry->index_len > end - entry->index_offset)
        return error_set(err, STATUS_CORRUPT, "block: index: not within the block");
    struct bytes section = {block->bytes.ptr + entry->index_offset, (size_t)entry->index_len};
    if (block_sum(&block->footer.meta, entry->index_offset, section) != entry->index_sum)
        return error_set(err, STATUS_CORRUPT, "block: index: wrong checksum");
    TRY(block_index_open(index, section, err));
    if (index->series_count != entry->series_count)
        return error_set(err, STATUS_CORRUPT, "block: index: got %u series, want %u",
                         index->series_count, entry->series_count);
    return STATUS_OK;
}

enum status block_check_directory(const struct block *block, struct error *err)
{
    const struct block_footer *footer = &block->footer;
    struct bytes directory = {block->bytes.ptr + footer->directory_offset,
                              (size_t)footer->directory_len};
    if (block_sum(&footer->meta, footer->directory_offset, directory) == footer->directory_sum)
        return STATUS_OK;
    return error_set(err, STATUS_CORRUPT, "%s: directory: changed since the block was opened",
                     block->path);
}

static uint64_t id_hash_of(const struct block *block, size_t tenant)
{
    return hash_bytes(bytes_of_str(block_tenant(block, tenant)));
}

/* The directory says whose index it is, so it is proved as well: else samples of one tenant might be
   shown to another. */
static enum status open_slot(const struct block *block, const struct block_entry *entry,
                             struct block_index *index, struct error *err)
{
    TRY(block_check_directory(block, err));
    return open_index(block, entry, index, err);
}

static void fill_slot_locked(struct block *block, size_t tenant) REQUIRES(block->lock)
{
    struct block_slot *slot = &block->slots[tenant];
    if (flag_is_set(&slot->is_ready))
        return;
    struct block_entry entry = block_entry_of(block, tenant);
    struct error err;
    slot->is_damaged = open_slot(block, &entry, &slot->index, &err) != STATUS_OK;
    slot->id_hash = id_hash_of(block, tenant);
    slot->runs_offset = entry.runs_offset;
    slot->runs_len = entry.index_offset - entry.runs_offset;
    flag_set(&slot->is_ready);
}

enum status block_slot_get(struct block *block, size_t tenant, const struct block_slot **out,
                           struct error *err)
{
    CHECK(tenant < block->footer.tenant_count);
    struct block_slot *slot = &block->slots[tenant];
    if (!flag_is_set(&slot->is_ready)) {
        mutex_lock(&block->lock);
        fill_slot_locked(block, tenant);
        mutex_unlock(&block->lock);
    }
    *out = slot;
    struct block_entry entry = block_entry_of(block, tenant);
    if (!slot->is_damaged && slot->id_hash == id_hash_of(block, tenant))
        return STATUS_OK;
    /* the same words as the first time: the reason has to be found again */
    struct block_index index;
    enum status status = open_slot(block, &entry, &index, err);
    if (status == STATUS_OK)
        status = error_set(err, STATUS_CORRUPT, "block: index: was damaged when it was first used");
    return error_prefix(err, status, "%s: tenant %.*s", block->path,
                        STR_ARG(block_entry_id(block, &entry)));
}

struct block_section block_tenant_section(const struct block *block, size_t tenant)
{
    struct block_entry entry = block_entry_of(block, tenant);
    return (struct block_section){.runs_offset = entry.runs_offset,
                                  .index_offset = entry.index_offset,
                                  .index_len = entry.index_len,
                                  .series_count = entry.series_count,
                                  .sample_count = entry.sample_count,
                                  .min_ts_ms = entry.min_ts_ms,
                                  .max_ts_ms = entry.max_ts_ms};
}

enum status block_tenant_index(struct block *block, size_t tenant, const struct block_index **out,
                               struct error *err)
{
    const struct block_slot *slot;
    TRY(block_slot_get(block, tenant, &slot, err));
    *out = &slot->index;
    return STATUS_OK;
}

/* ---- series ---- */

size_t block_series_count(const struct block *block, size_t tenant)
{
    return block_entry_of(block, tenant).series_count;
}

enum status block_labels(struct block *block, size_t tenant, uint32_t series, struct arena *arena,
                         struct labels *out, struct error *err)
{
    const struct block_slot *slot;
    TRY(block_slot_get(block, tenant, &slot, err));
    return block_index_labels(&slot->index, series, arena, out, err);
}

enum status block_find_series(struct block *block, size_t tenant, struct labels labels,
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
    struct bytes bytes;
    TRY(get_timeline_bytes(block, slot, number, &bytes, err));
    TRY(timeline_open(bytes, min_ts_ms, max_ts_ms, out, err));
    if (range->timelines != NULL)
        timeline_cache_put(range->timelines, &key, *out);
    return STATUS_OK;
}

enum status block_series_measure(struct block *block, size_t tenant, uint32_t series,
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

enum status block_time_range(struct block *block, size_t tenant, uint32_t series,
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

const struct block_range block_all_time = {.min_ts_ms = INT64_MIN, .max_ts_ms = INT64_MAX};

static enum status decode_empty(struct bytes run, const struct timeline *timeline,
                                const struct block_range *range, struct columns *out,
                                struct error *err)
{
    TRY(run_decode(run, timeline, range->min_ts_ms, range->max_ts_ms, out, err));
    columns_clip(out, range->min_ts_ms, range->max_ts_ms);
    return STATUS_OK;
}

static enum status decode_into(struct bytes run, const struct timeline *timeline,
                               const struct block_range *range, struct columns *out,
                               struct error *err)
{
    if (out->count == 0)
        return decode_empty(run, timeline, range, out, err);
    struct columns decoded;
    columns_init(&decoded);
    enum status status = decode_empty(run, timeline, range, &decoded, err);
    if (status == STATUS_OK)
        columns_merge(out, &decoded);
    columns_deinit(&decoded);
    return status;
}

enum status block_read(struct block *block, size_t tenant, uint32_t series,
                       const struct block_range *range, struct columns *out, struct error *err)
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
    enum status status = decode_into(run, timeline, range, out, err);
    timeline_release(timeline);
    return status;
}

/* ---- labels ---- */

static struct str *new_texts(struct arena *arena, size_t count)
{
    return arena_try_alloc(arena, count * sizeof(struct str));
}

enum status block_label_names(struct block *block, size_t tenant, struct arena *arena,
                              struct str **out, size_t *count, struct error *err)
{
    const struct block_slot *slot;
    TRY(block_slot_get(block, tenant, &slot, err));
    *count = slot->index.name_count;
    *out = new_texts(arena, *count);
    if (*out == NULL)
        return arena_refusal(arena, err);
    for (uint32_t i = 0; i < *count; i++)
        (*out)[i] = block_index_name(&slot->index, i);
    return STATUS_OK;
}

enum status block_label_values(struct block *block, size_t tenant, struct str name,
                               struct arena *arena, struct str **out, size_t *count,
                               struct error *err)
{
    const struct block_slot *slot;
    uint32_t number, first = 0;
    TRY(block_slot_get(block, tenant, &slot, err));
    *count = 0;
    if (block_index_find_name(&slot->index, name, &number)) {
        first = block_index_first_pair(&slot->index, number);
        *count = block_index_first_pair(&slot->index, number + 1) - first;
    }
    *out = new_texts(arena, *count);
    if (*out == NULL)
        return arena_refusal(arena, err);
    for (uint32_t i = 0; i < *count; i++)
        (*out)[i] = block_index_value(&slot->index, first + i);
    return STATUS_OK;
}
