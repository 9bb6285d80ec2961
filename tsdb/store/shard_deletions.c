/*
 * The deletions of a shard in memory and in their file, which is written aside and renamed. There
 * is no file when nothing is deleted.
 */
#include "tsdb/store/store_impl.h"

#include <stdio.h>

#include "base/check.h"
#include "base/log.h"
#include "base/whole_file.h"
#include "tsdb/files/filenames.h"
#include "tsdb/store/deletions_file.h"

/* ---- reading ---- */

static void file_path(const struct shard *shard, char *path, const char *name)
{
    snprintf(path, DISK_PATH_MAX, "%s/%s", shard->folder, name);
}

/* What was deleted is there again then, until somebody looks at the file. */
static enum status quarantine(struct shard *shard, const struct error *why, struct error *err)
{
    log_error("shard %u: deleted samples are there again, their list is damaged: %s", shard->number,
              why->text);
    shard->replay.quarantined_blocks++;
    shard->has_bad_deletions = true;
    if (shard->store->options.is_read_only)
        return STATUS_OK;
    return shard_quarantine_file(shard, "", DELETIONS_FILE, err);
}

/* No new block may have a sequence that a deletion counts for. */
static void note_sequences(struct shard *shard, const struct deletions *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->ptr[i].last_sequence >= shard->next_sequence)
            shard->next_sequence = list->ptr[i].last_sequence + 1;
    }
}

static void use_list(struct shard *shard, struct deletions *list)
{
    rwlock_lock_write(&shard->lock);
    deletions_release(shard->deletions);
    shard->deletions = list;
    shard->blocks_version++;
    note_sequences(shard, list);
    rwlock_unlock_write(&shard->lock);
}

static enum status write_list(struct shard *shard, const struct deletions *list, const char *path,
                              struct error *err)
{
    struct buffer bytes;
    buffer_init(&bytes, DELETIONS_FILE_BYTES_MAX);
    deletions_encode(&bytes, list, shard->number);
    enum status status =
        bytes.is_overflown
            ? error_set(err, STATUS_LIMIT, "deletions: got more than %d bytes of matchers",
                        DELETIONS_FILE_BYTES_MAX)
            : whole_file_replace(shard->store->options.disk, shard->folder, path,
                                 buffer_bytes(&bytes), err);
    buffer_deinit(&bytes);
    return status;
}

/* The next damage may be to the other copy. */
static void mend_copy(struct shard *shard, const struct deletions *list)
{
    struct error err = {0};
    char path[DISK_PATH_MAX];
    file_path(shard, path, DELETIONS_FILE);
    enum status status =
        shard->store->options.is_read_only ? STATUS_OK : write_list(shard, list, path, &err);
    log_error("%s: one of its two copies is damaged%s%s", path,
              status == STATUS_OK ? "" : ", and could not be written anew: ", err.text);
}

enum status shard_load_deletions(struct shard *shard, struct error *err)
{
    struct error why;
    struct deletions *list;
    bool is_whole;
    enum status status =
        deletions_load(shard->store->options.disk, shard->number, &list, &is_whole, &why);
    if (status == STATUS_OK)
        use_list(shard, list);
    if (status == STATUS_OK && !is_whole)
        mend_copy(shard, list);
    if (status == STATUS_CORRUPT)
        return quarantine(shard, &why, err);
    return status == STATUS_OK || status == STATUS_NOT_FOUND
               ? STATUS_OK
               : error_set(err, status, "%s", why.text);
}

struct deletions *shard_deletions(struct shard *shard)
{
    rwlock_lock_read(&shard->lock);
    struct deletions *list = shard->deletions;
    deletions_acquire(list);
    rwlock_unlock_read(&shard->lock);
    return list;
}

/* ---- writing ---- */

static enum status save(struct shard *shard, const struct deletions *list, struct error *err)
{
    struct disk *disk = shard->store->options.disk;
    char path[DISK_PATH_MAX];
    file_path(shard, path, DELETIONS_FILE);
    if (list->count > 0) {
        TRY(write_list(shard, list, path, err));
        shard_manifest_set_deletions(shard, true);
        return shard_save_manifest(shard, err);
    }
    shard_manifest_set_deletions(shard, false);
    TRY(shard_save_manifest(shard, err));
    enum status status = disk_unlink(disk, path, err);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    TRY(disk_sync_dir(disk, shard->folder, err));
    return shard_save_manifest(shard, err);
}

static bool publish(struct shard *shard, struct deletions *list, uint64_t last_sequence)
{
    rwlock_lock_write(&shard->lock);
    bool is_last = last_sequence == UINT64_MAX || shard->next_sequence == last_sequence + 1;
    struct deletions *old = is_last ? shard->deletions : NULL;
    if (is_last) {
        shard->deletions = list;
        shard->blocks_version++;
    }
    rwlock_unlock_write(&shard->lock);
    deletions_release(old);
    return is_last;
}

/* Makes the file say what memory says. */
static enum status restore_locked(struct shard *shard, struct error *err)
    REQUIRES(shard->deletions_lock)
{
    struct deletions *list = shard_deletions(shard);
    enum status status = save(shard, list, err);
    deletions_release(list);
    counter_set(&shard->is_in_doubt, status != STATUS_OK);
    return status;
}

enum status shard_replace_deletions_locked(struct shard *shard, struct deletions *list,
                                           uint64_t last_sequence, struct error *err)
{
    CHECK(mutex_is_held(&shard->deletions_lock));
    enum status status = save(shard, list, err);
    if (status == STATUS_OK && publish(shard, list, last_sequence)) {
        counter_set(&shard->is_in_doubt, 0);
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        status = error_set(err, STATUS_UNAVAILABLE, "deletions: a merge began meanwhile");
    /* a deletion of which nobody here knows must not take effect at the next start */
    struct error ignored;
    enum status restored = restore_locked(shard, &ignored);
    (void)restored; /* else the shard is in doubt */
    return status;
}

enum status store_mend_deletions(struct store *store, uint32_t number, struct error *err)
{
    CHECK(number < store->shard_count);
    struct shard *shard = &store->shards[number];
    if (counter_get(&shard->is_in_doubt) == 0)
        return STATUS_OK;
    mutex_lock(&shard->deletions_lock);
    enum status status = restore_locked(shard, err);
    mutex_unlock(&shard->deletions_lock);
    return status;
}
