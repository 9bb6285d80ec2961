/*
 * instant_functions: the functions over instant vectors and scalars, as the function table names
 * them.
 */
#ifndef CROFT_QUERY_INSTANT_FUNCTIONS_H
#define CROFT_QUERY_INSTANT_FUNCTIONS_H

#include "query/function/function.h"

/* One value to another; `args` are the scalar arguments behind the vector. */
double map_abs(double value, const double *args, size_t arg_count);
double map_acos(double value, const double *args, size_t arg_count);
double map_acosh(double value, const double *args, size_t arg_count);
double map_asin(double value, const double *args, size_t arg_count);
double map_asinh(double value, const double *args, size_t arg_count);
double map_atan(double value, const double *args, size_t arg_count);
double map_atanh(double value, const double *args, size_t arg_count);
double map_ceil(double value, const double *args, size_t arg_count);
double map_clamp(double value, const double *args, size_t arg_count);
double map_clamp_max(double value, const double *args, size_t arg_count);
double map_clamp_min(double value, const double *args, size_t arg_count);
double map_cos(double value, const double *args, size_t arg_count);
double map_cosh(double value, const double *args, size_t arg_count);
double map_deg(double value, const double *args, size_t arg_count);
double map_exp(double value, const double *args, size_t arg_count);
double map_floor(double value, const double *args, size_t arg_count);
double map_ln(double value, const double *args, size_t arg_count);
double map_log10(double value, const double *args, size_t arg_count);
double map_log2(double value, const double *args, size_t arg_count);
double map_rad(double value, const double *args, size_t arg_count);
double map_round(double value, const double *args, size_t arg_count);
double map_sgn(double value, const double *args, size_t arg_count);
double map_sin(double value, const double *args, size_t arg_count);
double map_sinh(double value, const double *args, size_t arg_count);
double map_sqrt(double value, const double *args, size_t arg_count);
double map_tan(double value, const double *args, size_t arg_count);
double map_tanh(double value, const double *args, size_t arg_count);
/* The value is seconds since the Unix epoch, in UTC. */
double map_day_of_month(double value, const double *args, size_t arg_count);
double map_day_of_week(double value, const double *args, size_t arg_count);
double map_day_of_year(double value, const double *args, size_t arg_count);
double map_days_in_month(double value, const double *args, size_t arg_count);
double map_hour(double value, const double *args, size_t arg_count);
double map_minute(double value, const double *args, size_t arg_count);
double map_month(double value, const double *args, size_t arg_count);
double map_year(double value, const double *args, size_t arg_count);

/* Whatever has a shape of its own: scalars, labels, order, histograms. */
#define INSTANT_FUNCTION(name)                                                                     \
    MUST_USE enum status name(struct eval *eval, const struct grid *grid, const struct expr *call, \
                              struct query_operator **out, struct error *err)
INSTANT_FUNCTION(open_absent);
INSTANT_FUNCTION(open_end);
INSTANT_FUNCTION(open_histogram_fraction);
INSTANT_FUNCTION(open_histogram_quantile);
INSTANT_FUNCTION(open_histogram_quantiles);
INSTANT_FUNCTION(open_info);
INSTANT_FUNCTION(open_label_join);
INSTANT_FUNCTION(open_label_replace);
INSTANT_FUNCTION(open_max_of);
INSTANT_FUNCTION(open_min_of);
INSTANT_FUNCTION(open_nothing);
INSTANT_FUNCTION(open_pi);
INSTANT_FUNCTION(open_range);
INSTANT_FUNCTION(open_scalar);
INSTANT_FUNCTION(open_sort);
INSTANT_FUNCTION(open_sort_by_label);
INSTANT_FUNCTION(open_sort_by_label_desc);
INSTANT_FUNCTION(open_sort_desc);
INSTANT_FUNCTION(open_start);
INSTANT_FUNCTION(open_step);
INSTANT_FUNCTION(open_time);
INSTANT_FUNCTION(open_vector);
#undef INSTANT_FUNCTION

#endif
