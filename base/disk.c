#include "base/disk.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/disk_impl.h"
#include "base/mem.h"

bool name_list_has(const struct name_list *list, const char *name)
{
    bool has = false;
    for (size_t i = 0; i < list->count && !has; i++)
        has = strcmp(list->names[i], name) == 0;
    return has;
}

void name_list_deinit(struct name_list *list)
{
    mem_free(list->names);
    *list = (struct name_list){0};
}

void name_list_append(struct name_list *list, size_t *capacity, const char *name)
{
    list->names = mem_grow(list->names, capacity, list->count + 1, sizeof *list->names);
    snprintf(list->names[list->count], DISK_NAME_MAX, "%s", name);
    list->count++;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

void name_list_sort(struct name_list *list)
{
    if (list->count > 0)
        qsort(list->names, list->count, sizeof *list->names, compare_names);
}

static bool is_plain_part(struct str part)
{
    return part.len > 0 && part.len < DISK_NAME_MAX && !str_eq(part, STR(".")) &&
           !str_eq(part, STR(".."));
}

/* Paths are made by our own code from checked parts: one that leaves the root is a bug. */
static bool path_is_valid(const char *path)
{
    struct str text = str_from(path);
    if (text.len >= DISK_PATH_MAX)
        return false;
    for (size_t at = 0; at <= text.len;) {
        size_t end = str_find(text, '/', at);
        if (!is_plain_part(str_slice(text, at, end - at)))
            return false;
        at = end + 1;
    }
    return true;
}

static bool dir_path_is_valid(const char *path)
{
    return path[0] == '\0' || path_is_valid(path);
}

static enum status check_writable(const struct disk *disk, const char *path, struct error *err)
{
    if (disk->is_read_only)
        return error_set(err, STATUS_IO, "disk: %s: opened for reading only", path);
    return STATUS_OK;
}

void disk_close(struct disk *disk)
{
    if (disk != NULL)
        disk->kind->close(disk);
}

enum status disk_create(struct disk *disk, const char *path, struct file **out, struct error *err)
{
    CHECK(path_is_valid(path));
    TRY(check_writable(disk, path, err));
    return disk->kind->create(disk, path, out, err);
}

enum status disk_open(struct disk *disk, const char *path, struct file **out, struct error *err)
{
    CHECK(path_is_valid(path));
    return disk->kind->open(disk, path, out, err);
}

enum status disk_rename(struct disk *disk, const char *from, const char *to, struct error *err)
{
    CHECK(path_is_valid(from));
    CHECK(path_is_valid(to));
    TRY(check_writable(disk, from, err));
    return disk->kind->rename(disk, from, to, err);
}

enum status disk_unlink(struct disk *disk, const char *path, struct error *err)
{
    CHECK(path_is_valid(path));
    TRY(check_writable(disk, path, err));
    return disk->kind->unlink(disk, path, err);
}

enum status disk_make_dir(struct disk *disk, const char *path, struct error *err)
{
    CHECK(path_is_valid(path));
    TRY(check_writable(disk, path, err));
    return disk->kind->make_dir(disk, path, err);
}

enum status disk_sync_dir(struct disk *disk, const char *path, struct error *err)
{
    CHECK(dir_path_is_valid(path));
    TRY(check_writable(disk, path, err));
    return disk->kind->sync_dir(disk, path, err);
}

enum status disk_list(struct disk *disk, const char *path, struct name_list *out, struct error *err)
{
    CHECK(dir_path_is_valid(path));
    *out = (struct name_list){0};
    return disk->kind->list(disk, path, out, err);
}

enum status disk_capacity_bytes(struct disk *disk, uint64_t *out, struct error *err)
{
    return disk->kind->capacity_bytes(disk, out, err);
}

enum status disk_free_bytes(struct disk *disk, uint64_t *out, struct error *err)
{
    return disk->kind->free_bytes(disk, out, err);
}

/* After a failed sync the kernel may report success for pages it has dropped. Trying again would
   turn lost data into acknowledged data. */
static enum status check_usable(const struct file *file, struct error *err)
{
    CHECK(!file->is_mapped);
    if (file->is_sync_failed)
        return error_set(err, STATUS_IO, "file: used after a failed sync");
    return STATUS_OK;
}

enum status file_append(struct file *file, struct bytes data, struct error *err)
{
    CHECK(file->is_appendable);
    TRY(check_usable(file, err));
    return file->kind->append(file, data, err);
}

enum status file_zero_ahead(struct file *file, uint64_t size_bytes, struct error *err)
{
    CHECK(file->is_appendable);
    TRY(check_usable(file, err));
    return file->kind->zero_ahead(file, size_bytes, err);
}

enum status file_reserve(struct file *file, uint64_t size_bytes, struct error *err)
{
    CHECK(file->is_appendable);
    TRY(check_usable(file, err));
    return file->kind->reserve(file, size_bytes, err);
}

enum status file_sync(struct file *file, struct error *err)
{
    TRY(check_usable(file, err));
    enum status status = file->kind->sync(file, err);
    file->is_sync_failed = status != STATUS_OK;
    return status;
}

enum status file_read(struct file *file, uint64_t offset, void *ptr, size_t len, size_t *got,
                      struct error *err)
{
    CHECK(!file->is_mapped);
    *got = 0;
    return file->kind->read(file, offset, ptr, len, got, err);
}

enum status file_size(struct file *file, uint64_t *out, struct error *err)
{
    CHECK(!file->is_mapped);
    return file->kind->size(file, out, err);
}

enum status file_map(struct file *file, struct bytes *out, struct error *err)
{
    CHECK(!file->is_mapped);
    *out = (struct bytes){0};
    TRY(file->kind->map(file, out, err));
    file->is_mapped = true;
    return STATUS_OK;
}

uint64_t file_fault_count(const struct file *file)
{
    CHECK(file->is_mapped);
    return file->kind->fault_count(file);
}

void file_close(struct file *file)
{
    if (file != NULL)
        file->kind->close(file);
}
