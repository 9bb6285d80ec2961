#include "query/engine/scratch.h"

#include "base/mem.h"

void scratch_pool_init(struct scratch_pool *pool)
{
    mutex_init(&pool->lock);
    pool->free = NULL;
}

void scratch_pool_deinit(struct scratch_pool *pool)
{
    while (pool->free != NULL) {
        struct scratch *next = pool->free->next;
        columns_deinit(&pool->free->samples);
        mem_free(pool->free->room);
        mem_free(pool->free);
        pool->free = next;
    }
    mutex_deinit(&pool->lock);
}

struct scratch *scratch_take(struct scratch_pool *pool)
{
    mutex_lock(&pool->lock);
    struct scratch *scratch = pool->free;
    if (scratch != NULL)
        pool->free = scratch->next;
    mutex_unlock(&pool->lock);
    return scratch != NULL ? scratch : mem_alloc_zeroed(1, sizeof *scratch);
}

void scratch_give(struct scratch_pool *pool, struct scratch *scratch)
{
    mutex_lock(&pool->lock);
    scratch->next = pool->free;
    pool->free = scratch;
    mutex_unlock(&pool->lock);
}

void *scratch_room(struct scratch *scratch, size_t count, size_t element_bytes)
{
    scratch->room = mem_grow(scratch->room, &scratch->room_bytes, count * element_bytes, 1);
    return scratch->room;
}
