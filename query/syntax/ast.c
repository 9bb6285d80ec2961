#include "query/syntax/ast.h"

#include "base/check.h"

static void deinit_selector(struct vector_selector *selector)
{
    for (size_t i = 0; i < selector->matcher_count; i++)
        matcher_deinit(&selector->matchers[i]);
}

static void deinit_args(struct expr *call)
{
    for (size_t i = 0; i < call->call.arg_count; i++)
        ast_deinit(call->call.args[i]);
}

void ast_deinit(struct expr *expr)
{
    if (expr == NULL)
        return;
    switch (expr->kind) {
    case EXPR_NUMBER:
    case EXPR_STRING:
        break;
    case EXPR_VECTOR_SELECTOR:
        deinit_selector(&expr->selector);
        break;
    case EXPR_MATRIX_SELECTOR:
        ast_deinit(expr->matrix.selector);
        break;
    case EXPR_SUBQUERY:
        ast_deinit(expr->subquery.inner);
        break;
    case EXPR_UNARY:
        ast_deinit(expr->unary.inner);
        break;
    case EXPR_PAREN:
        ast_deinit(expr->paren);
        break;
    case EXPR_BINARY:
        ast_deinit(expr->binary.left);
        ast_deinit(expr->binary.right);
        break;
    case EXPR_CALL:
        deinit_args(expr);
        break;
    case EXPR_AGGREGATE:
        ast_deinit(expr->aggregate.param);
        ast_deinit(expr->aggregate.inner);
        break;
    }
}

const char *binary_op_text(enum binary_op op)
{
    static const char *const texts[] = {
        [BINARY_ADD] = "+",         [BINARY_SUB] = "-",   [BINARY_MUL] = "*",
        [BINARY_DIV] = "/",         [BINARY_MOD] = "%",   [BINARY_POW] = "^",
        [BINARY_ATAN2] = "atan2",   [BINARY_EQL] = "==",  [BINARY_NEQ] = "!=",
        [BINARY_GTR] = ">",         [BINARY_LSS] = "<",   [BINARY_GTE] = ">=",
        [BINARY_LTE] = "<=",        [BINARY_AND] = "and", [BINARY_OR] = "or",
        [BINARY_UNLESS] = "unless",
    };
    CHECK(op <= BINARY_UNLESS);
    return texts[op];
}

const char *aggregate_op_text(enum aggregate_op op)
{
    static const char *const texts[] = {
        [AGGREGATE_SUM] = "sum",
        [AGGREGATE_AVG] = "avg",
        [AGGREGATE_MIN] = "min",
        [AGGREGATE_MAX] = "max",
        [AGGREGATE_COUNT] = "count",
        [AGGREGATE_GROUP] = "group",
        [AGGREGATE_STDDEV] = "stddev",
        [AGGREGATE_STDVAR] = "stdvar",
        [AGGREGATE_TOPK] = "topk",
        [AGGREGATE_BOTTOMK] = "bottomk",
        [AGGREGATE_COUNT_VALUES] = "count_values",
        [AGGREGATE_QUANTILE] = "quantile",
        [AGGREGATE_LIMITK] = "limitk",
        [AGGREGATE_LIMIT_RATIO] = "limit_ratio",
    };
    CHECK(op <= AGGREGATE_LIMIT_RATIO);
    return texts[op];
}

const char *value_type_text(enum value_type type)
{
    switch (type) {
    case VALUE_SCALAR:
        return "scalar";
    case VALUE_VECTOR:
        return "instant vector";
    case VALUE_MATRIX:
        return "range vector";
    case VALUE_STRING:
        return "string";
    }
    CHECK(false);
}
