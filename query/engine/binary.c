#include "query/engine/binary.h"

#include <math.h>

#include "base/check.h"
#include "query/engine/scalar.h"
#include "query/function/elementary.h"

static double arithmetic(enum binary_op op, double left, double right)
{
    switch (op) {
    case BINARY_ADD:
        return left + right;
    case BINARY_SUB:
        return left - right;
    case BINARY_MUL:
        return left * right;
    case BINARY_DIV:
        return left / right;
    case BINARY_MOD:
        return fmod(left, right);
    case BINARY_POW:
        return elementary_pow(left, right);
    default:
        return elementary_atan2(left, right);
    }
}

static bool compare(enum binary_op op, double left, double right)
{
    switch (op) {
    case BINARY_EQL:
        return left == right;
    case BINARY_NEQ:
        return left != right;
    case BINARY_GTR:
        return left > right;
    case BINARY_LSS:
        return left < right;
    case BINARY_GTE:
        return left >= right;
    default:
        return left <= right;
    }
}

double binary_value(struct binary_rule rule, double left, double right)
{
    if (!binary_op_is_comparison(rule.op))
        return arithmetic(rule.op, left, right);
    bool is_true = compare(rule.op, left, right);
    if (rule.returns_bool)
        return is_true ? 1 : 0;
    if (!is_true)
        return value_absent();
    return rule.keeps_right ? right : left;
}

static enum status open_scalars(struct eval *eval, const struct grid *grid, const struct expr *expr,
                                struct query_operator **out, struct error *err)
{
    double *left;
    double *right;
    TRY(scalar_read(eval, grid, expr->binary.left, &left, err));
    TRY(scalar_read(eval, grid, expr->binary.right, &right, err));
    /* the parser lets scalars be compared only with bool */
    struct binary_rule rule = {.op = expr->binary.op, .returns_bool = true};
    for (size_t step = 0; step < grid->count; step++)
        left[step] = binary_value(rule, left[step], right[step]);
    return operator_of_scalar(eval, grid, left, out, err);
}

/* A vector with a scalar on one side. */
struct scaled {
    struct query_operator base;
    struct query_operator *vector;
    const double *scalars; /* per step */
    struct binary_rule rule;
    bool is_scalar_left;
};

static enum status scaled_column(struct query_operator *op, size_t series, double *values,
                                 struct error *err)
{
    const struct scaled *scaled = (const struct scaled *)op;
    TRY(operator_column(scaled->vector, series, values, err));
    for (size_t step = 0; step < op->grid.count; step++) {
        if (value_is_absent(values[step]))
            continue;
        double scalar = scaled->scalars[step];
        values[step] = scaled->is_scalar_left ? binary_value(scaled->rule, scalar, values[step])
                                              : binary_value(scaled->rule, values[step], scalar);
    }
    return STATUS_OK;
}

static void scaled_close(struct query_operator *op)
{
    operator_close(((struct scaled *)op)->vector);
}

/* On failure `*vector` is still the caller's. */
static enum status open_scaled(struct eval *eval, const struct expr *expr,
                               struct query_operator **vector, struct query_operator **out,
                               struct error *err)
{
    bool is_scalar_left = expr->binary.left->type == VALUE_SCALAR;
    const struct expr *scalar = is_scalar_left ? expr->binary.left : expr->binary.right;
    struct binary_rule rule = {expr->binary.op, expr->binary.returns_bool, is_scalar_left};
    double *scalars;
    TRY(scalar_read(eval, &(*vector)->grid, scalar, &scalars, err));
    if (binary_rule_drops_name(rule))
        TRY(operator_drop_names(vector, MERGE_STEPS, err));
    void *memory;
    TRY(eval_alloc(eval, sizeof(struct scaled), &memory, err));
    struct scaled *scaled = memory;
    *scaled = (struct scaled){
        .base = {.eval = eval,
                 .grid = (*vector)->grid,
                 .type = VALUE_VECTOR,
                 .labels = (*vector)->labels,
                 .series_count = (*vector)->series_count,
                 .column = scaled_column,
                 .close = scaled_close},
        .vector = *vector,
        .scalars = scalars,
        .rule = rule,
        .is_scalar_left = is_scalar_left,
    };
    *out = &scaled->base;
    return STATUS_OK;
}

static enum status open_vector_and_scalar(struct eval *eval, const struct grid *grid,
                                          const struct expr *expr, struct query_operator **out,
                                          struct error *err)
{
    bool is_scalar_left = expr->binary.left->type == VALUE_SCALAR;
    struct query_operator *vector;
    TRY(operator_open(eval, grid, is_scalar_left ? expr->binary.right : expr->binary.left, &vector,
                      err));
    enum status status = open_scaled(eval, expr, &vector, out, err);
    if (status != STATUS_OK)
        operator_close(vector);
    return status;
}

static enum status open_vectors(struct eval *eval, const struct grid *grid, const struct expr *expr,
                                struct query_operator **out, struct error *err)
{
    struct query_operator *left;
    struct query_operator *right;
    TRY(operator_open(eval, grid, expr->binary.left, &left, err));
    enum status status = operator_open(eval, grid, expr->binary.right, &right, err);
    if (status != STATUS_OK) {
        operator_close(left);
        return status;
    }
    if (binary_op_is_set(expr->binary.op))
        return set_operation_open(expr, left, right, out, err);
    return matched_open(expr, left, right, out, err);
}

enum status operator_open_binary(struct eval *eval, const struct grid *grid,
                                 const struct expr *expr, struct query_operator **out,
                                 struct error *err)
{
    CHECK(expr->kind == EXPR_BINARY);
    bool is_left_scalar = expr->binary.left->type == VALUE_SCALAR;
    bool is_right_scalar = expr->binary.right->type == VALUE_SCALAR;
    if (is_left_scalar && is_right_scalar)
        return open_scalars(eval, grid, expr, out, err);
    if (is_left_scalar || is_right_scalar)
        return open_vector_and_scalar(eval, grid, expr, out, err);
    return open_vectors(eval, grid, expr, out, err);
}
