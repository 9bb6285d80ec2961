#include "tsdb/index/ref_set.h"

#include <string.h>

#include "base/mem.h"

enum {
    PAGE_COUNT = 1 << (32 - REF_SET_PAGE_BITS),
    PAGE_WORDS = (1 << REF_SET_PAGE_BITS) / 64,
};

void ref_set_init(struct ref_set *set)
{
    set->pages = mem_alloc_zeroed(PAGE_COUNT, sizeof *set->pages);
}

void ref_set_deinit(struct ref_set *set)
{
    for (uint32_t i = 0; set->pages != NULL && i < PAGE_COUNT; i++)
        mem_free(set->pages[i]);
    mem_free(set->pages);
    set->pages = NULL;
}

void ref_set_reset(struct ref_set *set)
{
    for (uint32_t i = 0; i < PAGE_COUNT; i++) {
        if (set->pages[i] != NULL)
            memset(set->pages[i], 0, PAGE_WORDS * sizeof *set->pages[i]);
    }
}

void ref_set_add(struct ref_set *set, uint32_t ref)
{
    uint64_t **page = &set->pages[ref >> REF_SET_PAGE_BITS];
    if (*page == NULL)
        *page = mem_alloc_zeroed(PAGE_WORDS, sizeof **page);
    uint32_t bit = ref & ((1U << REF_SET_PAGE_BITS) - 1);
    (*page)[bit / 64] |= UINT64_C(1) << (bit % 64);
}
