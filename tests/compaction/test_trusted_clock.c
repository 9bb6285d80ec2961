#include "tests/support/test.h"

#include "compaction/trusted_clock.h"

#define START_MS INT64_C(1700000000000)
#define HOUR_MS  INT64_C(3600000)
#define DAY_MS   (24 * HOUR_MS)
#define YEAR_MS  (365 * DAY_MS)

TEST(a_clock_that_runs_is_believed)
{
    struct sim_clock sim;
    struct trusted_clock trusted;
    sim_clock_init(&sim, START_MS);
    trusted_clock_init(&trusted, &sim.base, START_MS);
    sim_clock_advance(&sim, 40 * DAY_MS);
    assert_int_equal(trusted_clock_now_ms(&trusted), START_MS + 40 * DAY_MS);
    /* a correction, not a leap */
    sim_clock_jump(&sim, START_MS + 40 * DAY_MS + HOUR_MS);
    assert_int_equal(trusted_clock_now_ms(&trusted), START_MS + 40 * DAY_MS + HOUR_MS);
}

TEST(a_leap_is_believed_after_a_day)
{
    struct sim_clock sim;
    struct trusted_clock trusted;
    sim_clock_init(&sim, START_MS);
    trusted_clock_init(&trusted, &sim.base, START_MS);
    sim_clock_jump(&sim, START_MS + YEAR_MS);
    assert_int_equal(trusted_clock_now_ms(&trusted), START_MS);
    sim_clock_advance(&sim, DAY_MS - 1);
    assert_int_equal(trusted_clock_now_ms(&trusted), START_MS + DAY_MS - 1);
    sim_clock_advance(&sim, 1);
    assert_int_equal(trusted_clock_now_ms(&trusted), START_MS + YEAR_MS + DAY_MS);
    sim_clock_advance(&sim, HOUR_MS);
    assert_int_equal(trusted_clock_now_ms(&trusted), START_MS + YEAR_MS + DAY_MS + HOUR_MS);
}

/* As a thread does that is busy for two days, near the end of which the clock leaps. */
TEST(a_leap_is_not_believed_by_who_has_not_looked_for_a_day)
{
    struct sim_clock sim;
    struct trusted_clock trusted;
    sim_clock_init(&sim, START_MS);
    trusted_clock_init(&trusted, &sim.base, START_MS);
    sim_clock_advance(&sim, 2 * DAY_MS);
    sim_clock_jump(&sim, START_MS + YEAR_MS);
    assert_int_equal(trusted_clock_now_ms(&trusted), START_MS + 2 * DAY_MS);
    sim_clock_advance(&sim, DAY_MS - 1);
    assert_int_equal(trusted_clock_now_ms(&trusted), START_MS + 3 * DAY_MS - 1);
    sim_clock_advance(&sim, 1);
    assert_int_equal(trusted_clock_now_ms(&trusted), START_MS + YEAR_MS + DAY_MS);
}

TEST(a_leap_that_is_taken_back_leaves_no_trace)
{
    struct sim_clock sim;
    struct trusted_clock trusted;
    sim_clock_init(&sim, START_MS);
    trusted_clock_init(&trusted, &sim.base, START_MS);
    sim_clock_jump(&sim, START_MS + YEAR_MS);
    sim_clock_advance(&sim, HOUR_MS);
    assert_int_equal(trusted_clock_now_ms(&trusted), START_MS + HOUR_MS);
    sim_clock_jump(&sim, START_MS + HOUR_MS);
    sim_clock_advance(&sim, 2 * DAY_MS);
    assert_int_equal(trusted_clock_now_ms(&trusted), START_MS + HOUR_MS + 2 * DAY_MS);
}

TEST(a_clock_that_is_set_back_is_believed_at_once)
{
    struct sim_clock sim;
    struct trusted_clock trusted;
    sim_clock_init(&sim, START_MS);
    trusted_clock_init(&trusted, &sim.base, START_MS);
    sim_clock_jump(&sim, START_MS - YEAR_MS);
    assert_int_equal(trusted_clock_now_ms(&trusted), START_MS - YEAR_MS);
}

TEST(a_clock_that_was_right_before_the_start_is_believed)
{
    struct sim_clock sim;
    struct trusted_clock trusted;
    sim_clock_init(&sim, START_MS);
    trusted_clock_init(&trusted, &sim.base, INT64_MIN); /* no samples yet */
    assert_int_equal(trusted_clock_now_ms(&trusted), START_MS);
    trusted_clock_init(&trusted, &sim.base, START_MS - DAY_MS);
    assert_int_equal(trusted_clock_now_ms(&trusted), START_MS);
    trusted_clock_init(&trusted, &sim.base, START_MS + YEAR_MS); /* it was set back */
    assert_int_equal(trusted_clock_now_ms(&trusted), START_MS);
}

TEST(a_leap_before_the_start_is_believed_after_a_day)
{
    struct sim_clock sim;
    struct trusted_clock trusted;
    sim_clock_init(&sim, START_MS);
    trusted_clock_init(&trusted, &sim.base, START_MS - DAY_MS - 1);
    assert_int_equal(trusted_clock_now_ms(&trusted), START_MS - DAY_MS - 1);
    sim_clock_advance(&sim, DAY_MS - 1);
    assert_int_equal(trusted_clock_now_ms(&trusted), START_MS - 2);
    sim_clock_advance(&sim, 1);
    assert_int_equal(trusted_clock_now_ms(&trusted), START_MS + DAY_MS);
}

TEST_MAIN(RUN(a_clock_that_runs_is_believed), RUN(a_leap_is_believed_after_a_day),
          RUN(a_leap_is_not_believed_by_who_has_not_looked_for_a_day),
          RUN(a_leap_that_is_taken_back_leaves_no_trace),
          RUN(a_clock_that_is_set_back_is_believed_at_once),
          RUN(a_clock_that_was_right_before_the_start_is_believed),
          RUN(a_leap_before_the_start_is_believed_after_a_day))
