/*
 * pair_counts_http: how many series have each label pair, over one tenant or several.
 *
 * Without a selector the indexes are asked; with one, or for active series only, the series are
 * gone through. Over several tenants each but the default one adds the pair of the tenant label and
 * its id, as reads show it.
 *
 * Ownership:  the caller owns the struct; text lives until pair_counts_deinit.
 * Bounds:     PAIR_COUNTS_MAX different pairs.
 */
#ifndef CROFT_QUERY_PAIR_COUNTS_HTTP_H
#define CROFT_QUERY_PAIR_COUNTS_HTTP_H

#include "query/api/api_impl.h"

enum { PAIR_COUNTS_MAX = 4000000 };

struct pair_counts {
    struct label_count *ptr; /* sorted by name, then value; each pair once */
    size_t count;
    size_t capacity;
    uint64_t series_count;     /* of all tenants together */
    struct head_extent extent; /* of all of them; HEAD_EXTENT_NONE unless it was asked for */
    struct charge *charge;     /* the call's */
    size_t charged_bytes;      /* for `ptr` */
    struct arena arena;
    struct selection *selection; /* whose text is used; NULL for none */
};

struct pair_query {
    const struct api_selector *selector; /* NULL: all series */
    enum select_source source;           /* SELECT_IN_MEMORY or SELECT_ACTIVE */
    bool wants_extent;                   /* of all series in memory: no selector then */
};

/* After a failure there is nothing to deinit. */
MUST_USE enum status pair_counts_find(struct pair_counts *out, struct api_call *call,
                                      const struct pair_query *query, struct error *err);
void pair_counts_deinit(struct pair_counts *counts);

#endif
