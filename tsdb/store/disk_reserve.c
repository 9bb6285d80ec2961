#include "tsdb/store/disk_reserve.h"

#include "base/log.h"
#include "tsdb/files/filenames.h"

/* The disk is roomy while it has so many times the reserve. */
enum { ROOMY_TIMES = 64 };

void disk_reserve_init(struct disk_reserve *reserve, struct disk *disk, uint64_t size_bytes)
{
    *reserve = (struct disk_reserve){.disk = disk, .size_bytes = size_bytes};
    mutex_init(&reserve->lock);
}

void disk_reserve_deinit(struct disk_reserve *reserve)
{
    mutex_deinit(&reserve->lock);
}

static enum status remove_file(struct disk_reserve *reserve, struct error *err)
{
    enum status status = disk_unlink(reserve->disk, RESERVE_FILE, err);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* What an earlier process held goes first: nothing tells whether it is all there. */
static enum status make_file(struct disk_reserve *reserve, struct error *err)
{
    struct file *file;
    TRY(remove_file(reserve, err));
    TRY(disk_create(reserve->disk, RESERVE_FILE, &file, err));
    enum status status = file_reserve(file, reserve->size_bytes, err);
    file_close(file);
    struct error ignored;
    enum status removed = status == STATUS_OK ? status : remove_file(reserve, &ignored);
    (void)removed; /* the next attempt does it */
    return status;
}

static enum status adjust_locked(struct disk_reserve *reserve, uint64_t free_bytes,
                                 struct error *err) REQUIRES(reserve->lock)
{
    bool is_roomy = free_bytes / ROOMY_TIMES >= reserve->size_bytes;
    if (reserve->is_adjusted && reserve->is_held != is_roomy)
        return STATUS_OK;
    reserve->is_adjusted = false; /* a failure is tried again */
    TRY(is_roomy ? remove_file(reserve, err) : make_file(reserve, err));
    reserve->is_held = !is_roomy;
    reserve->is_adjusted = true;
    return STATUS_OK;
}

enum status disk_reserve_adjust(struct disk_reserve *reserve, uint64_t free_bytes,
                                struct error *err)
{
    if (reserve->size_bytes == 0)
        return STATUS_OK;
    mutex_lock(&reserve->lock);
    enum status status = adjust_locked(reserve, free_bytes, err);
    mutex_unlock(&reserve->lock);
    return status;
}

static bool release_locked(struct disk_reserve *reserve) REQUIRES(reserve->lock)
{
    struct error err;
    if (!reserve->is_held || remove_file(reserve, &err) != STATUS_OK)
        return false;
    reserve->is_held = false;
    /* a journaling file system has the space only when it has written down that the file is gone;
       where that fails the deletion does as well */
    enum status synced = disk_sync_dir(reserve->disk, "", &err);
    (void)synced;
    return true;
}

bool disk_reserve_release(struct disk_reserve *reserve)
{
    mutex_lock(&reserve->lock);
    bool is_released = release_locked(reserve);
    mutex_unlock(&reserve->lock);
    if (is_released)
        log_warn("a deletion found the disk full: the %llu bytes of " RESERVE_FILE " are given up",
                 (unsigned long long)reserve->size_bytes);
    return is_released;
}

uint64_t disk_reserve_held_bytes(struct disk_reserve *reserve)
{
    mutex_lock(&reserve->lock);
    uint64_t held_bytes = reserve->is_held ? reserve->size_bytes : 0;
    mutex_unlock(&reserve->lock);
    return held_bytes;
}
