/*
 * slab: elements of one size, found by 32-bit refs; no malloc for each.
 *
 *     ref = page << page_bits | place in the page
 *
 * Pages never move, so a pointer stays valid until its element is given back. Free elements form a
 * list through their first four bytes; the rest of a free element keeps what it had, until
 * slab_shrink, which frees the pages that have no element in use. A page that went comes back under
 * its old refs before the slab gets any new ones.
 *
 * An element may have several rows; then a page holds the first rows of all its elements, then the
 * second ones, and so on: who goes through the elements row by row finds neighbours side by side.
 *
 * slab_set_aside sets the elements of that moment apart: they stay where they are, new ones come
 * from other pages, so that all of them can go at once.
 *
 * Ownership:  the caller owns the struct; the slab owns the pages.
 * Threads:    not synchronised.
 */
#ifndef CROFT_TSDB_SLAB_H
#define CROFT_TSDB_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLAB_REF_NONE UINT32_MAX

struct slab {
    uint8_t **pages; /* NULL where slab_shrink has freed one */
    size_t page_count;
    size_t page_capacity;
    size_t freed_pages;
    size_t freed_page; /* no page below is freed */
    uint32_t row_bytes;
    uint32_t row_count; /* of each element */
    uint32_t page_bits;
    uint32_t slot_count; /* refs ever taken: 0 <= ref < slot_count */
    uint32_t free_head;  /* SLAB_REF_NONE when no element is free */
    bool *aside;         /* by page; NULL when nothing is set aside */
    size_t aside_count;  /* pages that there were */
    uint32_t aside_free; /* as free_head, of the pages that are set aside */
};

/* A page holds 1 << page_bits elements and is aligned to a cache line. `element_bytes` >= 4. */
void slab_init(struct slab *slab, uint32_t element_bytes, uint32_t page_bits);
/* The same, each element in rows of `row_bytes` >= 4. */
void slab_init_rows(struct slab *slab, uint32_t row_bytes, uint32_t row_count, uint32_t page_bits);
void slab_deinit(struct slab *slab);
/* An element that is free; zeroed when it was never used before. */
uint32_t slab_take(struct slab *slab);
/* Back to the slab; `ref` was taken. */
void slab_give(struct slab *slab, uint32_t ref);
/* Frees the pages of which no element is in use; takes time for each free element. After it,
   slab_at may be called for elements in use only. */
void slab_shrink(struct slab *slab);
/* CHECK: nothing is set aside. Until slab_drop_aside or slab_take_back no element that is set
   aside is given back. */
void slab_set_aside(struct slab *slab);
/* Gives back all elements that are set aside, and their pages. */
void slab_drop_aside(struct slab *slab);
/* They are ordinary again. */
void slab_take_back(struct slab *slab);
size_t slab_memory_bytes(const struct slab *slab);

/* The element, or its first row. */
static inline void *slab_at(const struct slab *slab, uint32_t ref)
{
    uint32_t place = ref & ((UINT32_C(1) << slab->page_bits) - 1);
    return slab->pages[ref >> slab->page_bits] + (size_t)place * slab->row_bytes;
}

static inline void *slab_row_at(const struct slab *slab, uint32_t ref, uint32_t row)
{
    uint8_t *first = slab_at(slab, ref);
    return first + ((size_t)row * slab->row_bytes << slab->page_bits);
}

#endif
