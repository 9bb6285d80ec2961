/*
 * operator: one node of a query under evaluation: labels first, then columns on demand.
 *
 * When an operator is open the labels of all its series are known. Its values are asked for one
 * series at a time, all steps at once, in any order: so a panel over 100,000 series needs the
 * memory of one column plus the groups, and series can be computed side by side.
 *
 *     sum by (job) ── groups: labels at open, columns accumulated at open, read from memory
 *         │
 *     rate[5m] ────── a window function: select_read of one series, slide, one column
 *
 * A column has grid.count values; STALE_NAN_BITS says "no sample at this step" (a stale marker is
 * never a value of an expression, so nothing is lost). A series without any value may be listed;
 * the engine drops it at the end. A scalar is an operator with one series without labels and a
 * value at every step.
 *
 * Invariant:  the label sets of an operator are distinct.
 * Name:       struct query_operator, since tools that read C as C++ know `operator` as a keyword.
 * Ownership:  operators, labels and text live in eval->arena; operator_close releases selections,
 *             regexes and heap columns, of the children too. close of NULL is fine.
 * Threads:    operators are opened and closed on the query's own thread. `column` is called from
 *             several at once for different series (sweep.h): it writes to shared state only
 *             through the eval_ functions.
 */
#ifndef CROFT_QUERY_OPERATOR_H
#define CROFT_QUERY_OPERATOR_H

#include "query/engine/eval.h"

struct query_operator {
    struct eval *eval;
    struct grid grid;
    enum value_type type;        /* VALUE_VECTOR or VALUE_SCALAR */
    const struct labels *labels; /* series_count of them */
    size_t series_count;
    enum status (*column)(struct query_operator *op, size_t series, double *values,
                          struct error *err);
    void (*close)(struct query_operator *op);
};

/* Opens the operator of any vector- or scalar-typed expression. */
MUST_USE enum status operator_open(struct eval *eval, const struct grid *grid,
                                   const struct expr *expr, struct query_operator **out,
                                   struct error *err);
void operator_close(struct query_operator *op);

static inline enum status operator_column(struct query_operator *op, size_t series, double *values,
                                          struct error *err)
{
    return op->column(op, series, values, err);
}

static inline bool value_is_absent(double value)
{
    return sample_is_stale(value);
}

/* How many of a column are there. */
static inline size_t count_present(const double *values, size_t count)
{
    size_t present = 0;
    for (size_t i = 0; i < count; i++)
        present += !value_is_absent(values[i]);
    return present;
}

static inline double value_absent(void)
{
    return f64_from_bits(STALE_NAN_BITS);
}

/* Constructors of the kinds of node, one file each. */
MUST_USE enum status operator_open_selector(struct eval *eval, const struct grid *grid,
                                            const struct expr *expr, struct query_operator **out,
                                            struct error *err);
/* A call of a function of kind `window`, over a matrix selector or a subquery. */
MUST_USE enum status operator_open_window(struct eval *eval, const struct grid *grid,
                                          const struct expr *call, struct query_operator **out,
                                          struct error *err);
/* A call of a function of kind `map`. */
MUST_USE enum status operator_open_map(struct eval *eval, const struct grid *grid,
                                       const struct expr *call, struct query_operator **out,
                                       struct error *err);
MUST_USE enum status operator_open_binary(struct eval *eval, const struct grid *grid,
                                          const struct expr *expr, struct query_operator **out,
                                          struct error *err);
MUST_USE enum status operator_open_aggregate(struct eval *eval, const struct grid *grid,
                                             const struct expr *expr, struct query_operator **out,
                                             struct error *err);

/* timestamp(): of a selector the times of its samples, of anything else the times of the steps. */
MUST_USE enum status operator_open_timestamp(struct eval *eval, const struct grid *grid,
                                             const struct expr *call, struct query_operator **out,
                                             struct error *err);
MUST_USE enum status operator_open_absent_over_time(struct eval *eval, const struct grid *grid,
                                                    const struct expr *call,
                                                    struct query_operator **out, struct error *err);

/* A vector whose columns lie ready in memory; all zero: without series. */
struct vector {
    const struct labels *labels; /* series_count of them */
    size_t series_count;
    const double *values; /* series_count * grid.count, series by series */
};

/* Labels and values are kept: they live in the query's arena. */
MUST_USE enum status operator_of_vector(struct eval *eval, const struct grid *grid,
                                        struct vector vector, struct query_operator **out,
                                        struct error *err);
/* The same of a scalar, which is one series without labels. */
MUST_USE enum status operator_of_scalar(struct eval *eval, const struct grid *grid,
                                        const double *values, struct query_operator **out,
                                        struct error *err);
/* The same label set without __name__, __type__ and __unit__; in the arena, or a part of
   `labels`. */
MUST_USE enum status labels_without_name(struct eval *eval, struct labels labels,
                                         struct labels *out, struct error *err);

/* What to do with series whose label sets become equal. */
enum merge_rule {
    MERGE_STEPS, /* one series, as long as no step has two values */
    MERGE_NEVER, /* an error as soon as two of them have values at all: functions over ranges */
};
/* Takes the metric name out of the labels of `*op` and merges series that become equal: `*op` may
   be replaced by a new operator that owns it. STATUS_LIMIT "vector cannot contain metrics with the
   same labelset" comes from columns. On failure `*op` is still the caller's. */
MUST_USE enum status operator_drop_names(struct query_operator **op, enum merge_rule rule,
                                         struct error *err);
/* The second half of it, for labels that were changed otherwise. */
MUST_USE enum status operator_merge_equal(struct query_operator **op, enum merge_rule rule,
                                          struct error *err);

/* The labels of absent() and absent_over_time(): those that matchers of the selector `arg` fix. */
MUST_USE enum status labels_of_absent(struct eval *eval, const struct expr *arg, struct labels *out,
                                      struct error *err);

#endif
