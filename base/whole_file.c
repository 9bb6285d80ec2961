#include "base/whole_file.h"

#include <stdio.h>

#include "base/check.h"

static enum status read_all(struct file *file, const char *path, struct buffer *out,
                            struct error *err)
{
    uint64_t size;
    size_t got;
    TRY(file_size(file, &size, err));
    if (size > out->max_bytes - out->len)
        return error_set(err, STATUS_CORRUPT, "%s: got %llu bytes, want at most %zu", path,
                         (unsigned long long)size, out->max_bytes - out->len);
    if (size == 0)
        return STATUS_OK;
    TRY(file_read(file, 0, buffer_reserve(out, (size_t)size), (size_t)size, &got, err));
    out->len += got;
    return STATUS_OK;
}

enum status whole_file_read(struct disk *disk, const char *path, struct buffer *out,
                            struct error *err)
{
    struct file *file;
    TRY(disk_open(disk, path, &file, err));
    enum status status = read_all(file, path, out, err);
    file_close(file);
    return status;
}

static enum status write_new(struct disk *disk, const char *path, struct bytes data,
                             struct error *err)
{
    struct file *file;
    enum status status = disk_unlink(disk, path, err);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    TRY(disk_create(disk, path, &file, err));
    status = file_append(file, data, err);
    if (status == STATUS_OK)
        status = file_sync(file, err);
    file_close(file);
    return status;
}

enum status whole_file_replace(struct disk *disk, const char *folder, const char *path,
                               struct bytes data, struct error *err)
{
    char aside[DISK_PATH_MAX];
    int len = snprintf(aside, sizeof aside, "%s" WHOLE_FILE_ASIDE, path);
    CHECK(len > 0 && (size_t)len < sizeof aside);
    TRY(write_new(disk, aside, data, err));
    TRY(disk_rename(disk, aside, path, err));
    return disk_sync_dir(disk, folder, err);
}
