#include "tsdb/wal/last_values.h"

#include <string.h>

#include "base/mem.h"

void last_values_init(struct last_values *values)
{
    *values = (struct last_values){0};
}

void last_values_deinit(struct last_values *values)
{
    for (size_t i = 0; i < values->page_count; i++)
        mem_free(values->pages[i]);
    mem_free(values->pages);
    last_values_init(values);
}

void last_values_reset(struct last_values *values)
{
    for (size_t i = 0; i < values->page_count; i++) {
        if (values->pages[i] != NULL)
            memset(values->pages[i]->ages, 0, sizeof values->pages[i]->ages);
    }
}

void last_values_add_page(struct last_values *values, uint32_t ref)
{
    size_t number = ref >> LAST_VALUES_PAGE_BITS;
    values->pages = mem_grow(values->pages, &values->page_capacity, number + 1,
                             sizeof(struct last_values_page *));
    for (; values->page_count <= number; values->page_count++)
        values->pages[values->page_count] = NULL;
    values->pages[number] = mem_alloc_zeroed(1, sizeof **values->pages);
}
