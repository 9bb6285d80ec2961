#include "inspect/snapshot.h"

#include "base/mem.h"
#include "tsdb/files/layout.h"

static enum status take(struct snapshot *snapshot, struct disk *disk, uint32_t shard_count,
                        struct error *err)
{
    snapshot->shards = mem_alloc_zeroed(shard_count, sizeof *snapshot->shards);
    for (; snapshot->shard_count < shard_count; snapshot->shard_count++) {
        struct shard_files *files = &snapshot->shards[snapshot->shard_count];
        TRY(shard_files_list(files, disk, snapshot->shard_count, err));
    }
    return STATUS_OK;
}

enum status snapshot_take(struct snapshot *snapshot, struct disk *disk, struct error *err)
{
    struct layout layout;
    *snapshot = (struct snapshot){0};
    TRY(layout_find(disk, &layout, err));
    enum status status = take(snapshot, disk, layout.shard_count, err);
    if (status != STATUS_OK)
        snapshot_deinit(snapshot);
    return status;
}

void snapshot_deinit(struct snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->shard_count; i++)
        shard_files_deinit(&snapshot->shards[i]);
    mem_free(snapshot->shards);
    *snapshot = (struct snapshot){0};
}

enum status snapshot_check(const struct snapshot *snapshot, struct disk *disk, bool *is_intact,
                           struct error *err)
{
    *is_intact = true;
    for (uint32_t i = 0; i < snapshot->shard_count && *is_intact; i++) {
        struct shard_files now;
        TRY(shard_files_list(&now, disk, i, err));
        *is_intact = shard_files_has_all(&now, &snapshot->shards[i]);
        shard_files_deinit(&now);
    }
    return STATUS_OK;
}
