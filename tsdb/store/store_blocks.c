/*
 * The blocks of a shard: listing them, letting expired ones go, and putting a merged one in the
 * place of its inputs.
 *
 * A replacement:
 *
 *   1. the new block becomes durable; it says which sequences it replaces
 *   2. in the shard's list the inputs go and the new block comes, in one step   under the lock
 *   3. the files of the inputs are deleted, damaged ones moved to quarantine
 *
 * A crash between 1 and 3 leaves both on disk: the next start deletes what a block replaces. A file
 * that cannot be deleted is kept in mind as a leftover, and no block is made as long as there is
 * one: after a second merge nobody would say any more that the first one's inputs are to go.
 */
#include "tsdb/store/store_impl.h"

#include <stdio.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "tsdb/files/filenames.h"
#include "tsdb/files/shard_files.h"

void store_blocks(struct store *store, uint32_t number, struct arena *arena, struct block ***out,
                  size_t *count)
{
    CHECK(number < store->shard_count);
    struct shard *shard = &store->shards[number];
    rwlock_lock_read(&shard->lock);
    *count = shard->block_count;
    *out = arena_alloc(arena, shard->block_count * sizeof **out);
    for (size_t i = 0; i < shard->block_count; i++) {
        (*out)[i] = shard->blocks[i];
        block_acquire(shard->blocks[i]);
    }
    rwlock_unlock_read(&shard->lock);
}

void store_note_damage(struct store *store, struct block *block, const struct error *why)
{
    if (!block_note_damage(block))
        return;
    counter_add(&store->damaged_blocks, 1);
    log_error("%s is damaged, what can be read of it is served: %s", block_path(block), why->text);
}

uint64_t store_damaged_block_count(const struct store *store)
{
    return counter_get(&store->damaged_blocks);
}

uint64_t store_quarantine_file_count(const struct store *store)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < store->shard_count; i++) {
        char path[DISK_PATH_MAX];
        struct name_list names;
        struct error err;
        shard_path(&store->shards[i], path, QUARANTINE_FOLDER, "");
        if (disk_list(store->options.disk, path, &names, &err) != STATUS_OK)
            continue;
        count += names.count;
        name_list_deinit(&names);
    }
    return count;
}

bool store_has_blocks_of(struct store *store, const struct tenant *tenant)
{
    struct shard *shard = &store->shards[tenant->shard];
    bool has = false;
    rwlock_lock_read(&shard->lock);
    for (size_t i = 0; i < shard->block_count && !has; i++) {
        struct error err;
        size_t position;
        /* one without a directory may have some */
        has = block_find_tenant(shard->blocks[i], tenant_id_str(&tenant->id), &position, &err) !=
              STATUS_NOT_FOUND;
    }
    rwlock_unlock_read(&shard->lock);
    return has;
}

static size_t find_block_locked(const struct shard *shard, const struct block *block)
    REQUIRES_SHARED(shard->lock)
{
    size_t at = 0;
    while (at < shard->block_count && shard->blocks[at] != block)
        at++;
    return at;
}

static bool has_block(struct shard *shard, const struct block *block)
{
    rwlock_lock_read(&shard->lock);
    bool has = find_block_locked(shard, block) < shard->block_count;
    rwlock_unlock_read(&shard->lock);
    return has;
}

/* The caller gets the shard's reference. */
static void take_out_locked(struct shard *shard, const struct block *block) REQUIRES(shard->lock)
{
    size_t at = find_block_locked(shard, block);
    CHECK(at < shard->block_count);
    shard->block_count--;
    shard->blocks_version++;
    for (; at < shard->block_count; at++)
        shard->blocks[at] = shard->blocks[at + 1];
}

/* ---- dropping ---- */

