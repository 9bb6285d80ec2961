#include "tsdb/store/store_impl.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "tsdb/files/filenames.h"
#include "tsdb/files/shard_files.h"

enum { COMMIT_RETRY_MS = 200 };

void shard_path(const struct shard *shard, char *path, const char *folder, const char *name)
{
    shard_file_path(path, shard->number, folder, name);
}

/* ---- blocks ---- */

/* A block of which not all could be merged has the rank of the merged one if it was the first of
   its inputs: then either order is right, as both say the same. */
static bool is_older(const struct block *a, const struct block *b)
{
    const struct block_meta *left = block_meta(a), *right = block_meta(b);
    return left->rank != right->rank ? left->rank < right->rank : left->sequence < right->sequence;
}

void shard_add_block_locked(struct shard *shard, struct block *block)
{
    shard->blocks = mem_grow(shard->blocks, &shard->block_capacity, shard->block_count + 1,
                             sizeof(struct block *));
    size_t at = shard->block_count++;
    for (; at > 0 && is_older(block, shard->blocks[at - 1]); at--)
        shard->blocks[at] = shard->blocks[at - 1];
    shard->blocks[at] = block;
    shard->blocks_version++;
    if (block_meta(block)->max_ts_ms > shard->blocks_max_ts_ms)
        shard->blocks_max_ts_ms = block_meta(block)->max_ts_ms;
}

enum status shard_sync_blocks(struct shard *shard, struct error *err)
{
    char folder[DISK_PATH_MAX];
    shard_path(shard, folder, BLOCKS_FOLDER, "");
    return disk_sync_dir(shard->store->options.disk, folder, err);
}

void shard_block_path(const struct shard *shard, char *path, uint64_t sequence)
{
    char name[DISK_NAME_MAX];
    block_name(name, sequence);
    shard_path(shard, path, BLOCKS_FOLDER, name);
}

/* `name`, or for the shard's own files, which are made again and again, one that none in quarantine
   has. A block or segment of its name there is the same file: its move was cut off. `out` has
   DISK_NAME_MAX bytes. */
static enum status name_in_quarantine(const struct shard *shard, const char *folder,
                                      const char *name, char *out, struct error *err)
{
    char path[DISK_PATH_MAX];
    struct name_list names;
    snprintf(out, DISK_NAME_MAX, "%s", name);
    if (*folder != '\0')
        return STATUS_OK;
    shard_path(shard, path, QUARANTINE_FOLDER, "");
    TRY(disk_list(shard->store->options.disk, path, &names, err));
    for (size_t i = 1; name_list_has(&names, out); i++)
        snprintf(out, DISK_NAME_MAX, "%s.%zu", name, i);
    name_list_deinit(&names);
    return STATUS_OK;
}

enum status shard_quarantine_file(struct shard *shard, const char *folder, const char *name,
                                  struct error *err)
{
    struct disk *disk = shard->store->options.disk;
    char from[DISK_PATH_MAX], to[DISK_PATH_MAX], source[DISK_PATH_MAX], quarantine[DISK_PATH_MAX];
    char new_name[DISK_NAME_MAX];
    shard_path(shard, from, folder, name);
    shard_path(shard, source, folder, "");
    shard_path(shard, quarantine, QUARANTINE_FOLDER, "");
    /* who took the files out of it may have taken it as well */
    TRY(disk_make_dir(disk, quarantine, err));
    TRY(disk_sync_dir(disk, shard->folder, err));
    TRY(name_in_quarantine(shard, folder, name, new_name, err));
    shard_path(shard, to, QUARANTINE_FOLDER, new_name);
    TRY(disk_rename(disk, from, to, err));
    TRY(disk_sync_dir(disk, quarantine, err));
    return disk_sync_dir(disk, source, err);
}

