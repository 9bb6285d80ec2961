/* How a query runs and is stopped, and what its answer is like. What queries mean is in
   tests/promql. */
#include "tests/query/engine_fixture.h"

#include <stdio.h>

#include "query/syntax/parse.h"

/* Counts how often it is looked at. */
struct counting_clock {
    struct clock base;
    uint64_t looks;
};

static uint64_t count_look(const struct clock *clock)
{
    return ++((struct counting_clock *)clock)->looks;
}

TEST(a_long_column_looks_often_whether_it_is_still_wanted)
{
    struct engine_fixture fixture;
    struct counting_clock clock = {.base.monotonic_ns = count_look};
    struct label label = {LABEL_METRIC_NAME, STR("long")};
    engine_fixture_init(&fixture);
    fixture.engine.clock = &clock.base;
    for (int64_t i = 0; i < 20000; i++)
        naive_store_append(fixture.engine.store, (struct labels){&label, 1}, i, (double)i);
    struct query_options options = instant_query("quantile_over_time(0.5, long[10s])");
    options.is_range = true;
    options.start_ms = 10000;
    options.end_ms = 19999;
    options.step_ms = 100;
    expect_answer(&fixture, options);
    assert_int_equal(fixture.result.samples_total, 100 * 10000);
    /* every 16 Ki samples or every window, which is less than a millisecond of work */
    assert_true(clock.looks >= 50);
    engine_fixture_deinit(&fixture);
}

TEST(a_query_past_its_deadline_times_out)
{
    struct engine_fixture fixture;
    engine_fixture_init(&fixture);
    struct query_options options = instant_query("c_total");
    options.deadline_ns = clock_monotonic_ns(fixture.engine.clock) + 1;
    expect_answer(&fixture, options);
    sim_clock_advance(&fixture.clock, 1);
    expect_failure(&fixture, options, STATUS_TIMEOUT, "query timed out in expression evaluation");
    engine_fixture_deinit(&fixture);
}

TEST(a_query_is_cancelled_by_its_flag)
{
    struct engine_fixture fixture;
    engine_fixture_init(&fixture);
    struct flag cancel = {0};
    struct query_options options = instant_query("c_total");
    options.cancel = &cancel;
    expect_answer(&fixture, options);
    flag_set(&cancel);
    expect_failure(&fixture, options, STATUS_CANCELLED,
                   "query was canceled in expression evaluation");
    engine_fixture_deinit(&fixture);
}

TEST(a_range_that_ends_before_it_starts_is_empty)
{
    struct engine_fixture fixture;
    engine_fixture_init(&fixture);
    struct query_options options = range_query("c_total");
    options.start_ms = options.end_ms + 1;
    expect_answer(&fixture, options);
    assert_int_equal(fixture.result.type, VALUE_MATRIX);
    assert_int_equal(fixture.result.series_count, 0);
    engine_fixture_deinit(&fixture);
}

TEST(the_lookback_of_the_query_wins_over_that_of_the_engine)
{
    struct engine_fixture fixture;
    engine_fixture_init(&fixture);
    struct query_options options = instant_query("c_total");
    options.start_ms += 9 * MINUTE_MS;
    options.end_ms = options.start_ms;
    expect_answer(&fixture, options);
    assert_int_equal(fixture.result.series_count, 0);
    options.lookback_ms = 10 * MINUTE_MS;
    expect_answer(&fixture, options);
    assert_int_equal(fixture.result.series_count, SERIES_COUNT);
    engine_fixture_deinit(&fixture);
}

TEST(a_matrix_is_sorted_by_labels_and_an_answer_outlives_its_query)
{
    struct engine_fixture fixture;
    engine_fixture_init(&fixture);
    expect_answer(&fixture, range_query("c_total{n=~\"1|10|2|9\"}"));
    naive_store_reset(fixture.engine.store);
    assert_int_equal(fixture.result.series_count, 4);
    const char *want[] = {"1", "10", "2", "9"};
    for (size_t i = 0; i < 4; i++)
        expect_str(labels_get(fixture.result.series[i].labels, STR("n")), want[i]);
    engine_fixture_deinit(&fixture);
}

TEST(a_tall_tree_does_not_exhaust_the_stack)
{
    struct engine_fixture fixture;
    engine_fixture_init(&fixture);
    char text[8192];
    size_t len = (size_t)snprintf(text, sizeof text, "c_total");
    for (int i = 0; i < PARSE_HEIGHT_MAX - 1; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "+1");
    expect_answer(&fixture, range_query(text));
    assert_int_equal(fixture.result.series_count, SERIES_COUNT);
    assert_true(fixture.result.series[0].points[0].value == PARSE_HEIGHT_MAX - 1);
    engine_fixture_deinit(&fixture);
}

TEST_MAIN(RUN(a_long_column_looks_often_whether_it_is_still_wanted),
          RUN(a_query_past_its_deadline_times_out), RUN(a_query_is_cancelled_by_its_flag),
          RUN(a_range_that_ends_before_it_starts_is_empty),
          RUN(the_lookback_of_the_query_wins_over_that_of_the_engine),
          RUN(a_matrix_is_sorted_by_labels_and_an_answer_outlives_its_query),
          RUN(a_tall_tree_does_not_exhaust_the_stack))
