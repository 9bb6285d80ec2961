/*
 * resolution: how many points subqueries ask for, known before anything is evaluated.
 *
 * A subquery is evaluated once at each multiple of its step in its range and the ranges of those
 * around it: these are the points that one series has there, whatever the query's own range is. So
 * nesting adds points and does not multiply them. Prometheus has no such limit, and runs into its
 * time limit instead.
 */
#ifndef CROFT_QUERY_RESOLUTION_H
#define CROFT_QUERY_RESOLUTION_H

#include "query/syntax/ast.h"

/* A year at a minute is half of it. */
enum { SUBQUERY_POINTS_MAX = 1000000 };

/* `default_step_ms` is that of subqueries that give none. STATUS_INVALID: too many points. */
MUST_USE enum status resolution_check(const struct expr *expr, int64_t default_step_ms,
                                      struct error *err);

#endif
