#include "query/engine/operator.h"

#include "base/check.h"
#include "query/function/function.h"

void operator_close(struct query_operator *op)
{
    if (op != NULL && op->close != NULL)
        op->close(op);
}

/* ---- columns in memory ---- */

struct columns_operator {
    struct query_operator base;
    const double *values;
};

static enum status columns_column(struct query_operator *op, size_t series, double *values,
                                  struct error *err)
{
    (void)err;
    const struct columns_operator *self = (const struct columns_operator *)op;
    size_t count = op->grid.count;
    memcpy(values, self->values + series * count, count * sizeof *values);
    return STATUS_OK;
}

enum status operator_of_vector(struct eval *eval, const struct grid *grid, struct vector vector,
                               struct query_operator **out, struct error *err)
{
    void *memory = NULL;
    TRY(eval_alloc(eval, sizeof(struct columns_operator), &memory, err));
    struct columns_operator *self = memory;
    *self = (struct columns_operator){
        .base = {.eval = eval,
                 .grid = *grid,
                 .type = VALUE_VECTOR,
                 .labels = vector.labels,
                 .series_count = vector.series_count,
                 .column = columns_column},
        .values = vector.values,
    };
    *out = &self->base;
    return STATUS_OK;
}

static const struct labels no_labels = {NULL, 0};

enum status operator_of_scalar(struct eval *eval, const struct grid *grid, const double *values,
                               struct query_operator **out, struct error *err)
{
    TRY(operator_of_vector(eval, grid, (struct vector){&no_labels, 1, values}, out, err));
    (*out)->type = VALUE_SCALAR;
    return STATUS_OK;
}

/* ---- number literal ---- */

struct number_operator {
    struct query_operator base;
    double value;
};

static enum status number_column(struct query_operator *op, size_t series, double *values,
                                 struct error *err)
{
    (void)series;
    (void)err;
    const struct number_operator *self = (const struct number_operator *)op;
    for (size_t i = 0; i < op->grid.count; i++)
        values[i] = self->value;
    return STATUS_OK;
}

static enum status open_number(struct eval *eval, const struct grid *grid, double value,
                               struct query_operator **out, struct error *err)
{
    void *memory = NULL;
    TRY(eval_alloc(eval, sizeof(struct number_operator), &memory, err));
    struct number_operator *self = memory;
    *self = (struct number_operator){
        .base = {.eval = eval,
                 .grid = *grid,
                 .type = VALUE_SCALAR,
                 .labels = &no_labels,
                 .series_count = 1,
                 .column = number_column},
        .value = value,
    };
    *out = &self->base;
    return STATUS_OK;
}

/* ---- nodes over one child: minus, and one step spread over all ---- */

struct unary_operator {
    struct query_operator base;
    struct query_operator *child;
};

static void unary_close(struct query_operator *op)
{
    operator_close(((struct unary_operator *)op)->child);
}

/* `child` is taken, also on failure. */
static enum status open_unary(struct query_operator *child, const struct grid *grid,
                              enum status (*column)(struct query_operator *op, size_t series,
                                                    double *values, struct error *err),
                              struct query_operator **out, struct error *err)
{
    void *memory = NULL;
    enum status status = eval_alloc(child->eval, sizeof(struct unary_operator), &memory, err);
    if (status != STATUS_OK) {
        operator_close(child);
        return status;
    }
    struct unary_operator *self = memory;
    *self = (struct unary_operator){.base = *child, .child = child};
    self->base.grid = *grid;
    self->base.column = column;
    self->base.close = unary_close;
    *out = &self->base;
    return STATUS_OK;
}

static enum status minus_column(struct query_operator *op, size_t series, double *values,
                                struct error *err)
{
    TRY(operator_column(((struct unary_operator *)op)->child, series, values, err));
    for (size_t i = 0; i < op->grid.count; i++) {
        if (!value_is_absent(values[i]))
            values[i] = -values[i];
    }
    return STATUS_OK;
}

static enum status open_minus(struct eval *eval, const struct grid *grid, const struct expr *expr,
                              struct query_operator **out, struct error *err)
{
    struct query_operator *child = NULL;
    struct query_operator *op = NULL;
    TRY(operator_open(eval, grid, expr->unary.inner, &child, err));
    if (!expr->unary.is_minus) {
        *out = child;
        return STATUS_OK;
    }
    TRY(open_unary(child, grid, minus_column, &op, err));
    if (op->type == VALUE_VECTOR) {
        enum status status = operator_drop_names(&op, MERGE_STEPS, err);
        if (status != STATUS_OK) {
            operator_close(op);
            return status;
        }
    }
    *out = op;
    return STATUS_OK;
}

