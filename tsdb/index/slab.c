#include "tsdb/index/slab.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"

enum { CACHE_LINE_BYTES = 64 };

void slab_init(struct slab *slab, uint32_t element_bytes, uint32_t page_bits)
{
    CHECK(element_bytes >= sizeof(uint32_t));
    *slab = (struct slab){
        .element_bytes = element_bytes, .page_bits = page_bits, .free_head = SLAB_REF_NONE};
}

void slab_deinit(struct slab *slab)
{
    for (size_t i = 0; i < slab->page_count; i++)
        mem_free(slab->pages[i]);
    mem_free(slab->pages);
    *slab = (struct slab){.free_head = SLAB_REF_NONE};
}

static size_t page_bytes(const struct slab *slab)
{
    return (size_t)slab->element_bytes << slab->page_bits;
}

static void add_page(struct slab *slab)
{
    slab->pages =
        mem_grow(slab->pages, &slab->page_capacity, slab->page_count + 1, sizeof(uint8_t *));
    uint8_t *page = mem_alloc_aligned(CACHE_LINE_BYTES, page_bytes(slab));
    memset(page, 0, page_bytes(slab));
    slab->pages[slab->page_count++] = page;
}

uint32_t slab_take(struct slab *slab)
{
    uint32_t ref = slab->free_head;
    if (ref != SLAB_REF_NONE) {
        memcpy(&slab->free_head, slab_at(slab, ref), sizeof slab->free_head);
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

size_t slab_memory_bytes(const struct slab *slab)
{
    return slab->page_count * page_bytes(slab) + slab->page_capacity * sizeof(uint8_t *);
}