enum status shard_get_tenant(struct shard *shard, struct str id, struct tenant **out,
                             struct error *err)
{
    TRY(tenant_table_get(shard->store->tenants, id, out, err));
    if ((*out)->shard == shard->number)
        return STATUS_OK;
    return error_set(
        err, STATUS_INVALID,
        "shard %u has samples of tenant %s, which belongs to shard %u of %u: " LAYOUT_FILE
        " is not the one that they were written with, or files were moved",
        shard->number, (*out)->id.text, (*out)->shard, shard->store->shard_count);
}

static enum status register_tenants(struct shard *shard, struct block *block, struct error *err)
{
    for (size_t i = 0; i < block_tenant_count(block); i++) {
        struct tenant *tenant;
        TRY(shard_get_tenant(shard, block_tenant(block, i), &tenant, err));
    }
    return STATUS_OK;
}

/* A file that somebody renamed or copied is damage: what is done to its block would be done to the
   file of another. */
static enum status open_named(struct shard *shard, const char *name, struct block **out,
                              struct error *err)
{
    char path[DISK_PATH_MAX];
    uint64_t sequence;
    shard_path(shard, path, BLOCKS_FOLDER, name);
    TRY(block_open(shard->store->options.disk, path, out, err));
    uint64_t own_sequence = block_meta(*out)->sequence;
    if (block_name_parse(str_from(name), &sequence) && sequence == own_sequence)
        return STATUS_OK;
    block_release(*out);
    return error_set(err, STATUS_CORRUPT, "%s: block: got sequence %llu, want that of the name",
                     path, (unsigned long long)own_sequence);
}

static enum status open_block(struct shard *shard, const char *name, struct error *err)
{
    struct block *block;
    enum status status = open_named(shard, name, &block, err);
    if (status == STATUS_CORRUPT) {
        bool is_read_only = shard->store->options.is_read_only;
        log_error("block is damaged, %s: %s", is_read_only ? "left out" : "moved to quarantine",
                  err->text);
        shard->replay.quarantined_blocks++;
        return is_read_only ? STATUS_OK : shard_quarantine_file(shard, BLOCKS_FOLDER, name, err);
    }
    TRY(status);
    rwlock_lock_write(&shard->lock);
    shard_add_block_locked(shard, block);
    rwlock_unlock_write(&shard->lock);
    if (block_meta(block)->covered_epoch > shard->covered_epoch)
        shard->covered_epoch = block_meta(block)->covered_epoch;
    return register_tenants(shard, block, err);
}

static enum status open_listed_blocks(struct shard *shard, const struct name_list *names,
                                      struct error *err)
{
    for (size_t i = 0; i < names->count; i++) {
        struct str name = str_from(names->names[i]);
        if (str_ends_with(name, STR(TMP_SUFFIX)) && !shard->store->options.is_read_only) {
            char path[DISK_PATH_MAX];
            shard_path(shard, path, BLOCKS_FOLDER, names->names[i]);
            TRY(disk_unlink(shard->store->options.disk, path, err));
        } else if (str_ends_with(name, STR(BLOCK_FILE_SUFFIX))) {
            TRY(open_block(shard, names->names[i], err));
        }
    }
    return STATUS_OK;
}

static bool is_replaced_locked(const struct shard *shard, uint64_t sequence)
    REQUIRES_SHARED(shard->lock)
{
    for (size_t i = 0; i < shard->block_count; i++) {
        if (block_replaces(shard->blocks[i], sequence))
            return true;
    }
    return false;
}

