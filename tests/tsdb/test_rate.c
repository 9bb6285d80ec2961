#include "tsdb/model/rate.h"

#include "tests/support/test.h"

#define SECOND_NS UINT64_C(1000000000)

static const struct rate_limit limit = {.per_second = 10, .burst = 20};

static bool take(struct rate *rate, uint64_t now_ns, uint64_t count)
{
    int64_t wait_ms = 0;
    bool is_taken = rate_take(rate, &limit, now_ns, count, &wait_ms);
    assert_int_equal(is_taken, wait_ms == 0);
    return is_taken;
}

TEST(a_full_bucket_holds_the_burst_and_no_more)
{
    struct rate rate = {0};
    assert_true(take(&rate, 5, 19));
    assert_true(take(&rate, 5, 1));
    assert_false(take(&rate, 5, 1));
}

TEST(it_fills_with_time_up_to_the_burst)
{
    struct rate rate = {0};
    assert_true(take(&rate, 0, 20));
    assert_false(take(&rate, SECOND_NS / 10 - 1, 1));
    assert_true(take(&rate, SECOND_NS / 10, 1));
    assert_true(take(&rate, SECOND_NS, 9));
    assert_false(take(&rate, SECOND_NS, 1));
    assert_true(take(&rate, 100 * SECOND_NS, 20));
    assert_false(take(&rate, 100 * SECOND_NS, 1));
}

TEST(callers_a_little_out_of_order_get_no_more)
{
    struct rate rate = {0};
    assert_true(take(&rate, SECOND_NS, 20));
    assert_false(take(&rate, SECOND_NS / 2, 1));
    assert_false(take(&rate, SECOND_NS + SECOND_NS / 10 - 1, 1));
    assert_true(take(&rate, SECOND_NS + SECOND_NS / 10, 1));
}

TEST(asking_takes_nothing)
{
    struct rate rate = {0};
    int64_t wait_ms = 0;
    assert_true(rate_allows(&rate, &limit, 0, 20, &wait_ms));
    assert_true(take(&rate, 0, 20));
    assert_false(rate_allows(&rate, &limit, 0, 1, &wait_ms));
    assert_int_equal(wait_ms, 101);
}

TEST(all_or_nothing_is_taken)
{
    struct rate rate = {0};
    assert_true(take(&rate, 0, 1));
    assert_false(take(&rate, 0, 20));
    assert_true(take(&rate, 0, 19));
}

TEST(more_than_the_burst_takes_a_full_bucket_and_is_paid_for)
{
    struct rate rate = {0};
    assert_true(take(&rate, 0, 30));
    assert_false(take(&rate, SECOND_NS, 1));
    assert_true(take(&rate, 2 * SECOND_NS, 10));
    assert_false(take(&rate, 3 * SECOND_NS, 21)); /* 10 are there */
    assert_true(take(&rate, 4 * SECOND_NS, 21));
    int64_t wait_ms = 0;
    assert_false(rate_allows(&rate, &limit, 4 * SECOND_NS, 1000, &wait_ms));
    assert_int_equal(wait_ms, 2101); /* until it is full again */
}

TEST(the_wait_is_long_enough_and_bounded)
{
    struct rate rate = {0};
    int64_t wait_ms;
    assert_true(take(&rate, 0, 20));
    assert_false(rate_take(&rate, &limit, 0, 10, &wait_ms));
    assert_int_equal(wait_ms, 1001);
    assert_true(take(&rate, (uint64_t)wait_ms * 1000000, 10));
    const struct rate_limit none = {.per_second = 0, .burst = 1};
    struct rate still = {0};
    assert_true(rate_take(&still, &none, 0, 1, &wait_ms));
    assert_false(rate_take(&still, &none, 0, 1, &wait_ms));
    assert_int_equal(wait_ms, 60001);
}

TEST(a_clock_that_stands_or_goes_back_gives_nothing)
{
    struct rate rate = {0};
    assert_true(take(&rate, SECOND_NS, 20));
    assert_false(take(&rate, 0, 1));
    assert_false(take(&rate, 0, 1));
}

TEST_MAIN(RUN(a_full_bucket_holds_the_burst_and_no_more), RUN(it_fills_with_time_up_to_the_burst),
          RUN(callers_a_little_out_of_order_get_no_more), RUN(asking_takes_nothing),
          RUN(all_or_nothing_is_taken),
          RUN(more_than_the_burst_takes_a_full_bucket_and_is_paid_for),
          RUN(the_wait_is_long_enough_and_bounded),
          RUN(a_clock_that_stands_or_goes_back_gives_nothing))
