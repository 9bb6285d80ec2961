#include "query/engine/resolution.h"

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* The largest product of nested subqueries from here down, 1 without any; UINT64_MAX when it is
   beyond all numbers. */
static uint64_t points_of(const struct expr *expr, int64_t default_step_ms)
{
    uint64_t points = 1;
    switch (expr->kind) {
    case EXPR_SUBQUERY: {
        int64_t step_ms = expr->subquery.step_ms > 0 ? expr->subquery.step_ms : default_step_ms;
        uint64_t own = larger(1, (uint64_t)(expr->subquery.range_ms / step_ms));
        points = points_of(expr->subquery.inner, default_step_ms);
        return __builtin_mul_overflow(points, own, &points) ? UINT64_MAX : points;
    }
    case EXPR_UNARY:
        return points_of(expr->unary.inner, default_step_ms);
    case EXPR_PAREN:
        return points_of(expr->paren, default_step_ms);
    case EXPR_BINARY:
        return larger(points_of(expr->binary.left, default_step_ms),
                      points_of(expr->binary.right, default_step_ms));
    case EXPR_CALL:
        for (size_t i = 0; i < expr->call.arg_count; i++)
            points = larger(points, points_of(expr->call.args[i], default_step_ms));
        return points;
    case EXPR_AGGREGATE:
        if (expr->aggregate.param != NULL)
            points = points_of(expr->aggregate.param, default_step_ms);
        return larger(points, points_of(expr->aggregate.inner, default_step_ms));
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
    if (points_of(expr, default_step_ms) <= SUBQUERY_POINTS_MAX)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID,
                     "exceeded maximum resolution of 1,000,000 points per timeseries in "
                     "subqueries. Try increasing their step");
}
