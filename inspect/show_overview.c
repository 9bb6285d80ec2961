#include <inttypes.h>

#include "inspect/topic.h"
#include "tsdb/files/filenames.h"

static enum status total_bytes(const struct topic *topic, uint32_t shard, const char *folder,
                               const struct name_list *names, uint64_t *out, struct error *err)
{
    *out = 0;
    for (size_t i = 0; i < names->count; i++) {
        char path[DISK_PATH_MAX];
        uint64_t size_bytes = 0;
        struct file *file;
        shard_file_path(path, shard, folder, names->names[i]);
        enum status status = disk_open(topic->inspection->disk, path, &file, err);
        if (status == STATUS_NOT_FOUND)
            continue;
        TRY(status);
        status = file_size(file, &size_bytes, err);
        file_close(file);
        TRY(status);
        *out += size_bytes;
    }
    return STATUS_OK;
}

static enum status show_files(const struct topic *topic, const struct shard_files *files,
                              struct error *err)
{
    const struct {
        const char *folder;
        const struct name_list *names;
    } folders[] = {{WAL_FOLDER, &files->segments},
                   {BLOCKS_FOLDER, &files->blocks},
                   {QUARANTINE_FOLDER, &files->quarantine}};
    fprintf(topic_out(topic), "shard %u\n", files->shard);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        uint64_t size_bytes;
        TRY(total_bytes(topic, files->shard, folders[i].folder, folders[i].names, &size_bytes,
                        err));
        fprintf(topic_out(topic), "  %-10s %6zu files %14" PRIu64 " bytes\n", folders[i].folder,
                folders[i].names->count, size_bytes);
    }
    return STATUS_OK;
}

enum status show_overview(struct topic *topic, struct error *err)
{
    fprintf(topic_out(topic), "%u shards\n", topic->shard_count);
    for (uint32_t shard = 0; shard < topic->shard_count; shard++) {
        struct shard_files files;
        if (!topic_covers_shard(topic, shard))
            continue;
        TRY(shard_files_list(&files, topic->inspection->disk, shard, err));
        enum status status = show_files(topic, &files, err);
        shard_files_deinit(&files);
        TRY(status);
    }
    return STATUS_OK;
}
