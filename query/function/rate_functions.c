/*
 * How samples grow and where they tend: rate and its kin, deriv, predict_linear.
 */
#include "query/function/window_functions.h"

#include "query/function/line_fit.h"

/* ---- counters and gauges ---- */

/* Adds the value just before each reset, in the order of the samples. */
static double add_resets(const struct window *window, double increase)
{
    const double *values = window->columns->values;
    for (size_t i = window->jump_first; i < window->jump_end; i++)
        increase += values[window->jumps_at[i] - 1];
    return increase;
}

/* Half a sample interval where the series seems to start or end within the window, else all the way
   to the window's edge: a gap of up to 110 % of the average interval is taken for regular spacing.
 */
static double extrapolated_gap(double gap_s, double interval_s)
{
    return gap_s >= interval_s * 1.1 ? interval_s / 2 : gap_s;
}

/* By how much the increase between first and last sample has to be stretched to cover the
   window. */
static double extrapolation_factor(const struct window *window, bool is_counter, double increase)
{
    const int64_t *times = window_times(window);
    int64_t last_ms = times[window->count - 1];
    double sampled_s = (double)(last_ms - times[0]) / 1000;
    double interval_s = sampled_s / (double)(window->count - 1);
    double start_gap_s = extrapolated_gap((double)(times[0] - window->start_ms) / 1000, interval_s);
    double end_gap_s = extrapolated_gap((double)(window->end_ms - last_ms) / 1000, interval_s);
    double first = window_values(window)[0];
    /* a counter cannot have been below zero: it started no earlier than where its slope meets it;
       from far above zero that is beyond any gap */
    if (is_counter && increase > 0 && first >= 0 && first < 2 * increase) {
        double zero_gap_s = sampled_s * (first / increase);
        if (zero_gap_s < start_gap_s)
            start_gap_s = zero_gap_s;
    }
    return (sampled_s + start_gap_s + end_gap_s) / sampled_s;
}

static bool increase_of_counter(const struct window *window, bool is_rate, double *out)
{
    if (window->count < 2)
        return false;
    const double *values = window_values(window);
    double increase = add_resets(window, values[window->count - 1] - values[0]);
    double factor = extrapolation_factor(window, true, increase);
    if (is_rate)
        factor /= window->range_s;
    *out = increase * factor;
    return true;
}

bool window_rate(const struct window *window, const double *args, double *out)
{
    (void)args;
    return increase_of_counter(window, true, out);
}

bool window_increase(const struct window *window, const double *args, double *out)
{
    (void)args;
    return increase_of_counter(window, false, out);
}

bool window_delta(const struct window *window, const double *args, double *out)
{
    (void)args;
    if (window->count < 2)
        return false;
    const double *values = window_values(window);
    double delta = values[window->count - 1] - values[0];
    *out = delta * extrapolation_factor(window, false, delta);
    return true;
}

bool window_irate(const struct window *window, const double *args, double *out)
{
    (void)args;
    if (window->count < 2)
        return false;
    const double *last = window_values(window) + window->count - 1;
    const int64_t *last_ms = window_times(window) + window->count - 1;
    double increase = last[0] < last[-1] ? last[0] : last[0] - last[-1];
    *out = increase / ((double)(last_ms[0] - last_ms[-1]) / 1000);
    return true;
}

bool window_idelta(const struct window *window, const double *args, double *out)
{
    (void)args;
    if (window->count < 2)
        return false;
    const double *last = window_values(window) + window->count - 1;
    *out = last[0] - last[-1];
    return true;
}

static bool jumps_in(const struct window *window, double *out)
{
    *out = (double)(window->jump_end - window->jump_first);
    return true;
}

bool window_resets(const struct window *window, const double *args, double *out)
{
    (void)args;
    return jumps_in(window, out);
}

bool window_changes(const struct window *window, const double *args, double *out)
{
    (void)args;
    return jumps_in(window, out);
}

/* ---- trends ---- */

bool window_deriv(const struct window *window, const double *args, double *out)
{
    (void)args;
    if (window->count < 2)
        return false;
    const int64_t *times = window_times(window);
    /* an origin near the samples keeps the squares small */
    *out = line_fit(window_values(window), times, window->count, times[0]).slope;
    return true;
}

bool window_predict_linear(const struct window *window, const double *args, double *out)
{
    if (window->count < 2)
        return false;
    struct line line =
        line_fit(window_values(window), window_times(window), window->count, window->step_ms);
    *out = line.slope * args[0] + line.intercept;
    return true;
}

/* Double exponential smoothing; `args` are the smoothing and the trend factor. */
bool window_smoothing(const struct window *window, const double *args, double *out)
{
    if (window->count < 2)
        return false;
    const double *values = window_values(window);
    double smoothing = args[0];
    double trend_factor = args[1];
    double before = 0;
    double level = values[0];
    double trend = values[1] - values[0];
    for (size_t i = 1; i < window->count; i++) {
        double scaled = smoothing * values[i];
        if (i > 1)
            trend = trend_factor * (level - before) + (1 - trend_factor) * trend;
        double carried = (1 - smoothing) * (level + trend);
        before = level;
        level = scaled + carried;
    }
    *out = level;
    return true;
}

static enum status check_factor(const char *name, const char *symbol, double value,
                                struct error *err)
{
    if (!(value <= 0) && !(value >= 1))
        return STATUS_OK;
    return error_set(err, STATUS_LIMIT, "invalid %s factor. Expected: 0 < %s < 1, got: %f", name,
                     symbol, value);
}

enum status window_smoothing_check(struct eval *eval, const struct expr *call, const double *args,
                                   struct error *err)
{
    (void)eval;
    (void)call;
    TRY(check_factor("smoothing", "sf", args[0], err));
    return check_factor("trend", "tf", args[1], err);
}