static enum status drop_locked(struct shard *shard, struct block *block, struct error *err)
    REQUIRES(shard->files_lock)
{
    if (!has_block(shard, block))
        return error_set(err, STATUS_NOT_FOUND, "shard %u: no such block", shard->number);
    shard_manifest_remove(shard, block);
    enum status status = shard_save_manifest(shard, err);
    if (status == STATUS_OK)
        status = disk_unlink(shard->store->options.disk, block_path(block), err);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
        shard_manifest_add(shard, block);
        return status;
    }
    rwlock_lock_write(&shard->lock);
    take_out_locked(shard, block);
    rwlock_unlock_write(&shard->lock);
    block_release(block);
    /* at once: a block that came back later would claim to cover epochs that were begun anew */
    status = shard_sync_blocks(shard, err);
    if (status != STATUS_OK)
        shard_note_stray_locked(shard);
    return status == STATUS_OK ? shard_save_manifest(shard, err) : status;
}

enum status store_drop_block(struct store *store, uint32_t number, struct block *block,
                             struct error *err)
{
    CHECK(number < store->shard_count);
    struct shard *shard = &store->shards[number];
    mutex_lock(&shard->flush_lock);
    /* what it covers must not be replayed when it has gone; a flush may have
       failed to delete that */
    enum status status = shard_drop_log(shard, block_meta(block)->covered_epoch, err);
    if (status == STATUS_OK) {
        mutex_lock(&shard->files_lock);
        status = drop_locked(shard, block, err);
        mutex_unlock(&shard->files_lock);
    }
    mutex_unlock(&shard->flush_lock);
    return status;
}

/* ---- leftovers ---- */

void shard_note_stray_locked(struct shard *shard)
{
    CHECK(mutex_is_held(&shard->files_lock));
    shard->may_have_strays = true;
}

void shard_add_leftover_locked(struct shard *shard, uint64_t sequence)
{
    shard->leftovers = mem_grow(shard->leftovers, &shard->leftover_capacity,
                                shard->leftover_count + 1, sizeof *shard->leftovers);
    shard->leftovers[shard->leftover_count++] = sequence;
}

enum status shard_drop_leftovers_locked(struct shard *shard, struct error *err)
{
    if (shard->leftover_count == 0)
        return STATUS_OK;
    TRY(shard_save_manifest(shard, err));
    for (size_t i = 0; i < shard->leftover_count; i++) {
        char path[DISK_PATH_MAX];
        shard_block_path(shard, path, shard->leftovers[i]);
        enum status status = disk_unlink(shard->store->options.disk, path, err);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND)
            return status;
    }
    TRY(shard_sync_blocks(shard, err));
    shard->leftover_count = 0;
    return shard_save_manifest(shard, err);
}

enum status store_drop_leftovers(struct store *store, uint32_t number, struct error *err)
{
    CHECK(number < store->shard_count);
    struct shard *shard = &store->shards[number];
    mutex_lock(&shard->files_lock);
    enum status status = shard_drop_leftovers_locked(shard, err);
    mutex_unlock(&shard->files_lock);
    return status;
}

/* ---- making a block ---- */

static enum status check_room(struct shard *shard, uint64_t expected_bytes, struct error *err)
{
    uint64_t free_bytes;
    TRY(disk_free_bytes(shard->store->options.disk, &free_bytes, err));
    /* as much again stays free for the logs, which must go on */
    if (free_bytes / 2 >= expected_bytes)
        return STATUS_OK;
    return error_set(err, STATUS_UNAVAILABLE, "merge: got %llu bytes of free disk, want twice %llu",
                     (unsigned long long)free_bytes, (unsigned long long)expected_bytes);
}

enum status store_new_block(struct store *store, const struct block_meta *wanted,
                            uint64_t expected_bytes, struct block_writer **out, struct error *err)
{
    CHECK(wanted->shard < store->shard_count);
    CHECK(wanted->level > 0);
    struct shard *shard = &store->shards[wanted->shard];
    char folder[DISK_PATH_MAX];
    TRY(store_drop_leftovers(store, wanted->shard, err));
    TRY(check_room(shard, expected_bytes, err));
    struct block_meta meta = *wanted;
    rwlock_lock_write(&shard->lock);
    meta.sequence = shard->next_sequence++;
    rwlock_unlock_write(&shard->lock);
    snprintf(folder, sizeof folder, "%s/%s", shard->folder, BLOCKS_FOLDER);
    return block_writer_open(store->options.disk, folder, &meta, out, err);
}

/* ---- 1: making it durable ---- */

