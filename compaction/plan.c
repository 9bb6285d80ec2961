#include "compaction/plan.h"

bool plan_wants_flush(const struct plan_limits *limits, const struct shard_status *status,
                      uint32_t shard, uint32_t shard_count)
{
    if (status->head_samples == 0)
        return false;
    /* at most half as long again for the last shard */
    int64_t turn_ms = limits->flush_after_ms / 2 * (int64_t)shard / (int64_t)shard_count;
    return status->head_age_ms >= limits->flush_after_ms + turn_ms ||
           status->head_sample_memory_bytes > limits->flush_memory_bytes || status->wants_memory ||
           status->head_samples > limits->flush_samples ||
           status->wal_bytes > limits->flush_wal_bytes ||
           status->wal_bytes > status->disk_free_bytes;
}

bool plan_is_expired(const struct block_meta *meta, int64_t retention_ms, int64_t now_ms)
{
    return meta->max_ts_ms < now_ms - retention_ms;
}
