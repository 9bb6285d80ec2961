#include "tsdb/index/slab.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"

enum { CACHE_LINE_BYTES = 64 };

void slab_init(struct slab *slab, uint32_t element_bytes, uint32_t page_bits)
{
    slab_init_rows(slab, element_bytes, 1, page_bits);
}

void slab_init_rows(struct slab *slab, uint32_t row_bytes, uint32_t row_count, uint32_t page_bits)
{
    CHECK(row_bytes >= sizeof(uint32_t));
    *slab = (struct slab){.row_bytes = row_bytes,
                          .row_count = row_count,
                          .page_bits = page_bits,
                          .free_head = SLAB_REF_NONE};
}

void slab_deinit(struct slab *slab)
{
    for (size_t i = 0; i < slab->page_count; i++)
        mem_free(slab->pages[i]);
    mem_free(slab->pages);
    mem_free(slab->aside);
    *slab = (struct slab){.free_head = SLAB_REF_NONE};
}

static size_t page_bytes(const struct slab *slab)
{
    return (size_t)slab->row_count * slab->row_bytes << slab->page_bits;
}

static uint8_t *new_page(const struct slab *slab)
{
    uint8_t *page = mem_alloc_aligned(CACHE_LINE_BYTES, page_bytes(slab));
    memset(page, 0, page_bytes(slab));
    return page;
}

static void add_page(struct slab *slab)
{
    slab->pages =
        mem_grow(slab->pages, &slab->page_capacity, slab->page_count + 1, sizeof(uint8_t *));
    slab->pages[slab->page_count++] = new_page(slab);
}

/* Of a free element. */
static uint32_t next_free(const struct slab *slab, uint32_t ref)
{
    uint32_t next;
    memcpy(&next, slab_at(slab, ref), sizeof next);
    return next;
}

/* The elements of a page that had been freed are all free again, the first of them first. */
static void restore_page(struct slab *slab)
{
    while (slab->pages[slab->freed_page] != NULL)
        slab->freed_page++;
    slab->pages[slab->freed_page] = new_page(slab);
    slab->freed_pages--;
    uint32_t first = (uint32_t)(slab->freed_page << slab->page_bits);
    for (uint32_t left = UINT32_C(1) << slab->page_bits; left > 0; left--)
        slab_give(slab, first + left - 1);
}

uint32_t slab_take(struct slab *slab)
{
    if (slab->free_head == SLAB_REF_NONE && slab->freed_pages > 0)
        restore_page(slab);
    uint32_t ref = slab->free_head;
    if (ref != SLAB_REF_NONE) {
        slab->free_head = next_free(slab, ref);
        return ref;
    }
    CHECK(slab->slot_count < SLAB_REF_NONE);
    if (slab->slot_count >> slab->page_bits == slab->page_count)
        add_page(slab);
    return slab->slot_count++;
}

void slab_give(struct slab *slab, uint32_t ref)
{
    CHECK(ref < slab->slot_count);
    memcpy(slab_at(slab, ref), &slab->free_head, sizeof slab->free_head);
    slab->free_head = ref;
}

/* By page: how many of its elements are free. */
static uint32_t *count_free(const struct slab *slab)
{
    uint32_t *counts = mem_alloc_zeroed(slab->page_count, sizeof *counts);
    for (uint32_t ref = slab->free_head; ref != SLAB_REF_NONE; ref = next_free(slab, ref))
        counts[ref >> slab->page_bits]++;
    return counts;
}

/* A page whose last elements were never taken stays: it is the newest. */
static bool is_all_free(const struct slab *slab, const uint32_t *free_counts, uint32_t page)
{
    return free_counts[page] == UINT32_C(1) << slab->page_bits;
}

/* Keeps the order of those that stay free. */
static void unlink_free_pages(struct slab *slab, const uint32_t *free_counts)
{
    uint32_t last = SLAB_REF_NONE;
    uint32_t ref = slab->free_head;
    slab->free_head = SLAB_REF_NONE;
    while (ref != SLAB_REF_NONE) {
        uint32_t next = next_free(slab, ref);
        if (!is_all_free(slab, free_counts, ref >> slab->page_bits)) {
            void *link = last == SLAB_REF_NONE ? (void *)&slab->free_head : slab_at(slab, last);
            memcpy(link, &ref, sizeof ref);
            last = ref;
        }
        ref = next;
    }
    if (last != SLAB_REF_NONE)
        memcpy(slab_at(slab, last), &ref, sizeof ref);
}

static void free_page(struct slab *slab, size_t page)
{
    mem_free(slab->pages[page]);
    slab->pages[page] = NULL;
    slab->freed_pages++;
    slab->freed_page = 0;
}

void slab_shrink(struct slab *slab)
{
    CHECK(slab->aside == NULL);
    uint32_t *free_counts = count_free(slab);
    unlink_free_pages(slab, free_counts);
    for (uint32_t page = 0; page < slab->page_count; page++) {
        if (is_all_free(slab, free_counts, page))
            free_page(slab, page);
    }
    mem_free(free_counts);
}

/* ---- setting aside ---- */

void slab_set_aside(struct slab *slab)
{
    CHECK(slab->aside == NULL);
    /* the rest of the newest page is free like any other */
    while (slab->slot_count >> slab->page_bits < slab->page_count)
        slab_give(slab, slab->slot_count++);
    slab->aside = mem_alloc(slab->page_count * sizeof *slab->aside);
    for (size_t page = 0; page < slab->page_count; page++)
        slab->aside[page] = slab->pages[page] != NULL;
    slab->aside_count = slab->page_count;
    slab->aside_free = slab->free_head;
    slab->free_head = SLAB_REF_NONE;
}

static void end_aside(struct slab *slab)
{
    mem_free(slab->aside);
    slab->aside = NULL;
    slab->aside_count = 0;
}

void slab_drop_aside(struct slab *slab)
{
    for (size_t page = 0; page < slab->aside_count; page++) {
        if (slab->aside[page])
            free_page(slab, page);
    }
    end_aside(slab);
}

void slab_take_back(struct slab *slab)
{
    uint32_t ref = slab->aside_free;
    while (ref != SLAB_REF_NONE) {
        uint32_t next = next_free(slab, ref);
        slab_give(slab, ref);
        ref = next;
    }
    end_aside(slab);
}

size_t slab_memory_bytes(const struct slab *slab)
{
    size_t present = slab->page_count - slab->freed_pages;
    return present * page_bytes(slab) + slab->page_capacity * sizeof(uint8_t *);
}
