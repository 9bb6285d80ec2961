/*
 * matched_impl: an operation on two vectors that are matched by labels, shared by matched.c (groups
 * and pairs) and match_check.c (what must not be matched).
 */
#ifndef CROFT_QUERY_MATCHED_IMPL_H
#define CROFT_QUERY_MATCHED_IMPL_H

#include "query/engine/binary.h"
#include "query/engine/grouping.h"

struct pair {
    uint32_t many;
    uint32_t one;
};

/* A column of the one side that many pairs read, from its first value to its last: series that come
   and go take memory for the steps at which they are. */
struct kept_column {
    double *values;
    size_t first;
    size_t count;
    bool is_kept;
};

struct matched {
    struct query_operator base; /* one series per pair */
    struct query_operator *many;
    struct query_operator *one;
    struct binary_rule rule;
    bool is_one_left;
    struct pair *pairs;
    struct kept_column *kept; /* per series of the one side */
};

/* What is known while the operation is being opened. */
struct matching {
    struct matched *matched;
    const struct expr *expr;
    struct eval *eval;
    struct grouping groups;
    uint32_t *one_groups;       /* per series of the one side */
    uint32_t *many_groups;      /* per series of the many side; GROUP_NONE without a partner */
    struct members one_members; /* per group */
    double *many_column;        /* room for one column of each side */
    double *one_column;
};

static inline bool matching_is_one_to_one(const struct matching *matching)
{
    return matching->expr->binary.matching.cardinality == MATCH_ONE_TO_ONE;
}

/* The column of a series of the one side, kept or read. */
MUST_USE enum status matched_one_column(const struct matched *matched, uint32_t series,
                                        double *values, struct error *err);

/* Error 1 of match_check.c; before there are pairs. */
MUST_USE enum status match_check_one_side(struct matching *matching, struct error *err);
/* Errors 2 and 3; the pairs are made. */
MUST_USE enum status match_check_many_side(struct matching *matching, struct error *err);

#endif
