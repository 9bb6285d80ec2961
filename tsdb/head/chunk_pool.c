#include "tsdb/head/chunk_pool.h"

#include "base/check.h"
#include "base/mem.h"
#include "tsdb/codec/chunk.h"

/* A ref counts units of 4 bytes: 14 bits for the place in a page of 64 KiB, 18 for the page, 16 GiB
 * in all. */
enum { UNIT_BYTES = 4, UNIT_BITS = 14, PAGE_BYTES = UNIT_BYTES << UNIT_BITS };
enum { PAGE_COUNT_MAX = 1 << (32 - UNIT_BITS) };

_Static_assert(_Alignof(struct sealed_chunk) <= UNIT_BYTES, "every unit may begin a chunk");
_Static_assert(offsetof(struct sealed_chunk, bytes) + CHUNK_BYTES_MAX <= PAGE_BYTES,
               "a chunk fits a page");
_Static_assert(CHUNK_BYTES_MAX <= UINT16_MAX, "a chunk's length fits its field");

struct chunk_page {
    uint8_t *ptr; /* NULL: free */
    bool is_aside;
};

void chunk_pool_init(struct chunk_pool *pool)
{
    *pool = (struct chunk_pool){.open_page = SIZE_MAX};
}

void chunk_pool_deinit(struct chunk_pool *pool)
{
    for (size_t i = 0; i < pool->page_count; i++)
        mem_free(pool->pages[i].ptr);
    mem_free(pool->pages);
    chunk_pool_init(pool);
}

static void open_page(struct chunk_pool *pool)
{
    size_t page = pool->free_page;
    while (page < pool->page_count && pool->pages[page].ptr != NULL)
        page++;
    if (page == pool->page_count) {
        /* the last page stays unused, so that no ref is CHUNK_REF_NONE */
        CHECK(page < PAGE_COUNT_MAX - 1);
        pool->pages = mem_grow(pool->pages, &pool->page_capacity, page + 1, sizeof *pool->pages);
        pool->page_count++;
    }
    pool->pages[page] = (struct chunk_page){.ptr = mem_alloc(PAGE_BYTES)};
    pool->free_page = page + 1;
    pool->open_page = page;
    pool->open_bytes = 0;
    pool->used_pages++;
}

static uint32_t take(struct chunk_pool *pool, size_t size_bytes)
{
    size_t padded = (size_bytes + UNIT_BYTES - 1) & ~(size_t)(UNIT_BYTES - 1);
    if (pool->open_page == SIZE_MAX || padded > PAGE_BYTES - pool->open_bytes)
        open_page(pool);
    uint32_t ref = (uint32_t)(pool->open_page << UNIT_BITS | pool->open_bytes / UNIT_BYTES);
    pool->open_bytes += padded;
    return ref;
}

void chunk_pool_add(struct chunk_pool *pool, uint32_t *newest, struct bytes chunk)
{
    CHECK(chunk.len <= CHUNK_BYTES_MAX);
    uint32_t ref = take(pool, offsetof(struct sealed_chunk, bytes) + chunk.len);
    struct sealed_chunk *sealed = chunk_pool_at(pool, ref);
    sealed->next = ref;
    sealed->len = (uint16_t)chunk.len;
    memcpy(sealed->bytes, chunk.ptr, chunk.len);
    chunk_pool_join(pool, newest, &ref);
}

void chunk_pool_join(struct chunk_pool *pool, uint32_t *older, uint32_t *newer)
{
    if (*newer == CHUNK_REF_NONE)
        return;
    if (*older != CHUNK_REF_NONE) {
        struct sealed_chunk *end = chunk_pool_at(pool, *older);
        struct sealed_chunk *new_end = chunk_pool_at(pool, *newer);
        uint32_t oldest = end->next;
        end->next = new_end->next;
        new_end->next = oldest;
    }
    *older = *newer;
    *newer = CHUNK_REF_NONE;
}

struct sealed_chunk *chunk_pool_at(const struct chunk_pool *pool, uint32_t ref)
{
    size_t unit = ref & ((UINT32_C(1) << UNIT_BITS) - 1);
    return (struct sealed_chunk *)(void *)(pool->pages[ref >> UNIT_BITS].ptr + unit * UNIT_BYTES);
}

void chunk_pool_set_aside(struct chunk_pool *pool)
{
    for (size_t i = 0; i < pool->page_count; i++)
        pool->pages[i].is_aside = pool->pages[i].ptr != NULL;
    pool->open_page = SIZE_MAX;
}

void chunk_pool_drop_aside(struct chunk_pool *pool)
{
    for (size_t i = 0; i < pool->page_count; i++) {
        if (!pool->pages[i].is_aside)
            continue;
        mem_free(pool->pages[i].ptr);
        pool->pages[i] = (struct chunk_page){0};
        pool->used_pages--;
    }
    pool->free_page = 0;
}

size_t chunk_pool_memory_bytes(const struct chunk_pool *pool)
{
    return pool->used_pages * PAGE_BYTES + pool->page_capacity * sizeof *pool->pages;
}
