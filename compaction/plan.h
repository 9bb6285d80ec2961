/*
 * plan: what should be done to a store now. Pure functions: state and time in, decision out.
 */
#ifndef CROFT_COMPACTION_PLAN_H
#define CROFT_COMPACTION_PLAN_H

#include "tsdb/store/store.h"

struct plan_limits {
    int64_t flush_after_ms; /* age of the oldest sample in the head; 30 minutes */
    /* Of one shard: */
    uint64_t flush_memory_bytes; /* that samples take; series stay in memory, flushed or not */
    uint64_t flush_samples;      /* in memory: bounds the time of a replay */
    uint64_t flush_wal_bytes;    /* of the log: bounds what it takes on disk */
};

/* Whether the head of a shard should be written to blocks: at one of the limits, or before the disk
   has no room for it, for a block takes less than its log. The shards of a store take turns: each
   waits for a share of flush_after_ms more, so that they do not all flush at once. */
bool plan_wants_flush(const struct plan_limits *limits, const struct shard_status *status,
                      uint32_t shard, uint32_t shard_count);

/* Whether everything in the block is older than the retention. */
bool plan_is_expired(const struct block_meta *meta, int64_t retention_ms, int64_t now_ms);

#endif
