/*
 * What a shard should have on the disk (files/manifest.h): kept as blocks come and go, and
 * compared at start.
 *
 *     files come  durable, then in the manifest      so it never names what was not there
 *     files go    out of the manifest, then deleted  so what it names was not deleted by Croft
 *
 * A full disk must not keep anything from being deleted, so then the second line goes the other way
 * round. What a merge has replaced, what has expired and what of the log blocks cover is not missed
 * either way.
 */
#include "tsdb/store/store_impl.h"

#include "base/check.h"
#include "base/log.h"
#include "base/time_text.h"
#include "tsdb/files/filenames.h"
#include "tsdb/files/shard_files.h"

/* ---- keeping ---- */

void shard_manifest_add(struct shard *shard, const struct block *block)
{
    const struct block_meta *meta = block_meta(block);
    mutex_lock(&shard->manifest_lock);
    manifest_add(&shard->manifest, &(struct manifest_block){meta->sequence, meta->min_ts_ms,
                                                            meta->max_ts_ms, meta->sample_count});
    shard->is_manifest_saved = false;
    mutex_unlock(&shard->manifest_lock);
}

void shard_manifest_remove(struct shard *shard, const struct block *block)
{
    mutex_lock(&shard->manifest_lock);
    manifest_remove(&shard->manifest, block_meta(block)->sequence);
    shard->is_manifest_saved = false;
    mutex_unlock(&shard->manifest_lock);
}

void shard_manifest_set_deletions(struct shard *shard, bool has_deletions)
{
    mutex_lock(&shard->manifest_lock);
    if (shard->manifest.has_deletions != has_deletions)
        shard->is_manifest_saved = false;
    shard->manifest.has_deletions = has_deletions;
    mutex_unlock(&shard->manifest_lock);
}

static void note_segment(struct shard *shard, struct manifest_segment segment)
{
    struct error ignored;
    mutex_lock(&shard->manifest_lock);
    manifest_note_segment(&shard->manifest, segment);
    shard->is_manifest_saved = false;
    mutex_unlock(&shard->manifest_lock);
    enum status status = shard_save_manifest(shard, &ignored);
    (void)status;
}

void shard_manifest_note_segment_locked(struct shard *shard)
{
    CHECK(mutex_is_held(&shard->commit_lock));
    struct manifest_segment end = wal_durable_end(shard->wal);
    struct segment_id id = {end.epoch, end.number};
    if (segment_id_compare(id, shard->noted_segment) == 0)
        return;
    shard->noted_segment = id;
    note_segment(shard, end);
}

void shard_manifest_raise_durable(struct shard *shard, struct manifest_segment segment)
{
    mutex_lock(&shard->manifest_lock);
    if (manifest_raise_durable(&shard->manifest, segment))
        shard->is_manifest_saved = false;
    mutex_unlock(&shard->manifest_lock);
}

void shard_manifest_note_end(struct shard *shard)
{
    struct error ignored;
    shard_manifest_raise_durable(shard, wal_durable_end(shard->wal));
    enum status status = shard_save_manifest(shard, &ignored);
    (void)status;
}

void shard_manifest_forget_log(struct shard *shard, uint32_t epoch)
{
    mutex_lock(&shard->manifest_lock);
    size_t before = shard->manifest.segment_count;
    manifest_forget_segments(&shard->manifest, epoch);
    if (shard->manifest.segment_count < before)
        shard->is_manifest_saved = false;
    mutex_unlock(&shard->manifest_lock);
}

enum status shard_save_manifest(struct shard *shard, struct error *err)
{
    enum status status = STATUS_OK;
    mutex_lock(&shard->manifest_lock);
    if (!shard->is_manifest_saved)
        status = manifest_write(shard->store->options.disk, shard->number, &shard->manifest, err);
    shard->is_manifest_saved = status == STATUS_OK;
    mutex_unlock(&shard->manifest_lock);
    return status == STATUS_UNAVAILABLE ? STATUS_OK : status;
}

/* ---- comparing, before anybody else knows the shard ---- */

