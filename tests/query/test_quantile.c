#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "query/engine/quantile.h"
#include "tests/support/test.h"

enum { VALUES_MAX = 200 };

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    if (isnan(left) || isnan(right))
        return (isnan(right) != 0) - (isnan(left) != 0);
    return (left > right) - (left < right);
}

/* By sorting everything. */
static double naive(double phi, const double *values, size_t count)
{
    double sorted[VALUES_MAX];
    memcpy(sorted, values, count * sizeof *values);
    qsort(sorted, count, sizeof *sorted, compare);
    double rank = phi * (double)(count - 1);
    double weight = rank - floor(rank);
    size_t lower = (size_t)floor(rank);
    size_t upper = lower + 1 < count ? lower + 1 : lower;
    return sorted[lower] * (1 - weight) + sorted[upper] * weight;
}

/* Shapes that are hard on splitting: all alike, few different ones, in order, in reverse. */
static double some_value(struct random *random, int shape, size_t at)
{
    switch (shape) {
    case 0:
        return random_unit(random);
    case 1:
        return (double)random_below(random, 3);
    case 2:
        return (double)at;
    case 3:
        return -(double)at;
    case 4:
        return random_below(random, 4) == 0 ? NAN : random_unit(random);
    case 5:
        return (double)(at % 7);
    case 6:
        return random_below(random, 5) == 0 ? INFINITY : -(double)at;
    default:
        return 4.5;
    }
}

TEST(a_quantile_is_that_of_the_sorted_values)
{
    struct random random;
    random_init_seeded(&random, test_seed(1));
    for (int round = 0; round < 20000; round++) {
        double values[VALUES_MAX];
        size_t count = 1 + random_below(&random, VALUES_MAX);
        for (size_t i = 0; i < count; i++)
            values[i] = some_value(&random, round % 8, i);
        double phi = round % 3 == 0 ? (double)random_below(&random, 5) / 4 : random_unit(&random);
        double want = naive(phi, values, count);
        double got = quantile_of(phi, values, count);
        if (got != want && !(isnan(got) && isnan(want)))
            fail_msg("round %d: %zu values, phi %g: got %g, want %g", round, count, phi, got, want);
    }
}

TEST(a_quantile_out_of_range_is_infinite)
{
    double values[] = {1, 2};
    assert_true(quantile_of(-0.1, values, 2) == -INFINITY);
    assert_true(quantile_of(1.1, values, 2) == INFINITY);
    assert_true(isnan(quantile_of(NAN, values, 2)));
    assert_true(isnan(quantile_of(0.5, values, 0)));
}

TEST_MAIN(RUN(a_quantile_is_that_of_the_sorted_values), RUN(a_quantile_out_of_range_is_infinite))
