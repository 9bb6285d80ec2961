#include "tests/support/test.h"

#include "compaction/trusted_clock.h"

#define START_MS INT64_C(1700000000000)
#define HOUR_MS  INT64_C(3600000)
#define DAY_MS   (24 * HOUR_MS)
#define YEAR_MS  (365 * DAY_MS)

struct scene {
    struct sim_clock sim;
    struct trusted_clock trusted;
};

/* At START_MS; `known_ms` is how late it was when that was last known. */
static void begin(struct scene *scene, int64_t known_ms)
{
    sim_clock_init(&scene->sim, START_MS);
    trusted_clock_init(&scene->trusted, &scene->sim.base, known_ms);
}

static void expect_trusted(struct scene *scene, int64_t want_ms)
{
    assert_int_equal(trusted_clock_now_ms(&scene->trusted), want_ms);
}

TEST(a_clock_that_runs_is_believed)
{
    struct scene scene;
    begin(&scene, START_MS);
    sim_clock_advance(&scene.sim, 40 * DAY_MS);
    expect_trusted(&scene, START_MS + 40 * DAY_MS);
    /* a correction, not a leap */
    sim_clock_jump(&scene.sim, START_MS + 40 * DAY_MS + HOUR_MS);
    expect_trusted(&scene, START_MS + 40 * DAY_MS + HOUR_MS);
}

TEST(a_leap_is_believed_after_a_day)
{
    struct scene scene;
    begin(&scene, START_MS);
    sim_clock_jump(&scene.sim, START_MS + YEAR_MS);
    expect_trusted(&scene, START_MS);
    sim_clock_advance(&scene.sim, DAY_MS - 1);
    expect_trusted(&scene, START_MS + DAY_MS - 1);
    sim_clock_advance(&scene.sim, 1);
    expect_trusted(&scene, START_MS + YEAR_MS + DAY_MS);
    sim_clock_advance(&scene.sim, HOUR_MS);
    expect_trusted(&scene, START_MS + YEAR_MS + DAY_MS + HOUR_MS);
}

/* As a thread does that is busy for two days, near the end of which the clock leaps. */
TEST(a_leap_is_not_believed_by_who_has_not_looked_for_a_day)
{
    struct scene scene;
    begin(&scene, START_MS);
    sim_clock_advance(&scene.sim, 2 * DAY_MS);
    sim_clock_jump(&scene.sim, START_MS + YEAR_MS);
    expect_trusted(&scene, START_MS + 2 * DAY_MS);
    sim_clock_advance(&scene.sim, DAY_MS - 1);
    expect_trusted(&scene, START_MS + 3 * DAY_MS - 1);
    sim_clock_advance(&scene.sim, 1);
    expect_trusted(&scene, START_MS + YEAR_MS + DAY_MS);
}

TEST(a_leap_that_is_taken_back_leaves_no_trace)
{
    struct scene scene;
    begin(&scene, START_MS);
    sim_clock_jump(&scene.sim, START_MS + YEAR_MS);
    sim_clock_advance(&scene.sim, HOUR_MS);
    expect_trusted(&scene, START_MS + HOUR_MS);
    sim_clock_jump(&scene.sim, START_MS + HOUR_MS);
    sim_clock_advance(&scene.sim, 2 * DAY_MS);
    expect_trusted(&scene, START_MS + HOUR_MS + 2 * DAY_MS);
}

TEST(a_clock_that_is_set_back_is_believed_at_once)
{
    struct scene scene;
    begin(&scene, START_MS);
    sim_clock_jump(&scene.sim, START_MS - YEAR_MS);
    expect_trusted(&scene, START_MS - YEAR_MS);
}

TEST(a_clock_that_was_right_before_the_start_is_believed)
{
    struct scene scene;
    begin(&scene, INT64_MIN); /* no samples yet */
    expect_trusted(&scene, START_MS);
    begin(&scene, START_MS - DAY_MS);
    expect_trusted(&scene, START_MS);
    begin(&scene, START_MS + YEAR_MS); /* it was set back */
    expect_trusted(&scene, START_MS);
}

TEST(a_leap_before_the_start_is_believed_after_a_day)
{
    struct scene scene;
    begin(&scene, START_MS - DAY_MS - 1);
    expect_trusted(&scene, START_MS - DAY_MS - 1);
    sim_clock_advance(&scene.sim, DAY_MS - 1);
    expect_trusted(&scene, START_MS - 2);
    sim_clock_advance(&scene.sim, 1);
    expect_trusted(&scene, START_MS + DAY_MS);
}

TEST_MAIN(RUN(a_clock_that_runs_is_believed), RUN(a_leap_is_believed_after_a_day),
          RUN(a_leap_is_not_believed_by_who_has_not_looked_for_a_day),
          RUN(a_leap_that_is_taken_back_leaves_no_trace),
          RUN(a_clock_that_is_set_back_is_believed_at_once),
          RUN(a_clock_that_was_right_before_the_start_is_believed),
          RUN(a_leap_before_the_start_is_believed_after_a_day))
