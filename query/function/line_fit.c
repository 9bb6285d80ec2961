#include "query/function/line_fit.h"

#include <stdbool.h>

#include "query/engine/compensated.h"
#include "tsdb/codec/vector.h"

/* Of x, the seconds since zero, and y, the value. */
enum { SUM_X, SUM_Y, SUM_XY, SUM_XX, SUMS };

struct sums {
    double sum[SUMS];
    double error[SUMS];
};

static double seconds_since(int64_t zero_ms, int64_t ts_ms)
{
    return (double)(ts_ms - zero_ms) / 1e3;
}

/*
 * The four sums side by side and without a branch. What rounding takes from an addition is itself a
 * double, and this way of asking for it (Knuth's) finds the same one as that of compensated_add: so
 * the sums are equal to the last bit, as long as all numbers are finite.
 */
VECTOR_CLONES
static void add_up(const double *values, const int64_t *ts_ms, size_t count, int64_t zero_ms,
                   struct sums *out)
{
    double sum[SUMS] = {0}, error[SUMS] = {0};
    for (size_t i = 0; i < count; i++) {
        double x = seconds_since(zero_ms, ts_ms[i]), y = values[i];
        double added[SUMS] = {x, y, x * y, x * x};
        for (int k = 0; k < SUMS; k++) {
            double next = sum[k] + added[k];
            double arrived = next - sum[k];
            error[k] += (sum[k] - (next - arrived)) + (added[k] - arrived);
            sum[k] = next;
        }
    }
    for (int k = 0; k < SUMS; k++) {
        out->sum[k] = sum[k];
        out->error[k] = error[k];
    }
}

static bool are_finite(const struct sums *sums)
{
    for (int k = 0; k < SUMS; k++) {
        if (!isfinite(sums->sum[k]) || !isfinite(sums->error[k]))
            return false;
    }
    return true;
}

/* Three times as slow, for whatever overflows. */
static void add_up_infinite(const double *values, const int64_t *ts_ms, size_t count,
                            int64_t zero_ms, struct sums *out)
{
    *out = (struct sums){0};
    for (size_t i = 0; i < count; i++) {
        double x = seconds_since(zero_ms, ts_ms[i]), y = values[i];
        const double added[SUMS] = {x, y, x * y, x * x};
        for (int k = 0; k < SUMS; k++) {
            struct compensated total = {out->sum[k], out->error[k]};
            total = compensated_add(total, added[k]);
            out->sum[k] = total.sum;
            out->error[k] = total.error;
        }
    }
}

static bool are_equal(const double *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (values[i] != values[0])
            return false;
    }
    return true;
}

struct line line_fit(const double *values, const int64_t *ts_ms, size_t count, int64_t zero_ms)
{
    if (are_equal(values, count))
        return isinf(values[0]) ? (struct line){NAN, NAN} : (struct line){0, values[0]};
    struct sums sums;
    add_up(values, ts_ms, count, zero_ms, &sums);
    if (!are_finite(&sums))
        add_up_infinite(values, ts_ms, count, zero_ms, &sums);
    double n = (double)count;
    double x = sums.sum[SUM_X] + sums.error[SUM_X];
    double y = sums.sum[SUM_Y] + sums.error[SUM_Y];
    double covariance = (sums.sum[SUM_XY] + sums.error[SUM_XY]) - x * y / n;
    double variance = (sums.sum[SUM_XX] + sums.error[SUM_XX]) - x * x / n;
    double slope = covariance / variance;
    return (struct line){slope, y / n - slope * x / n};
}