/* A crash after a merge leaves its inputs beside the merged block. */
static void drop_replaced(struct shard *shard)
{
    size_t kept = 0;
    mutex_lock(&shard->files_lock);
    rwlock_lock_write(&shard->lock);
    for (size_t i = 0; i < shard->block_count; i++) {
        uint64_t sequence = block_meta(shard->blocks[i])->sequence;
        if (is_replaced_locked(shard, sequence))
            shard_add_leftover_locked(shard, sequence);
    }
    for (size_t i = 0; i < shard->block_count; i++) {
        struct block *block = shard->blocks[i];
        bool is_leftover = false;
        for (size_t k = 0; k < shard->leftover_count; k++)
            is_leftover = is_leftover || shard->leftovers[k] == block_meta(block)->sequence;
        if (is_leftover)
            block_release(block);
        else
            shard->blocks[kept++] = block;
    }
    shard->block_count = kept;
    rwlock_unlock_write(&shard->lock);
    struct error err;
    if (!shard->store->options.is_read_only &&
        shard_drop_leftovers_locked(shard, &err) != STATUS_OK)
        log_error("blocks that a merge has replaced stay for now: %s", err.text);
    mutex_unlock(&shard->files_lock);
}

/* No sequence is used twice, so that a file in quarantine is never replaced by another. */
static void note_sequences(struct shard *shard, const struct name_list *names)
{
    for (size_t i = 0; i < names->count; i++) {
        struct str name = str_from(names->names[i]);
        uint64_t sequence;
        if (parse_u64(str_slice(name, 0, str_find(name, '.', 0)), &sequence) &&
            sequence >= shard->next_sequence && sequence < UINT64_MAX)
            shard->next_sequence = sequence + 1;
    }
}

static enum status open_present_blocks(struct shard *shard, struct error *err)
{
    char folder[DISK_PATH_MAX];
    struct name_list names;
    shard_path(shard, folder, BLOCKS_FOLDER, "");
    TRY(disk_list(shard->store->options.disk, folder, &names, err));
    note_sequences(shard, &names);
    enum status status = open_listed_blocks(shard, &names, err);
    name_list_deinit(&names);
    if (status == STATUS_OK)
        drop_replaced(shard);
    return status;
}

static enum status open_blocks(struct shard *shard, struct error *err)
{
    char folder[DISK_PATH_MAX];
    struct name_list names;
    shard_path(shard, folder, QUARANTINE_FOLDER, "");
    TRY(disk_list(shard->store->options.disk, folder, &names, err));
    note_sequences(shard, &names);
    name_list_deinit(&names);
    /* a process that died may have left a name in the kernel's memory only; the log must not go for
     * it */
    TRY(shard_sync_blocks(shard, err));
    return open_present_blocks(shard, err);
}

/* ---- opening ---- */

static enum status make_folders(struct shard *shard, struct error *err)
{
    struct disk *disk = shard->store->options.disk;
    static const char *const folders[] = {WAL_FOLDER, BLOCKS_FOLDER, QUARANTINE_FOLDER};
    struct shard_files files;
    TRY(shard_files_list(&files, disk, shard->number, err));
    shard->was_missing = files.is_missing;
    shard_files_deinit(&files);
    TRY(disk_make_dir(disk, shard->folder, err));
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[DISK_PATH_MAX];
        shard_path(shard, path, folders[i], "");
        TRY(disk_make_dir(disk, path, err));
    }
    TRY(disk_sync_dir(disk, shard->folder, err));
    return disk_sync_dir(disk, "", err);
}

enum status shard_open(struct shard *shard, struct store *store, uint32_t number,
                       struct replay_crew *crew, struct error *err)
{
    *shard = (struct shard){.store = store, .number = number, .blocks_max_ts_ms = INT64_MIN};
    snprintf(shard->folder, sizeof shard->folder, SHARD_FOLDER_FORMAT, number);
    rwlock_init(&shard->lock);
    read_guard_init(&shard->guard);
    mutex_init(&shard->flush_lock);
    mutex_init(&shard->deletions_lock);
    mutex_init(&shard->files_lock);
    mutex_init(&shard->manifest_lock);
    manifest_init(&shard->manifest);
    mutex_init(&shard->commit_lock);
    mutex_init(&shard->wake_lock);
    cond_init(&shard->wake);
    late_memo_init(&shard->late_memo, shard->store->options.memory);
    shard->hints = mem_alloc_zeroed((size_t)1 << SHARD_HINT_BITS, sizeof *shard->hints);
    shard->head = head_new();
    shard->deletions = deletions_new();
    if (store->options.is_read_only) {
        TRY(shard_load_deletions(shard, err));
        TRY(open_present_blocks(shard, err));
        TRY(shard_compare_manifest(shard, err));
        return shard_replay(shard, crew, err);
    }
    TRY(make_folders(shard, err));
    TRY(shard_load_deletions(shard, err));
    TRY(open_blocks(shard, err));
    TRY(shard_compare_manifest(shard, err));
    TRY(shard_find_covered_damage(shard, err));
    TRY(shard_replay(shard, crew, err));
    TRY(shard_open_log(shard, err));
    shard_log_unproven(shard);
    return STATUS_OK;
}

