/*
 * chunk_pool: the sealed chunks of a head, each a link of its series' list.
 *
 *     series ─► newest ─► oldest ─► ... ─► newest       a ring, so that one ref is enough to append
 *                                                       at the end and to walk from the start
 *
 * Chunks are laid one behind the other into pages and are never freed one by one:
 * chunk_pool_set_aside marks the pages of all chunks there are, chunk_pool_drop_aside frees those
 * pages.
 *
 * Ownership:  the caller owns the struct; the pool owns the chunks.
 * Threads:    not synchronised. A chunk does not move or change, but for its link.
 */
#ifndef CROFT_TSDB_CHUNK_POOL_H
#define CROFT_TSDB_CHUNK_POOL_H

#include <stdbool.h>

#include "base/bytes.h"

#define CHUNK_REF_NONE UINT32_MAX

/* Six bytes in front of each chunk: with 16 samples to a chunk, every one shows in the bytes per
 * series. */
struct sealed_chunk {
    uint32_t next; /* the next newer chunk of the series; of the newest: the oldest */
    uint16_t len;
    uint8_t bytes[];
};

static inline struct bytes sealed_bytes(const struct sealed_chunk *chunk)
{
    return (struct bytes){chunk->bytes, chunk->len};
}

struct chunk_page;

struct chunk_pool {
    struct chunk_page *pages;
    size_t page_count;
    size_t page_capacity;
    size_t free_page;  /* no page below is free */
    size_t open_page;  /* SIZE_MAX when there is none */
    size_t open_bytes; /* used of the open page */
    size_t used_pages;
};

void chunk_pool_init(struct chunk_pool *pool);
void chunk_pool_deinit(struct chunk_pool *pool);
/* Copies the chunk and makes it the newest of the ring `*newest`. At most CHUNK_BYTES_MAX bytes. */
void chunk_pool_add(struct chunk_pool *pool, uint32_t *newest, struct bytes chunk);
/* Hangs the ring `*newer` behind `*older`; `*older` becomes the newest of all, `*newer` none. */
void chunk_pool_join(struct chunk_pool *pool, uint32_t *older, uint32_t *newer);
struct sealed_chunk *chunk_pool_at(const struct chunk_pool *pool, uint32_t ref);

/* Marks what chunk_pool_drop_aside will free: all chunks that are there now. Each call replaces the
   marks of the one before. */
void chunk_pool_set_aside(struct chunk_pool *pool);
void chunk_pool_drop_aside(struct chunk_pool *pool);
size_t chunk_pool_memory_bytes(const struct chunk_pool *pool);

#endif
