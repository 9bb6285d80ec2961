/*
 * What the samples of a window are together: sum_over_time and its kin.
 */
#include "query/function/window_functions.h"

#include <math.h>

#include "query/engine/compensated.h"
#include "query/engine/eval.h"
#include "query/engine/quantile.h"

/* ---- totals ---- */

bool window_sum(const struct window *window, const double *args, double *out)
{
    (void)args;
    const double *values = window_values(window);
    struct compensated total = {0};
    for (size_t i = 0; i < window->count; i++)
        total = compensated_add(total, values[i]);
    *out = total.sum + total.error;
    return true;
}

/* The mean of `values`, the first `done` of which have the sum `total`: a running mean, which
   cannot overflow. */
static double running_mean(const double *values, size_t count, size_t done,
                           struct compensated total)
{
    struct compensated mean = {total.sum / (double)done, total.error / (double)done};
    for (size_t i = done; i < count; i++) {
        double n = (double)(i + 1);
        double share = (n - 1) / n;
        mean = compensated_add((struct compensated){share * mean.sum, share * mean.error},
                               values[i] / n);
    }
    return mean.sum + mean.error;
}

bool window_avg(const struct window *window, const double *args, double *out)
{
    (void)args;
    const double *values = window_values(window);
    struct compensated total = {values[0], 0};
    for (size_t i = 1; i < window->count; i++) {
        struct compensated next = compensated_add(total, values[i]);
        if (isinf(next.sum)) {
            *out = running_mean(values, window->count, i, total);
            return true;
        }
        total = next;
    }
    double n = (double)window->count;
    *out = total.sum / n + total.error / n;
    return true;
}

bool window_count(const struct window *window, const double *args, double *out)
{
    (void)args;
    *out = (double)window->count;
    return true;
}

bool window_present(const struct window *window, const double *args, double *out)
{
    (void)window;
    (void)args;
    *out = 1;
    return true;
}

bool window_first(const struct window *window, const double *args, double *out)
{
    (void)args;
    *out = window_values(window)[0];
    return true;
}

bool window_last(const struct window *window, const double *args, double *out)
{
    (void)args;
    *out = window_values(window)[window->count - 1];
    return true;
}

/* Where to go on looking for an extreme: with the one of the window before while that is still
   within, and behind what it was compared with; else with the first sample. */
static size_t recall(const struct window *window, size_t *next)
{
    const struct window_memory *memory = window->memory;
    bool is_within = memory->at >= window->first && memory->end > window->first;
    *next = is_within ? memory->end : window->first + 1;
    return is_within ? memory->at : window->first;
}

static void remember(const struct window *window, size_t at)
{
    *window->memory = (struct window_memory){at, window->first + window->count};
}

/* The first of the largest; a NaN gives way to any number. */
bool window_max(const struct window *window, const double *args, double *out)
{
    (void)args;
    const double *values = window->columns->values;
    size_t next;
    size_t at = recall(window, &next);
    for (; next < window->first + window->count; next++) {
        if (values[next] > values[at] || isnan(values[at]))
            at = next;
    }
    remember(window, at);
    *out = values[at];
    return true;
}

bool window_min(const struct window *window, const double *args, double *out)
{
    (void)args;
    const double *values = window->columns->values;
    size_t next;
    size_t at = recall(window, &next);
    for (; next < window->first + window->count; next++) {
        if (values[next] < values[at] || isnan(values[at]))
            at = next;
    }
    remember(window, at);
    *out = values[at];
    return true;
}

/* Welford's algorithm, both running values compensated. */
static double variance_of(const struct window *window)
{
    const double *values = window_values(window);
    struct compensated mean = {0};
    struct compensated squares = {0};
    double count = 0;
    for (size_t i = 0; i < window->count; i++) {
        count++;
        double delta = values[i] - (mean.sum + mean.error);
        mean = compensated_add(mean, delta / count);
        squares = compensated_add(squares, delta * (values[i] - (mean.sum + mean.error)));
    }
    return (squares.sum + squares.error) / count;
}

bool window_stdvar(const struct window *window, const double *args, double *out)
{
    (void)args;
    *out = variance_of(window);
    return true;
}

bool window_stddev(const struct window *window, const double *args, double *out)
{
    (void)args;
    *out = sqrt(variance_of(window));
    return true;
}

/* ---- order statistics ---- */

bool window_quantile(const struct window *window, const double *args, double *out)
{
    memcpy(window->scratch, window_values(window), window->count * sizeof(double));
    *out = quantile_of(args[0], window->scratch, window->count);
    return true;
}

enum status window_quantile_check(struct eval *eval, const struct expr *call, const double *args,
                                  struct error *err)
{
    (void)err;
    quantile_check(eval, call, call->call.args[0], args[0]);
    return STATUS_OK;
}

bool window_mad(const struct window *window, const double *args, double *out)
{
    (void)args;
    const double *values = window_values(window);
    double *scratch = window->scratch;
    memcpy(scratch, values, window->count * sizeof *scratch);
    double median = quantile_of(0.5, scratch, window->count);
    bool has_nan = false;
    for (size_t i = 0; i < window->count; i++) {
        has_nan = has_nan || isnan(values[i]);
        scratch[i] = fabs(values[i] - median);
    }
    *out = has_nan ? NAN : quantile_of(0.5, scratch, window->count);
    return true;
}

/* ---- when ---- */

bool window_ts_of_first(const struct window *window, const double *args, double *out)
{
    (void)args;
    *out = (double)window_times(window)[0] / 1000;
    return true;
}

bool window_ts_of_last(const struct window *window, const double *args, double *out)
{
    (void)args;
    *out = (double)window_times(window)[window->count - 1] / 1000;
    return true;
}

/* The latest of equal extremes. */
bool window_ts_of_max(const struct window *window, const double *args, double *out)
{
    (void)args;
    const double *values = window_values(window);
    size_t at = 0;
    for (size_t i = 0; i < window->count; i++) {
        if (values[i] >= values[at] || isnan(values[at]))
            at = i;
    }
    *out = (double)window_times(window)[at] / 1000;
    return true;
}

bool window_ts_of_min(const struct window *window, const double *args, double *out)
{
    (void)args;
    const double *values = window_values(window);
    size_t at = 0;
    for (size_t i = 0; i < window->count; i++) {
        if (values[i] <= values[at] || isnan(values[at]))
            at = i;
    }
    *out = (double)window_times(window)[at] / 1000;
    return true;
}