/* ---- commit ---- */

enum status shard_commit(struct shard *shard, struct error *err)
{
    mutex_lock(&shard->commit_lock);
    enum status status = wal_commit(shard->wal, err);
    shard_manifest_note_segment_locked(shard);
    mutex_unlock(&shard->commit_lock);
    store_check_reserve(shard->store);
    return status;
}

/* Waits until there is something to commit; after a failure only for a while, as the log keeps the
   batch and tries again. False when it is time to stop. */
static bool wait_for_work(struct shard *shard, bool has_failed)
{
    mutex_lock(&shard->wake_lock);
    if (has_failed && !shard->is_stopping)
        cond_wait_for(&shard->wake, &shard->wake_lock, COMMIT_RETRY_MS);
    while (!has_failed && !shard->is_woken && !shard->is_stopping)
        cond_wait(&shard->wake, &shard->wake_lock);
    shard->is_woken = false;
    bool goes_on = !shard->is_stopping;
    mutex_unlock(&shard->wake_lock);
    return goes_on;
}

static void run_committer(void *context)
{
    struct shard *shard = context;
    bool has_failed = false;
    while (wait_for_work(shard, has_failed)) {
        struct error err;
        bool fails = shard_commit(shard, &err) != STATUS_OK;
        if (fails && !has_failed)
            log_error("shard %u refuses writes: %s", shard->number, err.text);
        if (!fails && has_failed)
            log_info("shard %u takes writes again", shard->number);
        has_failed = fails;
    }
}

void shard_start_committer(struct shard *shard)
{
    shard->is_woken = wal_has_pending(shard->wal);
    thread_start_numbered(&shard->committer, "commit", shard->number, run_committer, shard);
}

void shard_close(struct shard *shard)
{
    mutex_lock(&shard->wake_lock);
    shard->is_stopping = true;
    cond_signal(&shard->wake);
    mutex_unlock(&shard->wake_lock);
    thread_join(&shard->committer);
    if (shard->wal != NULL) {
        struct error err;
        if (shard_commit(shard, &err) != STATUS_OK)
            log_error("shard %u: last commit failed: %s", shard->number, err.text);
        shard_manifest_note_end(shard);
        wal_leave_proof(shard->wal);
        wal_close(shard->wal);
    }
    for (size_t i = 0; i < shard->block_count; i++)
        block_release(shard->blocks[i]);
    mem_free(shard->blocks);
    mem_free(shard->hints);
    late_memo_deinit(&shard->late_memo);
    mem_free(shard->leftovers);
    mem_free(shard->damaged_segments);
    deletions_release(shard->deletions);
    mem_free(shard->unproven);
    head_free(shard->head);
    cond_deinit(&shard->wake);
    mutex_deinit(&shard->wake_lock);
    mutex_deinit(&shard->commit_lock);
    manifest_deinit(&shard->manifest);
    mutex_deinit(&shard->manifest_lock);
    mutex_deinit(&shard->files_lock);
    mutex_deinit(&shard->deletions_lock);
    mutex_deinit(&shard->flush_lock);
    read_guard_deinit(&shard->guard);
    rwlock_deinit(&shard->lock);
}
