/*
 * The memory of the heads of all shards together.
 *
 * A series claims what it takes with an open run, whether it has one or not: a flush takes the runs
 * of all series, and the next scrape brings them back. New series are refused while the tenant's
 * own take as much as all claims leave, or more, so whoever has most is refused first (as
 * base/budget.h does it). Series are not given back as queries are: of large tenants that come one
 * after the other each takes a part of what those before it left, until nothing is left. So the
 * last eighth of the maximum is kept for small tenants, whose series take less than a 256th of it:
 *
 *     own of a large tenant < 7/8 max - claims of all
 *     own of a small tenant <     max - claims of all
 *
 * Known series go on: their samples are flushed when those of all shards take a half. During a
 * flush old and new samples are there together; where a disk is too slow for what comes in, all
 * writes wait at one and a half times the maximum.
 */
#include "tsdb/store/store_impl.h"

enum { SMALL_TENANT_PART = 256, SMALL_TENANTS_PART = 8 };

static uint64_t claimed_bytes(struct store *store)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < store->shard_count; i++)
        all += counter_get(&store->shards[i].claimed_bytes);
    return all;
}

void store_set_head_memory(struct store *store, uint64_t max_bytes)
{
    counter_set(&store->head_memory_max_bytes, max_bytes);
}

uint64_t store_head_memory(struct store *store, uint64_t *max_bytes)
{
    *max_bytes = counter_get(&store->head_memory_max_bytes);
    return claimed_bytes(store);
}

void shard_note_memory_locked(struct shard *shard)
{
    counter_set(&shard->claimed_bytes, head_claimed_bytes(shard->head));
    counter_set(&shard->sample_bytes, head_sample_memory_bytes(shard->head));
}

uint64_t shard_memory_left_locked(struct shard *shard, uint64_t own_bytes)
{
    uint64_t max_bytes = counter_get(&shard->store->head_memory_max_bytes);
    if (max_bytes == 0)
        return UINT64_MAX;
    if (own_bytes >= max_bytes / SMALL_TENANT_PART)
        max_bytes -= max_bytes / SMALL_TENANTS_PART;
    uint64_t others = claimed_bytes(shard->store) - counter_get(&shard->claimed_bytes);
    uint64_t all = others + head_claimed_bytes(shard->head);
    return all < max_bytes ? max_bytes - all : 0;
}

bool store_is_out_of_memory(struct store *store)
{
    uint64_t max_bytes = counter_get(&store->head_memory_max_bytes);
    return max_bytes != 0 && claimed_bytes(store) > max_bytes + max_bytes / 2;
}

bool shard_wants_memory(struct shard *shard)
{
    struct store *store = shard->store;
    uint64_t max_bytes = counter_get(&store->head_memory_max_bytes), all = 0;
    uint64_t own = counter_get(&shard->sample_bytes);
    for (uint32_t i = 0; i < store->shard_count; i++)
        all += counter_get(&store->shards[i].sample_bytes);
    return max_bytes != 0 && all > max_bytes / 2 && own >= all / store->shard_count;
}
