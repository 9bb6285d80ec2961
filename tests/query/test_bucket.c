#include "tests/support/test.h"

#include <math.h>

#include "base/random.h"
#include "query/function/bucket.h"

enum { BUCKETS_MAX = 16 };

static struct bucket_repair repair;

static double quantile(double phi, const struct bucket *given, size_t count)
{
    struct bucket buckets[BUCKETS_MAX];
    memcpy(buckets, given, count * sizeof *given);
    return bucket_quantile(phi, buckets, count, &repair);
}

static double fraction(double lower, double upper, const struct bucket *given, size_t count)
{
    struct bucket buckets[BUCKETS_MAX];
    memcpy(buckets, given, count * sizeof *given);
    return bucket_fraction(lower, upper, buckets, count);
}

static void expect_near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-12 * fmax(1, fabs(want))))
        fail_msg("got %.17g, want %.17g", got, want);
}

TEST(buckets_may_come_in_any_order)
{
    const struct bucket given[] = {{INFINITY, 10}, {2, 8}, {1, 4}};
    expect_near(quantile(0.2, given, 3), 0.5);
    expect_near(quantile(0.6, given, 3), 1.5);
    expect_near(quantile(0.9, given, 3), 2);
}

TEST(buckets_of_the_same_bound_add_up)
{
    const struct bucket given[] = {{1, 1}, {1, 3}, {2, 8}, {INFINITY, 4}, {INFINITY, 4}};
    expect_near(quantile(0.75, given, 5), 1.5);
}

TEST(a_lowest_bucket_at_or_below_zero_has_no_width)
{
    const struct bucket given[] = {{-1, 5}, {1, 10}, {INFINITY, 10}};
    expect_near(quantile(0.1, given, 3), -1);
    expect_near(quantile(0.75, given, 3), 0);
}

TEST(a_histogram_that_says_nothing_gives_nan)
{
    const struct bucket bounded[] = {{1, 5}, {2, 10}};
    const struct bucket single[] = {{INFINITY, 5}};
    const struct bucket empty[] = {{1, 0}, {INFINITY, 0}};
    assert_true(isnan(quantile(0.5, bounded, 2)));
    assert_true(isnan(quantile(0.5, single, 1)));
    assert_true(isnan(quantile(0.5, empty, 2)));
    assert_true(isnan(quantile(NAN, empty, 2)));
    assert_true(isnan(fraction(0, 1, bounded, 2)));
    assert_true(isnan(fraction(0, 1, empty, 2)));
    assert_true(isnan(fraction(NAN, 1, bounded, 2)));
    assert_true(quantile(-0.1, empty, 2) == -INFINITY);
    assert_true(quantile(1.1, empty, 2) == INFINITY);
}

TEST(counts_that_fall_are_evened_out_and_reported)
{
    const struct bucket given[] = {{1, 10}, {2, 4}, {3, 7}, {4, 20}, {INFINITY, 20}};
    expect_near(quantile(0.75, given, 5), 3.5);
    assert_true(repair.is_forced);
    expect_near(repair.min_upper, 2);
    expect_near(repair.max_upper, 3);
    expect_near(repair.max_drop, 6);
}

TEST(differences_within_rounding_are_not_reported)
{
    const struct bucket falls[] = {{1, 10}, {2, 10 - 1e-12}, {INFINITY, 20}};
    const struct bucket rises[] = {{1, 10}, {2, 10 + 1e-12}, {3, 12}, {INFINITY, 20}};
    expect_near(quantile(0.5, falls, 3), 1);
    assert_false(repair.is_forced);
    /* a rise within rounding is dropped as well: the rank lies in the bucket behind it */
    expect_near(quantile(0.5 + 1e-14, rises, 4), 2 + 1e-13);
    assert_false(repair.is_forced);
}

TEST(a_fraction_is_cut_at_the_bounds_of_what_was_seen)
{
    const struct bucket given[] = {{1, 4}, {2, 8}, {INFINITY, 10}};
    expect_near(fraction(-INFINITY, INFINITY, given, 3), 1);
    expect_near(fraction(0.5, 1.5, given, 3), 0.4);
    expect_near(fraction(5, INFINITY, given, 3), 0.2);
    expect_near(fraction(-5, 0, given, 3), 0);
    expect_near(fraction(2, 1, given, 3), 0);
    const struct bucket broken[] = {{1, 4}, {2, NAN}, {INFINITY, 10}};
    assert_true(isnan(fraction(1.5, 3, broken, 3)));
}

/* Rising counts over rising bounds, with observations in every bucket. */
static size_t random_histogram(struct random *random, struct bucket *buckets)
{
    size_t count = 2 + random_below(random, BUCKETS_MAX - 2);
    double upper = 0;
    double observations = 0;
    for (size_t i = 0; i < count; i++) {
        upper += 0.01 + random_unit(random);
        observations += 1 + (double)random_below(random, 100);
        buckets[i] = (struct bucket){i + 1 < count ? upper : INFINITY, observations};
    }
    return count;
}

TEST(fraction_is_the_inverse_of_quantile)
{
    struct random random;
    random_init_seeded(&random, test_seed(7));
    for (int round = 0; round < 1000; round++) {
        struct bucket buckets[BUCKETS_MAX];
        size_t count = random_histogram(&random, buckets);
        double in_finite = buckets[count - 2].count / buckets[count - 1].count;
        double phi = random_unit(&random) * in_finite;
        double value = quantile(phi, buckets, count);
        if (fabs(fraction(-INFINITY, value, buckets, count) - phi) > 1e-9)
            fail_msg("round %d: quantile %g is %g, of which the fraction is %g", round, phi, value,
                     fraction(-INFINITY, value, buckets, count));
    }
}

TEST_MAIN(RUN(buckets_may_come_in_any_order), RUN(buckets_of_the_same_bound_add_up),
          RUN(a_lowest_bucket_at_or_below_zero_has_no_width),
          RUN(a_histogram_that_says_nothing_gives_nan),
          RUN(counts_that_fall_are_evened_out_and_reported),
          RUN(differences_within_rounding_are_not_reported),
          RUN(a_fraction_is_cut_at_the_bounds_of_what_was_seen),
          RUN(fraction_is_the_inverse_of_quantile))
