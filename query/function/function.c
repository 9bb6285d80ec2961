#include "query/function/function.h"

#include <stdlib.h>

#include "query/engine/operator.h"
#include "query/function/instant_functions.h"
#include "query/function/window_functions.h"

/* Short names, so that a row stays one line. */
#define SCALAR VALUE_SCALAR
#define VECTOR VALUE_VECTOR
#define MATRIX VALUE_MATRIX
#define STRING VALUE_STRING

#define TAKES(...)                                                                                 \
    .args = {__VA_ARGS__},                                                                         \
    .arg_count = sizeof((enum value_type[]){__VA_ARGS__}) / sizeof(enum value_type)
#define TAKES_NOTHING .arg_count = 0
#define KEEPS_NAME    .keeps_name = true
#define EXPERIMENTAL  .is_experimental = true
/* Bodies over windows that need something prepared. */
#define COUNTS_RESETS(body)  .window = (body), .window_need = WINDOW_NEEDS_RESETS
#define COUNTS_CHANGES(body) .window = (body), .window_need = WINDOW_NEEDS_CHANGES
#define SORTS(body)          .window = (body), .window_need = WINDOW_NEEDS_SCRATCH

/* clang-format off */
/* Sorted by name: function_find searches it by halves. A body is named at the end of its row, as
   .map, .window or .open. */
