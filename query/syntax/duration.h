/*
 * duration: a span of time that is computed, such as the range of x[2 * step()] or the offset of
 * x offset (1h / 2). A literal is no such thing: the selector holds its value.
 *
 * Ownership:  nodes live in the arena that was given to the parser.
 * Limits:     trees are as high as an expression's may be (PARSE_HEIGHT_MAX).
 */
#ifndef CROFT_QUERY_DURATION_H
#define CROFT_QUERY_DURATION_H

#include "query/syntax/ast.h"

/* Those of two operands are a run, in the order of binary_op. */
enum duration_op {
    DURATION_LITERAL,
    DURATION_STEP,   /* step() */
    DURATION_RANGE,  /* range() */
    DURATION_NEGATE, /* of `right` */
    DURATION_MIN,    /* min_of(left, right) */
    DURATION_MAX,
    DURATION_ADD,
    DURATION_SUB,
    DURATION_MUL,
    DURATION_DIV,
    DURATION_MOD,
    DURATION_POW,
};

struct duration {
    enum duration_op op;
    bool is_wrapped;          /* stands in parentheses */
    bool has_unit;            /* a literal: written as 5m, not as 300 */
    double seconds;           /* of a literal */
    uint32_t height;          /* 1 for a leaf */
    struct position position; /* without parentheses */
    const struct duration *left;
    const struct duration *right;
};

/* What step, range, min_of and max_of stand for, in any letters; DURATION_LITERAL
   for other words. */
enum duration_op duration_word(struct str word);
/* "+", "step", "min_of"; nothing for a literal. */
const char *duration_op_text(enum duration_op op);
void duration_print(struct buffer *out, const struct duration *duration);

/* What step() and range() stand for. */
struct duration_scope {
    int64_t step_ms; /* 0 for an instant query */
    int64_t range_ms;
};

/* Computes all ranges, steps and offsets of the tree. STATUS_INVALID: one is not a span of time, in
   Prometheus' words, which count bytes. */
MUST_USE enum status durations_resolve(struct expr *expr, const struct duration_scope *scope,
                                       struct error *err);

#endif
