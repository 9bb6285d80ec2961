#include "tsdb/wal/wal_files.h"

#include "base/mem.h"

void wal_files_init(struct wal_files *files)
{
    *files = (struct wal_files){0};
    mutex_init(&files->lock);
}

void wal_files_deinit(struct wal_files *files)
{
    mem_free(files->ptr);
    mutex_deinit(&files->lock);
    *files = (struct wal_files){0};
}

static enum status scan_one(struct wal_files *files, struct disk *disk, const char *folder,
                            struct segment_id id, struct error *err)
{
    char path[DISK_PATH_MAX];
    segment_path(path, folder, id);
    struct file *file;
    TRY(disk_open(disk, path, &file, err));
    uint64_t size_bytes = 0;
    enum status status = file_size(file, &size_bytes, err);
    file_close(file);
    if (status == STATUS_OK)
        wal_files_set(files, id, size_bytes);
    return status;
}

static enum status scan_names(struct wal_files *files, struct disk *disk, const char *folder,
                              const struct name_list *names, struct error *err)
{
    for (size_t i = 0; i < names->count; i++) {
        struct segment_id id;
        if (segment_id_parse(str_from(names->names[i]), &id))
            TRY(scan_one(files, disk, folder, id, err));
    }
    return STATUS_OK;
}

enum status wal_files_scan(struct wal_files *files, struct disk *disk, const char *folder,
                           struct error *err)
{
    struct name_list names;
    TRY(disk_list(disk, folder, &names, err));
    enum status status = scan_names(files, disk, folder, &names, err);
    name_list_deinit(&names);
    TRY(status);
    return disk_sync_dir(disk, folder, err);
}

/* The place of `id`, or where it belongs. New segments come last: looked for from there. */
static size_t place_locked(const struct wal_files *files, struct segment_id id)
    REQUIRES(files->lock)
{
    size_t at = files->count;
    while (at > 0 && segment_id_compare(files->ptr[at - 1].id, id) >= 0)
        at--;
    return at;
}

static bool is_at_locked(const struct wal_files *files, size_t at, struct segment_id id)
    REQUIRES(files->lock)
{
    return at < files->count && segment_id_compare(files->ptr[at].id, id) == 0;
}

static void insert_locked(struct wal_files *files, size_t at, struct segment_id id)
    REQUIRES(files->lock)
{
    files->ptr = mem_grow(files->ptr, &files->capacity, files->count + 1, sizeof *files->ptr);
    memmove(files->ptr + at + 1, files->ptr + at, (files->count - at) * sizeof *files->ptr);
    files->ptr[at] = (struct wal_file){.id = id};
    files->count++;
}

void wal_files_set(struct wal_files *files, struct segment_id id, uint64_t size_bytes)
{
    mutex_lock(&files->lock);
    size_t at = place_locked(files, id);
    if (!is_at_locked(files, at, id))
        insert_locked(files, at, id);
    files->ptr[at].size_bytes = size_bytes;
    mutex_unlock(&files->lock);
}

void wal_files_remove(struct wal_files *files, struct segment_id id)
{
    mutex_lock(&files->lock);
    size_t at = place_locked(files, id);
    if (is_at_locked(files, at, id)) {
        files->count--;
        memmove(files->ptr + at, files->ptr + at + 1, (files->count - at) * sizeof *files->ptr);
    }
    mutex_unlock(&files->lock);
}

uint64_t wal_files_size_bytes(struct wal_files *files)
{
    uint64_t size_bytes = 0;
    mutex_lock(&files->lock);
    for (size_t i = 0; i < files->count; i++)
        size_bytes += files->ptr[i].size_bytes;
    mutex_unlock(&files->lock);
    return size_bytes;
}

bool wal_files_first(struct wal_files *files, uint32_t epoch, struct segment_id *out)
{
    mutex_lock(&files->lock);
    bool is_found = files->count > 0 && files->ptr[0].id.epoch <= epoch;
    if (is_found)
        *out = files->ptr[0].id;
    mutex_unlock(&files->lock);
    return is_found;
}

uint32_t wal_files_last_epoch(struct wal_files *files)
{
    mutex_lock(&files->lock);
    uint32_t epoch = files->count == 0 ? 0 : files->ptr[files->count - 1].id.epoch;
    mutex_unlock(&files->lock);
    return epoch;
}
