/*
 * binary: what the binary operations share: what one pair of values gives.
 */
#ifndef CROFT_QUERY_BINARY_H
#define CROFT_QUERY_BINARY_H

#include "query/engine/operator.h"

struct binary_rule {
    enum binary_op op; /* no set operator */
    bool returns_bool;
    bool keeps_right; /* a comparison filters the right value: scalar > vector */
};

/* The value for a pair; absent when a comparison without bool takes it out. */
double binary_value(struct binary_rule rule, double left, double right);

/* Whether the result is another quantity than its operands and so loses its metric name. */
static inline bool binary_rule_drops_name(struct binary_rule rule)
{
    return !binary_op_is_comparison(rule.op) || rule.returns_bool;
}

/* vector and vector: arithmetic and comparison, matched by labels. `left` and `right` are taken. */
MUST_USE enum status matched_open(const struct expr *expr, struct query_operator *left,
                                  struct query_operator *right, struct query_operator **out,
                                  struct error *err);
/* and, or, unless. `left` and `right` are taken. */
MUST_USE enum status set_operation_open(const struct expr *expr, struct query_operator *left,
                                        struct query_operator *right, struct query_operator **out,
                                        struct error *err);

#endif
