#include "tsdb/files/shard_files.h"

#include <stdio.h>

#include "base/check.h"
#include "base/number.h"
#include "tsdb/files/filenames.h"

void shard_file_path(char *path, uint32_t shard, const char *folder, const char *name)
{
    int len = snprintf(path, DISK_PATH_MAX, SHARD_FOLDER_FORMAT "%s%s%s%s", shard,
                       *folder == '\0' ? "" : "/", folder, *name == '\0' ? "" : "/", name);
    CHECK(len < DISK_PATH_MAX);
}

static enum status list_folder(struct shard_files *files, struct disk *disk, const char *folder,
                               struct name_list *out, struct error *err)
{
    char path[DISK_PATH_MAX];
    shard_file_path(path, files->shard, folder, "");
    enum status status = disk_list(disk, path, out, err);
    if (status != STATUS_NOT_FOUND)
        return status;
    files->is_missing = true;
    return STATUS_OK;
}

enum status shard_files_list(struct shard_files *files, struct disk *disk, uint32_t shard,
                             struct error *err)
{
    *files = (struct shard_files){.shard = shard};
    enum status status = list_folder(files, disk, WAL_FOLDER, &files->segments, err);
    if (status == STATUS_OK)
        status = list_folder(files, disk, BLOCKS_FOLDER, &files->blocks, err);
    if (status == STATUS_OK)
        status = list_folder(files, disk, QUARANTINE_FOLDER, &files->quarantine, err);
    if (status != STATUS_OK)
        shard_files_deinit(files);
    return status;
}

void shard_files_deinit(struct shard_files *files)
{
    name_list_deinit(&files->segments);
    name_list_deinit(&files->blocks);
    name_list_deinit(&files->quarantine);
}

/* Both are sorted. */
static bool has_all(const struct name_list *names, const struct name_list *before)
{
    size_t at = 0;
    for (size_t i = 0; i < before->count; i++) {
        while (at < names->count && strcmp(names->names[at], before->names[i]) < 0)
            at++;
        if (at == names->count || strcmp(names->names[at], before->names[i]) != 0)
            return false;
    }
    return true;
}

bool shard_files_has_all(const struct shard_files *files, const struct shard_files *before)
{
    return has_all(&files->segments, &before->segments) &&
           has_all(&files->blocks, &before->blocks) &&
           has_all(&files->quarantine, &before->quarantine);
}

void block_name(char *name, uint64_t sequence)
{
    snprintf(name, DISK_NAME_MAX, BLOCK_FILE_FORMAT, (unsigned long long)sequence);
}

bool block_name_parse(struct str name, uint64_t *sequence)
{
    char again[DISK_NAME_MAX];
    struct str digits = str_slice(name, 0, str_find(name, '.', 0));
    if (!parse_u64(digits, sequence))
        return false;
    block_name(again, *sequence);
    return str_eq(name, str_from(again));
}
