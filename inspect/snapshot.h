/*
 * snapshot: the names of all log segments and blocks at one moment, to see whether some went since.
 *
 * A server flushes by publishing blocks and then dropping log segments. Who read the blocks before
 * and the log after that misses samples, but also finds a segment gone, and begins anew.
 */
#ifndef CROFT_INSPECT_SNAPSHOT_H
#define CROFT_INSPECT_SNAPSHOT_H

#include "tsdb/files/shard_files.h"

/* Reading anew is tried so often before it is given up. */
enum { SNAPSHOT_TRIES_MAX = 10 };

#define SNAPSHOT_MOVES "the server changed its files each time they were read; try again"

struct snapshot {
    struct shard_files *shards;
    uint32_t shard_count;
};

/* STATUS_NOT_FOUND: not a data directory. */
MUST_USE enum status snapshot_take(struct snapshot *snapshot, struct disk *disk, struct error *err);
void snapshot_deinit(struct snapshot *snapshot);
/* `*is_intact` says whether all files of the snapshot are still there. */
MUST_USE enum status snapshot_check(const struct snapshot *snapshot, struct disk *disk,
                                    bool *is_intact, struct error *err);

#endif
