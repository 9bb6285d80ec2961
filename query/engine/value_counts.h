/*
 * value_counts: how many series of a group have a value, for each step.
 *
 * Only steps near a count take memory: gauges may have as many values as samples.
 *
 * Ownership:  values and their counts live in the arena of the query, and outlive the table.
 */
#ifndef CROFT_QUERY_VALUE_COUNTS_H
#define CROFT_QUERY_VALUE_COUNTS_H

#include "query/engine/eval.h"

struct counted_value {
    uint32_t group;
    uint64_t bits;              /* of the value */
    struct counted_value *next; /* in the order in which they appeared */
    struct count_page *pages;   /* with ascending steps */
    struct count_page *last;    /* counted in last: where to look on from */
};

struct value_counts {
    struct eval *eval;
    struct counted_value *first;
    struct counted_value **end; /* where the next one is linked */
    size_t count;
    struct counted_value **slots; /* heap, charged to the query; open addressing */
    size_t slot_count;
};

void value_counts_init(struct value_counts *counts, struct eval *eval);
void value_counts_deinit(struct value_counts *counts);

/* The value of that group; one without counts when it is new. Failures are those of eval_alloc. */
MUST_USE enum status value_counts_find(struct value_counts *counts, uint32_t group, uint64_t bits,
                                       struct counted_value **out, struct error *err);
/* Counts once more at `step`; fast when steps ascend. */
MUST_USE enum status counted_value_add(struct value_counts *counts, struct counted_value *value,
                                       size_t step, struct error *err);
/* One for each of `count` steps; absent where nothing was counted. */
void counted_value_column(const struct counted_value *value, double *column, size_t count);

#endif
