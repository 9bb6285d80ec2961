/*
 * aggregate: what the kinds of aggregation share: the series that come in and the groups they are
 * in.
 *
 * Each kind accumulates when it is opened, one series at a time: memory is groups x steps, never
 * series x steps (but for quantile, which needs all values of one group side by side). Sums and the
 * like take it only where a group has values.
 */
#ifndef CROFT_QUERY_AGGREGATE_H
#define CROFT_QUERY_AGGREGATE_H

#include "query/engine/grouping.h"

struct aggregation {
    struct eval *eval;
    struct grid grid;
    const struct expr *expr;      /* EXPR_AGGREGATE */
    struct query_operator *inner; /* a kind that reads it later takes it and leaves NULL */
    uint32_t *groups;             /* of each series of `inner` */
    const struct labels *group_labels;
    size_t group_count;
};

/* All open one kind: sum avg min max count group stddev stdvar; topk bottomk limitk; ... */
MUST_USE enum status accumulator_open(struct aggregation *aggregation, struct query_operator **out,
                                      struct error *err);
MUST_USE enum status picks_open(struct aggregation *aggregation, struct query_operator **out,
                                struct error *err);
MUST_USE enum status limit_ratio_open(struct aggregation *aggregation, struct query_operator **out,
                                      struct error *err);
MUST_USE enum status quantile_open(struct aggregation *aggregation, struct query_operator **out,
                                   struct error *err);
/* Makes its own groups, since the values belong to their labels. */
MUST_USE enum status count_values_open(struct aggregation *aggregation, struct query_operator **out,
                                       struct error *err);

/* An aggregation without any result. */
MUST_USE enum status aggregation_open_empty(const struct aggregation *aggregation,
                                            struct query_operator **out, struct error *err);
/* The labels that by or without keeps. */
MUST_USE enum status aggregation_filter(const struct aggregation *aggregation,
                                        struct name_set grouping, struct label_filter *out,
                                        struct error *err);

#endif