static enum status spread_column(struct query_operator *op, size_t series, double *values,
                                 struct error *err)
{
    TRY(operator_column(((struct unary_operator *)op)->child, series, values, err));
    for (size_t i = 1; i < op->grid.count; i++)
        values[i] = values[0];
    return STATUS_OK;
}

/* Evaluates `expr` at the first step only. */
static enum status open_invariant(struct eval *eval, const struct grid *grid,
                                  const struct expr *expr, struct query_operator **out,
                                  struct error *err)
{
    struct grid first = {.start_ms = grid->start_ms, .step_ms = 1, .count = 1};
    struct query_operator *child = NULL;
    TRY(operator_open(eval, &first, expr, &child, err));
    return open_unary(child, grid, spread_column, out, err);
}

/* ---- which expressions are the same at every step ---- */

static bool function_uses_time(const struct function *function, size_t arg_count)
{
    struct str name = str_from(function->name);
    if (str_eq(name, STR("time")) || str_eq(name, STR("timestamp")) ||
        str_eq(name, STR("predict_linear")))
        return true;
    /* hour() and its kin are about the time of the step when nothing else is given */
    return arg_count == 0 && function->returns == VALUE_VECTOR;
}

static bool is_invariant(const struct expr *expr);

static bool call_is_invariant(const struct expr *call)
{
    if (function_uses_time(call->call.function, call->call.arg_count))
        return false;
    for (size_t i = 0; i < call->call.arg_count; i++) {
        if (!is_invariant(call->call.args[i]))
            return false;
    }
    return true;
}

static bool is_invariant(const struct expr *expr)
{
    switch (expr->kind) {
    case EXPR_NUMBER:
    case EXPR_STRING:
        return true;
    case EXPR_VECTOR_SELECTOR:
        return expr->selector.time.at != AT_NONE;
    case EXPR_MATRIX_SELECTOR:
        return is_invariant(expr->matrix.selector);
    case EXPR_SUBQUERY:
        return expr->subquery.time.at != AT_NONE;
    case EXPR_UNARY:
        return is_invariant(expr->unary.inner);
    case EXPR_PAREN:
        return is_invariant(expr->paren);
    case EXPR_BINARY:
        return is_invariant(expr->binary.left) && is_invariant(expr->binary.right);
    case EXPR_CALL:
        return call_is_invariant(expr);
    case EXPR_AGGREGATE:
        /* Prometheus does not ask the parameter: topk(time() % 3, x @ 0) has one k for all steps */
        return is_invariant(expr->aggregate.inner);
    }
    return false;
}

/* ---- dispatch ---- */

static enum status open_call(struct eval *eval, const struct grid *grid, const struct expr *expr,
                             struct query_operator **out, struct error *err)
{
    const struct function *function = expr->call.function;
    if (function->open != NULL)
        return function->open(eval, grid, expr, out, err);
    if (function->window != NULL)
        return operator_open_window(eval, grid, expr, out, err);
    if (function->map != NULL)
        return operator_open_map(eval, grid, expr, out, err);
    return error_set(err, STATUS_INVALID, "function %s is not supported", function->name);
}

static enum status open_node(struct eval *eval, const struct grid *grid, const struct expr *expr,
                             struct query_operator **out, struct error *err)
{
    switch (expr->kind) {
    case EXPR_VECTOR_SELECTOR:
        return operator_open_selector(eval, grid, expr, out, err);
    case EXPR_PAREN:
        return operator_open(eval, grid, expr->paren, out, err);
    case EXPR_UNARY:
        return open_minus(eval, grid, expr, out, err);
    case EXPR_BINARY:
        return operator_open_binary(eval, grid, expr, out, err);
    case EXPR_CALL:
        return open_call(eval, grid, expr, out, err);
    case EXPR_AGGREGATE:
        return operator_open_aggregate(eval, grid, expr, out, err);
    case EXPR_NUMBER:
    case EXPR_STRING:
    case EXPR_MATRIX_SELECTOR:
    case EXPR_SUBQUERY:
        break;
    }
    return error_set(err, STATUS_INVALID, "expected a scalar or an instant vector, got a %s",
                     value_type_text(expr->type));
}

enum status operator_open(struct eval *eval, const struct grid *grid, const struct expr *expr,
                          struct query_operator **out, struct error *err)
{
    CHECK(grid->count > 0);
    TRY(eval_check(eval, err));
    if (expr->kind == EXPR_NUMBER)
        return open_number(eval, grid, expr->number.value, out, err);
    if (grid->count > 1 && is_invariant(expr))
        return open_invariant(eval, grid, expr, out, err);
    const struct shared_place *place = shared_set_at(&eval->shared, expr);
    return place == NULL ? open_node(eval, grid, expr, out, err)
                         : shared_open(eval, grid, place, open_node, out, err);
}
