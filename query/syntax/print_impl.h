/*
 * print_impl: parts of printed expressions; shared by print.c and pretty.c.
 */
#ifndef CROFT_QUERY_PRINT_IMPL_H
#define CROFT_QUERY_PRINT_IMPL_H

#include "query/syntax/ast.h"

/* "sum by (a) " */
void print_aggregate_head(struct buffer *out, const struct expr *expr);
/* "== bool on (a) group_left (b)" */
void print_operator(struct buffer *out, const struct expr *expr);
/* "[5m:1m] @ 3.000 offset 1m" */
void print_subquery_suffix(struct buffer *out, const struct expr *expr);

#endif