static const struct function functions[] = {
    {.name = "abs", .returns = VECTOR, TAKES(VECTOR), .map = map_abs},
    {.name = "absent", .returns = VECTOR, TAKES(VECTOR), .open = open_absent},
    {.name = "absent_over_time", .returns = VECTOR, TAKES(MATRIX), .open = operator_open_absent_over_time},
    {.name = "acos", .returns = VECTOR, TAKES(VECTOR), .map = map_acos},
    {.name = "acosh", .returns = VECTOR, TAKES(VECTOR), .map = map_acosh},
    {.name = "asin", .returns = VECTOR, TAKES(VECTOR), .map = map_asin},
    {.name = "asinh", .returns = VECTOR, TAKES(VECTOR), .map = map_asinh},
    {.name = "atan", .returns = VECTOR, TAKES(VECTOR), .map = map_atan},
    {.name = "atanh", .returns = VECTOR, TAKES(VECTOR), .map = map_atanh},
    {.name = "avg_over_time", .returns = VECTOR, TAKES(MATRIX), .window = window_avg},
    {.name = "ceil", .returns = VECTOR, TAKES(VECTOR), .map = map_ceil},
    {.name = "changes", .returns = VECTOR, TAKES(MATRIX), COUNTS_CHANGES(window_changes)},
    {.name = "clamp", .returns = VECTOR, TAKES(VECTOR, SCALAR, SCALAR), .map = map_clamp},
    {.name = "clamp_max", .returns = VECTOR, TAKES(VECTOR, SCALAR), .map = map_clamp_max},
    {.name = "clamp_min", .returns = VECTOR, TAKES(VECTOR, SCALAR), .map = map_clamp_min},
    {.name = "cos", .returns = VECTOR, TAKES(VECTOR), .map = map_cos},
    {.name = "cosh", .returns = VECTOR, TAKES(VECTOR), .map = map_cosh},
    {.name = "count_over_time", .returns = VECTOR, TAKES(MATRIX), .window = window_count},
    {.name = "day_of_month", .returns = VECTOR, TAKES(VECTOR), .variadic = 1, .map = map_day_of_month},
    {.name = "day_of_week", .returns = VECTOR, TAKES(VECTOR), .variadic = 1, .map = map_day_of_week},
    {.name = "day_of_year", .returns = VECTOR, TAKES(VECTOR), .variadic = 1, .map = map_day_of_year},
    {.name = "days_in_month", .returns = VECTOR, TAKES(VECTOR), .variadic = 1, .map = map_days_in_month},
    {.name = "deg", .returns = VECTOR, TAKES(VECTOR), .map = map_deg},
    {.name = "delta", .returns = VECTOR, TAKES(MATRIX), .window = window_delta},
    {.name = "deriv", .returns = VECTOR, TAKES(MATRIX), .window = window_deriv},
    {.name = "double_exponential_smoothing", .returns = VECTOR, TAKES(MATRIX, SCALAR, SCALAR), EXPERIMENTAL, .window = window_smoothing, .check = window_smoothing_check},
    {.name = "end", .returns = SCALAR, TAKES_NOTHING, EXPERIMENTAL, .open = open_end},
    {.name = "exp", .returns = VECTOR, TAKES(VECTOR), .map = map_exp},
    {.name = "first_over_time", .returns = VECTOR, TAKES(MATRIX), KEEPS_NAME, .window = window_first},
    {.name = "floor", .returns = VECTOR, TAKES(VECTOR), .map = map_floor},
    {.name = "histogram_avg", .returns = VECTOR, TAKES(VECTOR), .open = open_nothing},
    {.name = "histogram_count", .returns = VECTOR, TAKES(VECTOR), .open = open_nothing},
    {.name = "histogram_fraction", .returns = VECTOR, TAKES(SCALAR, SCALAR, VECTOR), .open = open_histogram_fraction},
    {.name = "histogram_quantile", .returns = VECTOR, TAKES(SCALAR, VECTOR), .open = open_histogram_quantile},
    {.name = "histogram_quantiles", .returns = VECTOR, TAKES(VECTOR, STRING, SCALAR, SCALAR), .variadic = 9, EXPERIMENTAL, .open = open_histogram_quantiles},
    {.name = "histogram_stddev", .returns = VECTOR, TAKES(VECTOR), .open = open_nothing},
    {.name = "histogram_stdvar", .returns = VECTOR, TAKES(VECTOR), .open = open_nothing},
    {.name = "histogram_sum", .returns = VECTOR, TAKES(VECTOR), .open = open_nothing},
    {.name = "holt_winters", .returns = VECTOR, TAKES(MATRIX, SCALAR, SCALAR), .window = window_smoothing, .check = window_smoothing_check},
    {.name = "hour", .returns = VECTOR, TAKES(VECTOR), .variadic = 1, .map = map_hour},
    {.name = "idelta", .returns = VECTOR, TAKES(MATRIX), .window = window_idelta},
    {.name = "increase", .returns = VECTOR, TAKES(MATRIX), COUNTS_RESETS(window_increase)},
    {.name = "info", .returns = VECTOR, TAKES(VECTOR, VECTOR), .variadic = 1, KEEPS_NAME, EXPERIMENTAL, .open = open_info},
    {.name = "irate", .returns = VECTOR, TAKES(MATRIX), .window = window_irate},
    {.name = "label_join", .returns = VECTOR, TAKES(VECTOR, STRING, STRING, STRING), .variadic = -1, KEEPS_NAME, .open = open_label_join},
    {.name = "label_replace", .returns = VECTOR, TAKES(VECTOR, STRING, STRING, STRING, STRING), KEEPS_NAME, .open = open_label_replace},
    {.name = "last_over_time", .returns = VECTOR, TAKES(MATRIX), KEEPS_NAME, .window = window_last},
    {.name = "ln", .returns = VECTOR, TAKES(VECTOR), .map = map_ln},
    {.name = "log10", .returns = VECTOR, TAKES(VECTOR), .map = map_log10},
    {.name = "log2", .returns = VECTOR, TAKES(VECTOR), .map = map_log2},
    {.name = "mad_over_time", .returns = VECTOR, TAKES(MATRIX), EXPERIMENTAL, SORTS(window_mad)},
    {.name = "max_of", .returns = SCALAR, TAKES(SCALAR, SCALAR), EXPERIMENTAL, .open = open_max_of},
    {.name = "max_over_time", .returns = VECTOR, TAKES(MATRIX), .window = window_max},
    {.name = "min_of", .returns = SCALAR, TAKES(SCALAR, SCALAR), EXPERIMENTAL, .open = open_min_of},
    {.name = "min_over_time", .returns = VECTOR, TAKES(MATRIX), .window = window_min},
    {.name = "minute", .returns = VECTOR, TAKES(VECTOR), .variadic = 1, .map = map_minute},
    {.name = "month", .returns = VECTOR, TAKES(VECTOR), .variadic = 1, .map = map_month},
    {.name = "pi", .returns = SCALAR, TAKES_NOTHING, .open = open_pi},
    {.name = "predict_linear", .returns = VECTOR, TAKES(MATRIX, SCALAR), .window = window_predict_linear},
    {.name = "present_over_time", .returns = VECTOR, TAKES(MATRIX), .window = window_present},
    {.name = "quantile_over_time", .returns = VECTOR, TAKES(SCALAR, MATRIX), SORTS(window_quantile), .check = window_quantile_check},
    {.name = "rad", .returns = VECTOR, TAKES(VECTOR), .map = map_rad},
    {.name = "range", .returns = SCALAR, TAKES_NOTHING, EXPERIMENTAL, .open = open_range},
    {.name = "rate", .returns = VECTOR, TAKES(MATRIX), COUNTS_RESETS(window_rate)},
    {.name = "resets", .returns = VECTOR, TAKES(MATRIX), COUNTS_RESETS(window_resets)},
    {.name = "round", .returns = VECTOR, TAKES(VECTOR, SCALAR), .variadic = 1, .map = map_round},
    {.name = "scalar", .returns = SCALAR, TAKES(VECTOR), .open = open_scalar},
    {.name = "sgn", .returns = VECTOR, TAKES(VECTOR), .map = map_sgn},
    {.name = "sin", .returns = VECTOR, TAKES(VECTOR), .map = map_sin},
    {.name = "sinh", .returns = VECTOR, TAKES(VECTOR), .map = map_sinh},
    {.name = "sort", .returns = VECTOR, TAKES(VECTOR), KEEPS_NAME, .open = open_sort},
    {.name = "sort_by_label", .returns = VECTOR, TAKES(VECTOR, STRING), .variadic = -1, KEEPS_NAME, EXPERIMENTAL, .open = open_sort_by_label},
    {.name = "sort_by_label_desc", .returns = VECTOR, TAKES(VECTOR, STRING), .variadic = -1, KEEPS_NAME, EXPERIMENTAL, .open = open_sort_by_label_desc},
    {.name = "sort_desc", .returns = VECTOR, TAKES(VECTOR), KEEPS_NAME, .open = open_sort_desc},
    {.name = "sqrt", .returns = VECTOR, TAKES(VECTOR), .map = map_sqrt},
    {.name = "start", .returns = SCALAR, TAKES_NOTHING, EXPERIMENTAL, .open = open_start},
    {.name = "start_timestamp", .returns = VECTOR, TAKES(VECTOR), EXPERIMENTAL, .open = open_nothing},
    {.name = "stddev_over_time", .returns = VECTOR, TAKES(MATRIX), .window = window_stddev},
    {.name = "stdvar_over_time", .returns = VECTOR, TAKES(MATRIX), .window = window_stdvar},
    {.name = "step", .returns = SCALAR, TAKES_NOTHING, EXPERIMENTAL, .open = open_step},
    {.name = "sum_over_time", .returns = VECTOR, TAKES(MATRIX), .window = window_sum},
    {.name = "tan", .returns = VECTOR, TAKES(VECTOR), .map = map_tan},
    {.name = "tanh", .returns = VECTOR, TAKES(VECTOR), .map = map_tanh},
    {.name = "time", .returns = SCALAR, TAKES_NOTHING, .open = open_time},
    {.name = "timestamp", .returns = VECTOR, TAKES(VECTOR), .open = operator_open_timestamp},
    {.name = "ts_of_first_over_time", .returns = VECTOR, TAKES(MATRIX), EXPERIMENTAL, .window = window_ts_of_first},
    {.name = "ts_of_last_over_time", .returns = VECTOR, TAKES(MATRIX), EXPERIMENTAL, .window = window_ts_of_last},
    {.name = "ts_of_max_over_time", .returns = VECTOR, TAKES(MATRIX), EXPERIMENTAL, .window = window_ts_of_max},
    {.name = "ts_of_min_over_time", .returns = VECTOR, TAKES(MATRIX), EXPERIMENTAL, .window = window_ts_of_min},
    {.name = "vector", .returns = VECTOR, TAKES(SCALAR), .open = open_vector},
    {.name = "year", .returns = VECTOR, TAKES(VECTOR), .variadic = 1, .map = map_year},
};
/* clang-format on */

static int compare_name(const void *key, const void *row)
{
    const struct function *function = row;
    return str_compare(*(const struct str *)key, str_from(function->name));
}

const struct function *function_find(struct str name)
{
    size_t count = sizeof functions / sizeof functions[0];
    return bsearch(&name, functions, count, sizeof functions[0], compare_name);
}

const struct function *function_table(size_t *count)
{
    *count = sizeof functions / sizeof functions[0];
    return functions;
}
