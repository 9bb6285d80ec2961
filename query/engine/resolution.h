/*
 * resolution: how many points subqueries ask for, known before anything is evaluated.
 *
 * A window of a subquery has range / step points, and each of them may be a window of the next one
 * within: the product is what one series can make an evaluation look at for one value. Prometheus
 * has no such limit, and runs into its time limit instead.
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
