/*
 * text_arg: the string arguments of calls and aggregations.
 */
#ifndef CROFT_QUERY_TEXT_ARG_H
#define CROFT_QUERY_TEXT_ARG_H

#include "query/syntax/ast.h"

/* Of an expression of type string: a literal, perhaps in parentheses. */
static inline struct str text_of(const struct expr *expr)
{
    while (expr->kind == EXPR_PAREN)
        expr = expr->paren;
    return expr->string;
}

static inline struct str text_arg(const struct expr *call, size_t index)
{
    return text_of(call->call.args[index]);
}

#endif
