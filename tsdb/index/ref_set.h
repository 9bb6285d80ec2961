/*
 * ref_set: which series refs an epoch of the log has declared.
 *
 * Two levels of bits, so that even a single huge ref costs little.
 * Ownership: the caller owns the struct; it owns its pages.
 */
#ifndef CROFT_TSDB_REF_SET_H
#define CROFT_TSDB_REF_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REF_SET_PAGE_BITS = 20 };

struct ref_set {
    uint64_t **pages; /* 1 << (32 - REF_SET_PAGE_BITS) of them, NULL where nothing is set */
};

void ref_set_init(struct ref_set *set);
void ref_set_deinit(struct ref_set *set);
/* Empty, its pages kept: a log may have many short epochs. */
void ref_set_reset(struct ref_set *set);
void ref_set_add(struct ref_set *set, uint32_t ref);

static inline bool ref_set_has(const struct ref_set *set, uint32_t ref)
{
    const uint64_t *page = set->pages[ref >> REF_SET_PAGE_BITS];
    uint32_t bit = ref & ((1U << REF_SET_PAGE_BITS) - 1);
    return page != NULL && (page[bit / 64] >> (bit % 64) & 1) != 0;
}

#endif
