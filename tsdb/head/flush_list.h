/*
 * flush_list: the series of which a flush has samples aside, in the order of a block.
 *
 *     for each series: tenant, ref, the numbers of its label pairs
 *
 * The pairs of a tenant are few, so their texts are sorted once; then a series is a run of ranks,
 * and comparing two compares numbers.
 *
 * Ownership:  the caller owns the struct.
 * Threads:    flush_list_add needs the head, under the shard's lock; flush_list_sort does not.
 */
#ifndef CROFT_TSDB_FLUSH_LIST_H
#define CROFT_TSDB_FLUSH_LIST_H

#include "tsdb/head/head.h"

struct listed_series {
    const struct tenant *tenant;
    struct series_ref ref;
    uint32_t pair_count;
    size_t pair_offset; /* in `pairs` */
};

/* The label pairs of one tenant. */
struct listed_pairs {
    struct str *texts; /* by number, their identity encodings; in the tenant's symbols */
    size_t count;
};

struct flush_list {
    struct listed_series *series;
    size_t count;
    size_t capacity;
    uint32_t *pairs; /* NULL once the list is sorted */
    size_t pair_count;
    size_t pair_capacity;
    struct listed_pairs *tenants; /* by tenant number */
    size_t tenant_count;
    size_t tenant_capacity;
};

void flush_list_init(struct flush_list *list);
void flush_list_deinit(struct flush_list *list);
/* Adds the series if samples of it are aside. A flush is under way, and the same one for all
   calls. */
void flush_list_add(struct flush_list *list, const struct head *head, struct series_ref ref);
/* By tenant id, then by labels (labels_compare). Nothing is added afterwards. */
void flush_list_sort(struct flush_list *list);

#endif
