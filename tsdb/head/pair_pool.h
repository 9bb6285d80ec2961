/*
 * pair_pool: the label pair numbers of each series, as short runs of uint32_t.
 *
 * Runs of up to 4, 8, 12, ... numbers come from slabs of their own, so a run wastes at most 12
 * bytes.
 *
 * Ownership:  the caller owns the struct; the pool owns the runs.
 * Threads:    not synchronised. A run does not move while it is taken.
 */
#ifndef CROFT_TSDB_PAIR_POOL_H
#define CROFT_TSDB_PAIR_POOL_H

#include "tsdb/index/slab.h"

enum { PAIR_POOL_STEP = 4 };

struct pair_pool {
    struct slab *classes; /* class c: runs of up to (c + 1) * PAIR_POOL_STEP numbers */
    size_t class_count;
    size_t class_capacity;
};

void pair_pool_init(struct pair_pool *pool);
void pair_pool_deinit(struct pair_pool *pool);
/* A run of `count` > 0 numbers; the ref is meaningful only together with `count`. */
uint32_t pair_pool_take(struct pair_pool *pool, size_t count);
void pair_pool_give(struct pair_pool *pool, uint32_t ref, size_t count);
/* Gives back the memory that no run holds. */
void pair_pool_shrink(struct pair_pool *pool);
size_t pair_pool_memory_bytes(const struct pair_pool *pool);

static inline uint32_t *pair_pool_at(const struct pair_pool *pool, uint32_t ref, size_t count)
{
    return slab_at(&pool->classes[(count - 1) / PAIR_POOL_STEP], ref);
}

#endif
