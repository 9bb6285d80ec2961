#include "query/function/window_functions.h"

#include "query/engine/compensated.h"
#include "query/engine/eval.h"
#include "query/engine/quantile.h"
#include "query/function/line_fit.h"

static const double *window_values(const struct window *window)
{
    return window->columns->values + window->first;
}

static const int64_t *window_times(const struct window *window)
{
    return window->columns->ts_ms + window->first;
}

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

/* ---- aggregation over time ---- */

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
