/*
 * The log of a shard from its opening on: where it begins, who commits it, and what becomes of it
 * when blocks hold what it says.
 *
 * Then it is deleted, but for segments of which not all could be read, because they are damaged or
 * their series were declared where the log is: that is in no block, so they go to quarantine. The
 * replay notes which they are.
 */
#include "tsdb/store/store_impl.h"

#include "base/log.h"
#include "base/mem.h"
#include "tsdb/files/filenames.h"

enum { WAL_SEGMENT_BYTES = 64 << 20, WAL_BATCH_MAX_BYTES = 64 << 20 };

/* ---- damaged segments ---- */

static void note_segment(struct shard *shard, const struct wal_segment_view *segment)
{
    shard->damaged_segments =
        mem_grow(shard->damaged_segments, &shard->damaged_segment_capacity,
                 shard->damaged_segment_count + 1, sizeof *shard->damaged_segments);
    shard->damaged_segments[shard->damaged_segment_count++] =
        (struct segment_id){segment->epoch, segment->number};
}

static void note_if_unread(void *context, const struct wal_segment_view *segment)
{
    struct shard *shard = context;
    shard_manifest_raise_durable(
        shard, (struct manifest_segment){segment->epoch, segment->number, segment->durable_bytes});
    shard->replay.lost_samples += segment->unread_samples;
    if (segment->is_damaged || segment->unread_samples > 0)
        note_segment(shard, segment);
}

static void note_if_damaged(void *context, const struct wal_segment_view *segment)
{
    if (segment->is_damaged)
        note_segment(context, segment);
}

struct wal_observer shard_damage_observer(struct shard *shard)
{
    return (struct wal_observer){.context = shard, .segment_end = note_if_unread};
}

static enum status quarantine_segment(struct shard *shard, struct segment_id id, struct error *err)
{
    char name[DISK_NAME_MAX];
    segment_name(name, id);
    enum status status = shard_quarantine_file(shard, WAL_FOLDER, name, err);
    if (status == STATUS_OK)
        log_error("%s/" WAL_FOLDER "/%s could not all be read and is in quarantine; what could be "
                  "is in blocks",
                  shard->folder, name);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Each is durably in its place before the next one goes, which says how much of it counts. */
static enum status quarantine_segments(struct shard *shard, uint32_t epoch, struct error *err)
{
    struct segment_id *ids = shard->damaged_segments;
    while (shard->damaged_segment_count > 0 && ids[0].epoch <= epoch) {
        TRY(quarantine_segment(shard, ids[0], err));
        shard->damaged_segment_count--;
        memmove(ids, ids + 1, shard->damaged_segment_count * sizeof *ids);
    }
    return STATUS_OK;
}

/* ---- dropping ---- */

enum status shard_drop_log(struct shard *shard, uint32_t epoch, struct error *err)
{
    /* not written any more: on a full disk it could not be */
    mutex_lock(&shard->commit_lock);
    wal_skip(shard->wal, epoch);
    mutex_unlock(&shard->commit_lock);
    shard_manifest_forget_log(shard, epoch);
    TRY(shard_save_manifest(shard, err));
    TRY(quarantine_segments(shard, epoch, err));
    TRY(wal_drop(shard->wal, epoch, err));
    return shard_save_manifest(shard, err);
}

/* ---- opening ---- */

/* Of the segments in a folder; both 0 when there are none. */
struct epochs {
    uint32_t first;
    uint32_t last;
};

static enum status list_epochs(const struct shard *shard, const char *folder, struct epochs *out,
                               struct error *err)
{
    char path[DISK_PATH_MAX];
    struct name_list names;
    *out = (struct epochs){0};
    shard_path(shard, path, folder, "");
    TRY(disk_list(shard->store->options.disk, path, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        struct segment_id id;
        if (!segment_id_parse(str_from(names.names[i]), &id))
            continue;
        if (out->first == 0 || id.epoch < out->first)
            out->first = id.epoch;
        if (id.epoch > out->last)
            out->last = id.epoch;
    }
    name_list_deinit(&names);
    return STATUS_OK;
}

enum status shard_find_covered_damage(struct shard *shard, struct error *err)
{
    char folder[DISK_PATH_MAX];
    struct epochs logged;
    struct wal_replay_report ignored;
    /* what rests on a segment that was dropped already is in blocks as well */
    const struct wal_observer observer = {.context = shard, .segment_end = note_if_damaged};
    const struct wal_replay_handler handler = {.observer = &observer};
    TRY(list_epochs(shard, WAL_FOLDER, &logged, err));
    if (logged.first == 0 || logged.first > shard->covered_epoch)
        return STATUS_OK;
    shard_path(shard, folder, WAL_FOLDER, "");
    const struct wal_replay_options options = {.disk = shard->store->options.disk,
                                               .folder = folder,
                                               .shard = shard->number,
                                               .handler = &handler};
    enum status status = wal_replay(&options, &ignored, err);
    return status == STATUS_CORRUPT ? STATUS_OK : status; /* the replay says so where it counts */
}

static void wake_committer(void *context)
{
    struct shard *shard = context;
    mutex_lock(&shard->wake_lock);
    shard->is_woken = true;
    cond_signal(&shard->wake);
    mutex_unlock(&shard->wake_lock);
}

/* No number is used twice, so that a file in quarantine is never replaced by another, and one that
   is gone and comes back finds its place free. */
static enum status last_epoch(const struct shard *shard, uint32_t *out, struct error *err)
{
    const struct manifest *manifest = &shard->manifest;
    struct epochs kept;
    TRY(list_epochs(shard, QUARANTINE_FOLDER, &kept, err));
    *out = kept.last > shard->covered_epoch ? kept.last : shard->covered_epoch;
    size_t count = manifest->segment_count;
    if (count > 0 && manifest->segments[count - 1].epoch > *out)
        *out = manifest->segments[count - 1].epoch;
    return STATUS_OK;
}

enum status shard_open_log(struct shard *shard, struct error *err)
{
    char folder[DISK_PATH_MAX];
    uint32_t epoch_after;
    TRY(last_epoch(shard, &epoch_after, err));
    shard_path(shard, folder, WAL_FOLDER, "");
    uint64_t segment_bytes = shard->store->options.wal_segment_bytes;
    struct wal_options options = {.disk = shard->store->options.disk,
                                  .folder = folder,
                                  .shard = shard->number,
                                  .segment_bytes =
                                      segment_bytes == 0 ? WAL_SEGMENT_BYTES : segment_bytes,
                                  .batch_max_bytes = WAL_BATCH_MAX_BYTES,
                                  .epoch_after = epoch_after};
    TRY(wal_open(&options, &shard->wal, err));
    wal_set_wake(shard->wal, wake_committer, shard);
    /* a disk that does not take the manifest is no reason not to start: the next flush drops it */
    struct error ignored;
    if (shard_save_manifest(shard, &ignored) != STATUS_OK)
        return STATUS_OK;
    return shard_drop_log(shard, shard->covered_epoch, err);
}
