/*
 * text_arg: the string arguments of a call.
 */
#ifndef CROFT_QUERY_TEXT_ARG_H
#define CROFT_QUERY_TEXT_ARG_H

#include "query/syntax/ast.h"

static inline struct str text_arg(const struct expr *call, size_t index)
{
    const struct expr *arg = call->call.args[index];
    while (arg->kind == EXPR_PAREN)
        arg = arg->paren;
    return arg->string;
}

#endif
