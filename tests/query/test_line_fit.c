#include <math.h>

#include "base/codec.h"
#include "base/random.h"
#include "query/engine/compensated.h"
#include "query/function/line_fit.h"
#include "tests/support/test.h"

enum { SAMPLES_MAX = 300, ROUNDS = 3000 };

struct window {
    double values[SAMPLES_MAX];
    int64_t ts_ms[SAMPLES_MAX];
    size_t count;
    int64_t zero_ms;
};

static double total(struct compensated sum)
{
    return sum.sum + sum.error;
}

/* As Prometheus has it: sum by sum, one sample after the other. */
static struct line naive(const struct window *window)
{
    struct compensated x_sum = {0}, y_sum = {0}, xy_sum = {0}, xx_sum = {0};
    for (size_t i = 0; i < window->count; i++) {
        double x = (double)(window->ts_ms[i] - window->zero_ms) / 1e3, y = window->values[i];
        x_sum = compensated_add(x_sum, x);
        y_sum = compensated_add(y_sum, y);
        xy_sum = compensated_add(xy_sum, x * y);
        xx_sum = compensated_add(xx_sum, x * x);
    }
    double n = (double)window->count;
    double covariance = total(xy_sum) - total(x_sum) * total(y_sum) / n;
    double variance = total(xx_sum) - total(x_sum) * total(x_sum) / n;
    double slope = covariance / variance;
    return (struct line){slope, total(y_sum) / n - slope * total(x_sum) / n};
}

static double some_value(struct random *random, uint64_t shape)
{
    static const double odd[] = {INFINITY, -INFINITY, NAN,  1.7e308, -1.7e308, 5e-324, -5e-324,
                                 0.0,      -0.0,      1e17, -1e17,   1e-9,     1};
    switch (shape) {
    case 0:
        return odd[random_below(random, sizeof odd / sizeof *odd)];
    case 1: /* none of those that are not finite, nor their sums */
        return odd[5 + random_below(random, sizeof odd / sizeof *odd - 5)];
    case 2:
        return 4096.0 * (double)random_below(random, 1 << 30);
    case 3: /* any bits: of all sizes, NaN now and then */
        return f64_from_bits(random_u64(random));
    default:
        return random_unit(random) - 0.5;
    }
}

static void fill(struct window *window, struct random *random)
{
    uint64_t shape = random_below(random, 5);
    int64_t ts_ms = 1700000000000;
    window->count = 2 + random_below(random, SAMPLES_MAX - 1);
    for (size_t i = 0; i < window->count; i++) {
        ts_ms += 1 + (int64_t)random_below(random, 30000);
        window->ts_ms[i] = ts_ms;
        window->values[i] = some_value(random, shape);
    }
    window->zero_ms =
        random_below(random, 2) == 0 ? window->ts_ms[0] : (int64_t)random_below(random, 1 << 30);
}

static bool is_same(double a, double b)
{
    return f64_bits(a) == f64_bits(b) || (isnan(a) && isnan(b));
}

TEST(a_line_is_that_of_one_sum_after_the_other_to_the_last_bit)
{
    struct random random;
    struct window window;
    random_init_seeded(&random, test_seed(20261120));
    for (int round = 0; round < ROUNDS; round++) {
        fill(&window, &random);
        /* other values than the first, or there is nothing to add up */
        if (window.values[0] == window.values[1])
            continue;
        struct line want = naive(&window);
        struct line got = line_fit(window.values, window.ts_ms, window.count, window.zero_ms);
        if (!is_same(got.slope, want.slope) || !is_same(got.intercept, want.intercept))
            fail_msg("round %d: got %a, %a, want %a, %a", round, got.slope, got.intercept,
                     want.slope, want.intercept);
    }
}

TEST(equal_values_lie_on_a_level_line)
{
    const int64_t ts_ms[] = {1000, 2000, 3500};
    const double values[] = {0.1, 0.1, 0.1}, infinite[] = {INFINITY, INFINITY, INFINITY};
    struct line line = line_fit(values, ts_ms, 3, 0);
    assert_true(line.slope == 0 && line.intercept == 0.1);
    line = line_fit(infinite, ts_ms, 3, 0);
    assert_true(isnan(line.slope) && isnan(line.intercept));
}

TEST_MAIN(RUN(a_line_is_that_of_one_sum_after_the_other_to_the_last_bit),
          RUN(equal_values_lie_on_a_level_line))
