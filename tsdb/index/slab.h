/*
 * slab: elements of one size, found by 32-bit refs; no malloc for each.
 *
 *     ref = page << page_bits | place in the page
 *
 * Pages never move, so a pointer stays valid until its element is given back. Free elements form a
 * list through their first four bytes; the rest of a free element keeps what it had.
 *
 * Ownership:  the caller owns the struct; the slab owns the pages, which it keeps until
 * slab_deinit. Threads:    not synchronised.
 */
#ifndef CROFT_TSDB_SLAB_H
#define CROFT_TSDB_SLAB_H

#include <stddef.h>
#include <stdint.h>

#define SLAB_REF_NONE UINT32_MAX

struct slab {
    uint8_t **pages;
    size_t page_count;
    size_t page_capacity;
    uint32_t element_bytes;
    uint32_t page_bits;
    uint32_t slot_count; /* refs ever taken: 0 <= ref < slot_count */
    uint32_t free_head;  /* SLAB_REF_NONE when no element is free */
};

/* A page holds 1 << page_bits elements and is aligned to a cache line. `element_bytes` >= 4. */
void slab_init(struct slab *slab, uint32_t element_bytes, uint32_t page_bits);
void slab_deinit(struct slab *slab);
/* An element that is free; zeroed when it was never used before. */
uint32_t slab_take(struct slab *slab);
/* Back to the slab; `ref` was taken. */
void slab_give(struct slab *slab, uint32_t ref);
size_t slab_memory_bytes(const struct slab *slab);

static inline void *slab_at(const struct slab *slab, uint32_t ref)
{
    uint32_t place = ref & ((UINT32_C(1) << slab->page_bits) - 1);
    return slab->pages[ref >> slab->page_bits] + (size_t)place * slab->element_bytes;
}

#endif
