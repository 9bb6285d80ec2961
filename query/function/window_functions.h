/*
 * window_functions: the functions over ranges, as the function table names them.
 *
 * Each takes a window with at least one sample and gives the value of the step, or false for none.
 * The arithmetic is Prometheus', operation by operation, so that results are equal to the last bit.
 */
#ifndef CROFT_QUERY_WINDOW_FUNCTIONS_H
#define CROFT_QUERY_WINDOW_FUNCTIONS_H

#include "query/engine/window.h"
#include "query/function/function.h"

/* need WINDOW_NEEDS_RESETS */
bool window_rate(const struct window *window, const double *args, double *out);
bool window_increase(const struct window *window, const double *args, double *out);
bool window_resets(const struct window *window, const double *args, double *out);
/* need WINDOW_NEEDS_CHANGES */
bool window_changes(const struct window *window, const double *args, double *out);
/* need WINDOW_NEEDS_SCRATCH */
bool window_quantile(const struct window *window, const double *args, double *out);
bool window_mad(const struct window *window, const double *args, double *out);
/* need nothing */
bool window_delta(const struct window *window, const double *args, double *out);
bool window_irate(const struct window *window, const double *args, double *out);
bool window_idelta(const struct window *window, const double *args, double *out);
bool window_deriv(const struct window *window, const double *args, double *out);
bool window_predict_linear(const struct window *window, const double *args, double *out);
bool window_smoothing(const struct window *window, const double *args, double *out);
bool window_avg(const struct window *window, const double *args, double *out);
bool window_count(const struct window *window, const double *args, double *out);
bool window_first(const struct window *window, const double *args, double *out);
bool window_last(const struct window *window, const double *args, double *out);
bool window_max(const struct window *window, const double *args, double *out);
bool window_min(const struct window *window, const double *args, double *out);
bool window_present(const struct window *window, const double *args, double *out);
bool window_stddev(const struct window *window, const double *args, double *out);
bool window_stdvar(const struct window *window, const double *args, double *out);
bool window_sum(const struct window *window, const double *args, double *out);
bool window_ts_of_first(const struct window *window, const double *args, double *out);
bool window_ts_of_last(const struct window *window, const double *args, double *out);
bool window_ts_of_max(const struct window *window, const double *args, double *out);
bool window_ts_of_min(const struct window *window, const double *args, double *out);

/* STATUS_LIMIT when a factor is not between 0 and 1. */
MUST_USE enum status window_smoothing_check(struct eval *eval, const struct expr *call,
                                            const double *args, struct error *err);
/* Warns when the quantile is not between 0 and 1; always OK. */
MUST_USE enum status window_quantile_check(struct eval *eval, const struct expr *call,
                                           const double *args, struct error *err);

#endif