static enum status has_file(const struct shard *shard, const char *folder, const char *name,
                            bool *has, struct error *err)
{
    char path[DISK_PATH_MAX];
    struct file *file = NULL;
    shard_path(shard, path, folder, name);
    enum status status = disk_open(shard->store->options.disk, path, &file, err);
    file_close(file);
    *has = status == STATUS_OK;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static bool is_replaced(struct shard *shard, uint64_t sequence)
{
    bool is = false;
    rwlock_lock_read(&shard->lock);
    for (size_t i = 0; i < shard->block_count && !is; i++)
        is = block_replaces(shard->blocks[i], sequence);
    rwlock_unlock_read(&shard->lock);
    return is;
}

static enum status is_missing(struct shard *shard, const struct manifest_block *block, bool *is,
                              struct error *err)
{
    char name[DISK_NAME_MAX];
    bool has_block, is_in_quarantine;
    block_name(name, block->sequence);
    TRY(has_file(shard, BLOCKS_FOLDER, name, &has_block, err));
    TRY(has_file(shard, QUARANTINE_FOLDER, name, &is_in_quarantine, err));
    *is = !has_block && !is_in_quarantine && !is_replaced(shard, block->sequence) &&
          block->max_ts_ms >= store_first_visible_ms(shard->store, NULL, INT64_MIN);
    return STATUS_OK;
}

static void note_missing(struct shard *shard, const struct manifest_block *block)
{
    enum { TEXT_MAX = 100 };
    char path[DISK_PATH_MAX];
    struct buffer range;
    buffer_init(&range, TEXT_MAX);
    append_time(&range, block->min_ts_ms);
    buffer_append_str(&range, STR(" to "));
    append_time(&range, block->max_ts_ms);
    shard_block_path(shard, path, block->sequence);
    log_error("%s is gone, and with it %llu samples from %.*s", path,
              (unsigned long long)block->sample_count, STR_ARG(buffer_str(&range)));
    buffer_deinit(&range);
    shard->replay.missing_files++;
}

static enum status compare_blocks(struct shard *shard, struct error *err)
{
    struct manifest *manifest = &shard->manifest;
    for (size_t i = manifest->count; i > 0; i--) {
        struct manifest_block block = manifest->blocks[i - 1];
        bool is;
        TRY(is_missing(shard, &block, &is, err));
        if (is)
            note_missing(shard, &block); /* and it stays, so that the next start says so as well */
        else
            manifest_remove(manifest, block.sequence);
    }
    return STATUS_OK;
}

/* An entry stays until blocks cover it, so that the next start says so as well. */
static enum status compare_segments(struct shard *shard, struct error *err)
{
    manifest_forget_segments(&shard->manifest, shard->covered_epoch);
    for (size_t i = 0; i < shard->manifest.segment_count; i++) {
        const struct manifest_segment *segment = &shard->manifest.segments[i];
        char name[DISK_NAME_MAX];
        bool is_in_log, is_in_quarantine;
        segment_name(name, (struct segment_id){segment->epoch, segment->number});
        TRY(has_file(shard, WAL_FOLDER, name, &is_in_log, err));
        TRY(has_file(shard, QUARANTINE_FOLDER, name, &is_in_quarantine, err));
        if (is_in_log || is_in_quarantine)
            continue;
        log_error("%s/" WAL_FOLDER "/%s is gone, and with it samples that no block holds",
                  shard->folder, name);
        shard->replay.missing_files++;
    }
    return STATUS_OK;
}

/* No sequence is used twice, also when the last block is gone. */
static void note_sequences(struct shard *shard)
{
    const struct manifest *manifest = &shard->manifest;
    uint64_t last = manifest->count == 0 ? 0 : manifest->blocks[manifest->count - 1].sequence;
    rwlock_lock_write(&shard->lock);
    if (manifest->count > 0 && last >= shard->next_sequence && last < UINT64_MAX)
        shard->next_sequence = last + 1;
    rwlock_unlock_write(&shard->lock);
}

static void add_present(struct shard *shard)
{
    rwlock_lock_read(&shard->lock);
    for (size_t i = 0; i < shard->block_count; i++)
        shard_manifest_add(shard, shard->blocks[i]);
    rwlock_unlock_read(&shard->lock);
}

static void compare_deletions(struct shard *shard)
{
    struct deletions *list = shard_deletions(shard);
    if (shard->manifest.has_deletions && list->count == 0 && !shard->has_bad_deletions) {
        log_error("%s/%s is gone: what was deleted is there again where blocks still have it",
                  shard->folder, DELETIONS_FILE);
        shard->replay.missing_files++;
    }
    shard_manifest_set_deletions(shard, list->count > 0);
    deletions_release(list);
}

/* Without it nobody can tell what else is gone. */
static void note_unreadable(struct shard *shard, enum status status, const struct error *why)
{
    if (status == STATUS_NOT_FOUND && !shard->store->has_manifests)
        return;
    log_error("shard %u: the manifest is made anew, files that are gone were not missed: %s",
              shard->number, why->text);
    shard->replay.missing_files++;
}

enum status shard_compare_manifest(struct shard *shard, struct error *err)
{
    struct error why;
    enum status status =
        manifest_read(shard->store->options.disk, shard->number, &shard->manifest, &why);
    if (status == STATUS_IO)
        return error_set(err, status, "%s", why.text);
    if (status != STATUS_OK)
        note_unreadable(shard, status, &why);
    note_sequences(shard);
    TRY(compare_blocks(shard, err));
    TRY(compare_segments(shard, err));
    add_present(shard);
    compare_deletions(shard);
    if (shard->store->options.is_read_only)
        return STATUS_OK;
    shard->is_manifest_saved = false;
    if (shard_save_manifest(shard, &why) != STATUS_OK)
        log_error("shard %u: the manifest was not written: %s", shard->number, why.text);
    return STATUS_OK;
}