/* Damaged blocks are not replaced: they hold something that the new one does not. */
static void name_replaced(const struct block_replacement *r)
{
    uint64_t sequences[BLOCK_REPLACED_MAX];
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++) {
        if (r->is_damaged[i])
            continue;
        uint64_t sequence = block_meta(r->blocks[i])->sequence;
        size_t at = count++;
        for (; at > 0 && sequences[at - 1] > sequence; at--)
            sequences[at] = sequences[at - 1];
        sequences[at] = sequence;
    }
    for (size_t i = 0; i < count; i++)
        block_writer_replaces(r->writer, sequences[i]);
}

/* What was not published must not be there at the next start. */
static void remove_new(struct shard *shard, uint64_t sequence)
{
    struct error err;
    mutex_lock(&shard->files_lock);
    shard_add_leftover_locked(shard, sequence);
    if (shard_drop_leftovers_locked(shard, &err) != STATUS_OK)
        log_error("merge: a block that was not published stays for now: %s", err.text);
    mutex_unlock(&shard->files_lock);
}

/* ---- 2 and 3: publishing ---- */

static bool has_all(struct shard *shard, const struct block_replacement *r)
{
    for (size_t i = 0; i < r->count; i++) {
        if (!has_block(shard, r->blocks[i]))
            return false;
    }
    return true;
}

static void exchange_blocks(struct shard *shard, const struct block_replacement *r,
                            struct block *fresh)
{
    rwlock_lock_write(&shard->lock);
    for (size_t i = 0; i < r->count; i++)
        take_out_locked(shard, r->blocks[i]);
    shard_add_block_locked(shard, fresh);
    rwlock_unlock_write(&shard->lock);
}

static void retire_locked(struct shard *shard, struct block *block, bool is_damaged)
    REQUIRES(shard->files_lock)
{
    struct error err;
    char name[DISK_NAME_MAX];
    block_name(name, block_meta(block)->sequence);
    if (!is_damaged)
        shard_add_leftover_locked(shard, block_meta(block)->sequence);
    else if (shard_quarantine_file(shard, BLOCKS_FOLDER, name, &err) != STATUS_OK) {
        log_error("merge: a damaged block stays until the next start: %s", err.text);
        shard_note_stray_locked(shard);
    }
    block_release(block);
}

static enum status publish_locked(struct shard *shard, const struct block_replacement *r,
                                  struct block *fresh, struct error *err)
    REQUIRES(shard->files_lock)
{
    /* retention may have dropped an input meanwhile */
    if (!has_all(shard, r))
        return error_set(err, STATUS_NOT_FOUND, "merge: a block of shard %u is gone",
                         shard->number);
    exchange_blocks(shard, r, fresh);
    shard_manifest_add(shard, fresh);
    for (size_t i = 0; i < r->count; i++)
        shard_manifest_remove(shard, r->blocks[i]);
    for (size_t i = 0; i < r->count; i++)
        retire_locked(shard, r->blocks[i], r->is_damaged[i]);
    struct error ignored;
    if (shard_drop_leftovers_locked(shard, &ignored) != STATUS_OK)
        log_error("merge: replaced blocks stay for now: %s", ignored.text);
    return STATUS_OK;
}

enum status store_replace_blocks(struct store *store, uint32_t number,
                                 const struct block_replacement *r, uint64_t *size_bytes,
                                 struct error *err)
{
    CHECK(number < store->shard_count);
    struct shard *shard = &store->shards[number];
    char path[DISK_PATH_MAX];
    struct block *fresh = NULL;
    uint64_t sequence = block_writer_sequence(r->writer);
    name_replaced(r);
    enum status status = block_writer_finish(r->writer, path, err);
    if (status == STATUS_OK)
        status = block_open(store->options.disk, path, &fresh, err);
    if (status == STATUS_OK) {
        *size_bytes = block_size_bytes(fresh);
        mutex_lock(&shard->files_lock);
        status = publish_locked(shard, r, fresh, err);
        mutex_unlock(&shard->files_lock);
    }
    if (status != STATUS_OK) {
        block_release(fresh);
        remove_new(shard, sequence);
    }
    return status;
}
