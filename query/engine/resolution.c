#include "query/engine/resolution.h"

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static int64_t sum_ms(int64_t a_ms, int64_t b_ms)
{
    int64_t sum;
    return __builtin_add_overflow(a_ms, b_ms, &sum) ? INT64_MAX : sum;
}

/* The most points of a subquery from here down; `span_ms` is the ranges of those around it. */
static uint64_t points_of(const struct expr *expr, int64_t span_ms, int64_t default_step_ms)
{
    uint64_t points = 0;
    switch (expr->kind) {
    case EXPR_SUBQUERY: {
        int64_t step_ms = expr->subquery.step_ms > 0 ? expr->subquery.step_ms : default_step_ms;
        span_ms = sum_ms(span_ms, expr->subquery.range_ms);
        return larger((uint64_t)(span_ms / step_ms),
                      points_of(expr->subquery.inner, span_ms, default_step_ms));
    }
    case EXPR_UNARY:
        return points_of(expr->unary.inner, span_ms, default_step_ms);
    case EXPR_PAREN:
        return points_of(expr->paren, span_ms, default_step_ms);
    case EXPR_BINARY:
        return larger(points_of(expr->binary.left, span_ms, default_step_ms),
                      points_of(expr->binary.right, span_ms, default_step_ms));
    case EXPR_CALL:
        for (size_t i = 0; i < expr->call.arg_count; i++)
            points = larger(points, points_of(expr->call.args[i], span_ms, default_step_ms));
        return points;
    case EXPR_AGGREGATE:
        if (expr->aggregate.param != NULL)
            points = points_of(expr->aggregate.param, span_ms, default_step_ms);
        return larger(points, points_of(expr->aggregate.inner, span_ms, default_step_ms));
    case EXPR_NUMBER:
    case EXPR_STRING:
    case EXPR_VECTOR_SELECTOR:
    case EXPR_MATRIX_SELECTOR:
        break;
    }
    return points;
}

enum status resolution_check(const struct expr *expr, int64_t default_step_ms, struct error *err)
{
    if (points_of(expr, 0, default_step_ms) <= SUBQUERY_POINTS_MAX)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID,
                     "exceeded maximum resolution of 1,000,000 points per timeseries in "
                     "subqueries. Try increasing their step");
}
