#include "tsdb/head/flush_list.h"

#include <stdlib.h>

#include "base/mem.h"
#include "tsdb/head/head_impl.h"

void flush_list_init(struct flush_list *list)
{
    *list = (struct flush_list){0};
}

static void free_pairs(struct flush_list *list)
{
    for (size_t i = 0; i < list->tenant_count; i++)
        mem_free(list->tenants[i].texts);
    mem_free(list->tenants);
    mem_free(list->pairs);
    list->tenants = NULL;
    list->pairs = NULL;
    list->tenant_count = 0;
}

void flush_list_deinit(struct flush_list *list)
{
    free_pairs(list);
    mem_free(list->series);
    flush_list_init(list);
}

/* ---- adding ---- */

static struct listed_pairs *get_tenant(struct flush_list *list, uint32_t number)
{
    list->tenants =
        mem_grow(list->tenants, &list->tenant_capacity, number + (size_t)1, sizeof *list->tenants);
    for (; list->tenant_count <= number; list->tenant_count++)
        list->tenants[list->tenant_count] = (struct listed_pairs){0};
    return &list->tenants[number];
}

/* With the first series of a tenant: series that have samples aside are older than the flush, so
   all of their pairs are there. Writers may move the array of texts, but no text. */
static void copy_texts(struct listed_pairs *pairs, const struct tenant_index *index)
{
    if (pairs->texts != NULL)
        return;
    pairs->count = symbols_count(index->pairs);
    pairs->texts = mem_alloc(pairs->count * sizeof *pairs->texts);
    memcpy(pairs->texts, symbols_texts(index->pairs), pairs->count * sizeof *pairs->texts);
}

void flush_list_add(struct flush_list *list, const struct head *head, struct series_ref ref)
{
    if (!head_flush_has(head, ref))
        return;
    const struct series *series = head_series(head, ref);
    const struct tenant_index *index = head->tenants[series->tenant_number];
    copy_texts(get_tenant(list, series->tenant_number), index);
    list->series = mem_grow(list->series, &list->capacity, list->count + 1, sizeof *list->series);
    list->series[list->count++] = (struct listed_series){.tenant = index->tenant,
                                                         .ref = ref,
                                                         .pair_count = series->pair_count,
                                                         .pair_offset = list->pair_count};
    list->pairs = mem_grow(list->pairs, &list->pair_capacity, list->pair_count + series->pair_count,
                           sizeof *list->pairs);
    memcpy(list->pairs + list->pair_count, series_pairs(head, series),
           series->pair_count * sizeof *list->pairs);
    list->pair_count += series->pair_count;
}

/* ---- sorting ---- */

struct sorted_pair {
    struct label label;
    uint32_t number;
};

static int compare_pairs(const void *left, const void *right)
{
    const struct sorted_pair *a = left, *b = right;
    int order = str_compare(a->label.name, b->label.name);
    return order != 0 ? order : str_compare(a->label.value, b->label.value);
}

/* By number: the place of the pair among those of its tenant. */
static uint32_t *rank_pairs(const struct listed_pairs *pairs)
{
    struct sorted_pair *sorted = mem_alloc(pairs->count * sizeof *sorted);
    uint32_t *ranks = mem_alloc(pairs->count * sizeof *ranks);
    for (uint32_t i = 0; i < pairs->count; i++)
        sorted[i] = (struct sorted_pair){label_identity_decode(pairs->texts[i]), i};
    qsort(sorted, pairs->count, sizeof *sorted, compare_pairs);
    for (uint32_t i = 0; i < pairs->count; i++)
        ranks[sorted[i].number] = i;
    mem_free(sorted);
    return ranks;
}

/* Puts ranks in the place of numbers. */
static void rank_series(struct flush_list *list)
{
    uint32_t **ranks = mem_alloc_zeroed(list->tenant_count, sizeof *ranks);
    for (size_t i = 0; i < list->count; i++) {
        const struct listed_series *series = &list->series[i];
        uint32_t tenant = series->tenant->number;
        if (ranks[tenant] == NULL)
            ranks[tenant] = rank_pairs(&list->tenants[tenant]);
        uint32_t *pairs = list->pairs + series->pair_offset;
        for (uint32_t pair = 0; pair < series->pair_count; pair++)
            pairs[pair] = ranks[tenant][pairs[pair]];
    }
    for (size_t i = 0; i < list->tenant_count; i++)
        mem_free(ranks[i]);
    mem_free(ranks);
}

static int compare_series(const void *left, const void *right, void *context)
{
    const struct listed_series *a = left, *b = right;
    const struct flush_list *list = context;
    if (a->tenant != b->tenant)
        return str_compare(tenant_id_str(&a->tenant->id), tenant_id_str(&b->tenant->id));
    const uint32_t *a_ranks = list->pairs + a->pair_offset;
    const uint32_t *b_ranks = list->pairs + b->pair_offset;
    uint32_t common = a->pair_count < b->pair_count ? a->pair_count : b->pair_count;
    for (uint32_t i = 0; i < common; i++) {
        if (a_ranks[i] != b_ranks[i])
            return a_ranks[i] < b_ranks[i] ? -1 : 1;
    }
    return (a->pair_count > b->pair_count) - (a->pair_count < b->pair_count);
}

void flush_list_sort(struct flush_list *list)
{
    rank_series(list);
    if (list->count > 0)
        qsort_r(list->series, list->count, sizeof *list->series, compare_series, list);
    free_pairs(list);
}
