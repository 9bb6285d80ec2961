/*
 * last_values: of each series, the last value that the log has given, and how long ago it was given
 * in full. Writer and reader keep the same table, so that a value may be told by what has changed.
 *
 * Refs are dense: pages of them, made when first used.
 * Ownership:  the caller owns the struct.
 */
#ifndef CROFT_TSDB_LAST_VALUES_H
#define CROFT_TSDB_LAST_VALUES_H

#include <stddef.h>
#include <stdint.h>

enum { LAST_VALUES_PAGE_BITS = 10 };

struct last_values_page {
    uint64_t bits[1 << LAST_VALUES_PAGE_BITS]; /* of the float64 */
    uint8_t ages[1 << LAST_VALUES_PAGE_BITS]; /* values since the one in full; 0: it is not known */
};

struct last_values {
    struct last_values_page **pages; /* NULL where no ref was used */
    size_t page_count;
    size_t page_capacity;
};

/* The entry of one ref. */
struct last_value {
    uint64_t *bits;
    uint8_t *age;
};

void last_values_init(struct last_values *values);
void last_values_deinit(struct last_values *values);
/* No value is known. */
void last_values_reset(struct last_values *values);
void last_values_add_page(struct last_values *values, uint32_t ref);

/* Valid until last_values_deinit. */
static inline struct last_value last_values_at(struct last_values *values, uint32_t ref)
{
    size_t number = ref >> LAST_VALUES_PAGE_BITS;
    if (number >= values->page_count || values->pages[number] == NULL)
        last_values_add_page(values, ref);
    struct last_values_page *page = values->pages[number];
    uint32_t place = ref & ((1U << LAST_VALUES_PAGE_BITS) - 1);
    return (struct last_value){&page->bits[place], &page->ages[place]};
}

#endif
