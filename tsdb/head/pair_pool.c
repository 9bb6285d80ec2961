#include "tsdb/head/pair_pool.h"

#include "base/check.h"
#include "base/mem.h"

enum { PAGE_BITS = 8 };

void pair_pool_init(struct pair_pool *pool)
{
    *pool = (struct pair_pool){0};
}

void pair_pool_deinit(struct pair_pool *pool)
{
    for (size_t i = 0; i < pool->class_count; i++)
        slab_deinit(&pool->classes[i]);
    mem_free(pool->classes);
    pair_pool_init(pool);
}

uint32_t pair_pool_take(struct pair_pool *pool, size_t count)
{
    CHECK(count > 0);
    size_t size_class = (count - 1) / PAIR_POOL_STEP;
    pool->classes =
        mem_grow(pool->classes, &pool->class_capacity, size_class + 1, sizeof *pool->classes);
    for (; pool->class_count <= size_class; pool->class_count++) {
        size_t numbers = (pool->class_count + 1) * PAIR_POOL_STEP;
        slab_init(&pool->classes[pool->class_count], (uint32_t)(numbers * sizeof(uint32_t)),
                  PAGE_BITS);
    }
    return slab_take(&pool->classes[size_class]);
}

void pair_pool_give(struct pair_pool *pool, uint32_t ref, size_t count)
{
    slab_give(&pool->classes[(count - 1) / PAIR_POOL_STEP], ref);
}

void pair_pool_shrink(struct pair_pool *pool)
{
    for (size_t i = 0; i < pool->class_count; i++)
        slab_shrink(&pool->classes[i]);
}

size_t pair_pool_memory_bytes(const struct pair_pool *pool)
{
    size_t bytes = pool->class_capacity * sizeof *pool->classes;
    for (size_t i = 0; i < pool->class_count; i++)
        bytes += slab_memory_bytes(&pool->classes[i]);
    return bytes;
}
