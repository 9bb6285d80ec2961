#include "tsdb/block/block_impl.h"

#include <stdio.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"

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

bool block_has_faulted(const struct block *block, uint64_t *faults)
{
    uint64_t before = *faults;
    *faults = file_fault_count(block->file);
    return *faults != before;
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

/* ---- the directory ---- */

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

enum status block_confirm_directory(struct block *block, struct error *err)
{
    uint64_t faults = file_fault_count(block->file);
    if (counter_get(&block->proved_faults) == faults)
        return STATUS_OK;
    TRY(block_check_directory(block, err));
    counter_set(&block->proved_faults, faults);
    return STATUS_OK;
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

/* The id of its tenant, empty when the entry leads nowhere. */
static struct str entry_id(const struct block *block, const struct block_entry *entry)
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
    return entry_id(block, &entry);
}

enum status block_find_tenant(struct block *block, struct str id, size_t *tenant, struct error *err)
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
    bool has = begin < block->footer.tenant_count && str_eq(block_tenant(block, begin), id);
    TRY(block_confirm_directory(block, err));
    return has ? STATUS_OK : STATUS_NOT_FOUND;
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

static uint64_t id_hash_of(const struct block *block, size_t tenant)
{
    return hash_bytes(bytes_of_str(block_tenant(block, tenant)));
}

/* The directory says whose index it is, so it is proved as well: else samples of one tenant might
   be shown to another. */
static enum status open_slot(const struct block *block, const struct block_entry *entry,
                             struct block_index *index, struct error *err)
{
    TRY(block_check_directory(block, err));
    return open_index(block, entry, index, err);
}

/* The entry and the index of a tenant, proved while nothing was lost. */
static enum status prove_index(const struct block *block, size_t tenant, struct block_entry *entry,
                               struct block_index *index, uint64_t *faults, struct error *err)
{
    enum status status;
    *faults = file_fault_count(block->file);
    do {
        *entry = block_entry_of(block, tenant);
        status = open_slot(block, entry, index, err);
    } while (block_has_faulted(block, faults));
    return status;
}

/* What a slot says stays as it is when it is proved again. */
static void prove_slot_locked(struct block *block, size_t tenant) REQUIRES(block->lock)
{
    struct block_slot *slot = &block->slots[tenant];
    struct block_entry entry;
    struct block_index index;
    uint64_t faults;
    struct error err;
    if (flag_is_set(&slot->is_damaged))
        return;
    if (prove_index(block, tenant, &entry, &index, &faults, &err) != STATUS_OK) {
        flag_set(&slot->is_damaged);
        return;
    }
    if (!flag_is_set(&slot->is_ready)) {
        slot->index = index;
        slot->id_hash = id_hash_of(block, tenant);
        slot->runs_offset = entry.runs_offset;
        slot->runs_len = entry.index_offset - entry.runs_offset;
        flag_set(&slot->is_ready);
    }
    counter_set(&slot->proved_faults, faults);
}

static bool is_proved(const struct block *block, const struct block_slot *slot)
{
    return flag_is_set(&slot->is_ready) &&
           counter_get(&slot->proved_faults) == file_fault_count(block->file);
}

enum status block_slot_get(struct block *block, size_t tenant, const struct block_slot **out,
                           struct error *err)
{
    CHECK(tenant < block->footer.tenant_count);
    struct block_slot *slot = &block->slots[tenant];
    if (!is_proved(block, slot)) {
        mutex_lock(&block->lock);
        prove_slot_locked(block, tenant);
        mutex_unlock(&block->lock);
    }
    *out = slot;
    if (!flag_is_set(&slot->is_damaged) && slot->id_hash == id_hash_of(block, tenant))
        return STATUS_OK;
    /* the same words as the first time: the reason has to be found again */
    struct block_entry entry = block_entry_of(block, tenant);
    struct block_index index;
    enum status status = open_slot(block, &entry, &index, err);
    if (status == STATUS_OK)
        status = error_set(err, STATUS_CORRUPT, "block: index: was damaged when it was first used");
    return error_prefix(err, status, "%s: tenant %.*s", block->path,
                        STR_ARG(entry_id(block, &entry)));
}

struct block_section block_tenant_section(struct block *block, size_t tenant)
{
    const struct block_meta *meta = &block->footer.meta;
    struct block_entry entry = block_entry_of(block, tenant);
    struct error err;
    if (block_confirm_directory(block, &err) != STATUS_OK)
        return (struct block_section){.min_ts_ms = meta->min_ts_ms, .max_ts_ms = meta->max_ts_ms};
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

size_t block_series_count(const struct block *block, size_t tenant)
{
    return block_entry_of(block, tenant).series_count;
}
