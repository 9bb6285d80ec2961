/* What a query costs in samples, points and memory, and how it is refused. */
#include "tests/query/engine_fixture.h"

#define TOO_MANY_SAMPLES(limit)                                                                    \
    "query processing would load too many samples into memory in query execution: limit "          \
    "max_samples_per_query is " limit " (err-croft-max-samples-per-query): ask for fewer series "  \
    "or a shorter time, or have the limit raised"
#define TOO_MUCH_MEMORY(bytes)                                                                     \
    "query processing would need more than " bytes " bytes of memory in query execution: limit "   \
    "max_estimated_memory_consumption_per_query "                                                  \
    "(err-croft-max-estimated-memory-consumption-per-query): ask for fewer series or a shorter "   \
    "time, or have the limit raised"

TEST(a_selector_is_charged_for_every_point_it_gives)
{
    struct engine_fixture fixture;
    engine_fixture_init(&fixture);
    fixture.engine.samples_max = SERIES_COUNT * SAMPLE_COUNT;
    expect_answer(&fixture, range_query("c_total"));
    assert_int_equal(fixture.result.samples_total, SERIES_COUNT * SAMPLE_COUNT);
    assert_int_equal(fixture.result.samples_peak, SERIES_COUNT * SAMPLE_COUNT);
    fixture.engine.samples_max--;
    expect_failure(&fixture, range_query("c_total"), STATUS_LIMIT, TOO_MANY_SAMPLES("1199"));
    engine_fixture_deinit(&fixture);
}

TEST(a_window_function_is_charged_for_one_series_at_a_time_and_its_results)
{
    struct engine_fixture fixture;
    engine_fixture_init(&fixture);
    /* the last series is read while the results of all others are there */
    fixture.engine.samples_max = SAMPLE_COUNT + SERIES_COUNT - 1;
    expect_answer(&fixture, instant_query("rate(c_total[1h])"));
    assert_int_equal(fixture.result.series_count, SERIES_COUNT);
    assert_int_equal(fixture.result.samples_total, SERIES_COUNT * SAMPLE_COUNT);
    fixture.engine.samples_max--;
    expect_failure(&fixture, instant_query("rate(c_total[1h])"), STATUS_LIMIT,
                   TOO_MANY_SAMPLES("78"));
    engine_fixture_deinit(&fixture);
}

#define TOO_FINE                                                                                   \
    "exceeded maximum resolution of 1,000,000 points per timeseries in subqueries. Try "           \
    "increasing their step"

TEST(points_of_a_subquery_are_bounded_with_the_ranges_around_it)
{
    struct engine_fixture fixture;
    engine_fixture_init(&fixture);
    expect_answer(&fixture, instant_query("max_over_time(vector(1)[1000s:1ms])"));
    expect_failure(&fixture, instant_query("max_over_time(vector(1)[1000001ms:1ms])"),
                   STATUS_INVALID, TOO_FINE);
    expect_answer(&fixture, instant_query("max_over_time(max_over_time(vector(1)[400s:1ms])"
                                          "[600s:1s])"));
    expect_failure(&fixture,
                   instant_query("1 + sum(max_over_time((-max_over_time(vector(1)[400s:1ms]))"
                                 "[600001ms:1s]))"),
                   STATUS_INVALID, TOO_FINE);
    /* a week of averages over an hour: 2.4 million by product, 41 thousand in truth */
    expect_answer(&fixture, instant_query("max_over_time(avg_over_time(vector(1)[1h:15s])"
                                          "[7d:1m])"));
    /* side by side they do not add up */
    expect_answer(&fixture, instant_query("max_over_time(vector(1)[600s:1ms]) + "
                                          "max_over_time(vector(2)[600s:1ms])"));
    expect_failure(&fixture, instant_query("max_over_time(vector(1)[290y:1ms])"), STATUS_INVALID,
                   TOO_FINE);
    engine_fixture_deinit(&fixture);
}

TEST(points_of_a_subquery_are_bounded_before_they_are_there)
{
    struct engine_fixture fixture;
    engine_fixture_init(&fixture);
    fixture.engine.samples_max = 500000;
    expect_failure(&fixture, instant_query("max_over_time(vector(1)[10d:1s])"), STATUS_LIMIT,
                   TOO_MANY_SAMPLES("500000"));
    fixture.engine.memory_max_bytes = 8 << 20;
    expect_failure(&fixture, instant_query("max_over_time(vector(1)[10d:1s])"), STATUS_LIMIT,
                   TOO_MUCH_MEMORY("8388608"));
    engine_fixture_deinit(&fixture);
}

TEST(memory_is_bounded_for_the_evaluation_and_for_the_answer)
{
    struct engine_fixture fixture;
    engine_fixture_init(&fixture);
    fixture.engine.memory_max_bytes = 2000;
    expect_failure(&fixture, instant_query("-c_total"), STATUS_LIMIT, TOO_MUCH_MEMORY("2000"));
    fixture.engine.memory_max_bytes = 18000;
    expect_failure(&fixture, range_query("c_total"), STATUS_LIMIT, TOO_MUCH_MEMORY("18000"));
    fixture.engine.memory_max_bytes = 36000;
    expect_answer(&fixture, range_query("c_total"));
    engine_fixture_deinit(&fixture);
}

TEST(values_that_never_come_twice_take_memory_for_their_steps_only)
{
    struct engine_fixture fixture;
    engine_fixture_init(&fixture);
    struct query_options options = {.text = STR("count_values(\"v\", vector(time()))"),
                                    .is_range = true,
                                    .end_ms = 3999 * INT64_C(1000),
                                    .step_ms = 1000};
    fixture.engine.memory_max_bytes = 8 << 20;
    expect_answer(&fixture, options);
    assert_int_equal(fixture.result.series_count, 4000);
    engine_fixture_deinit(&fixture);
}

TEST(groups_that_come_and_go_take_memory_for_their_steps_only)
{
    struct engine_fixture fixture;
    engine_fixture_init(&fixture);
    struct query_options options = {.text = STR("sum by (v) (count_values(\"v\", vector(time())))"),
                                    .is_range = true,
                                    .end_ms = 1999 * INT64_C(1000),
                                    .step_ms = 1000};
    fixture.engine.memory_max_bytes = 8 << 20;
    expect_answer(&fixture, options);
    assert_int_equal(fixture.result.series_count, 2000);
    engine_fixture_deinit(&fixture);
}

TEST(matched_series_that_come_and_go_take_memory_for_their_steps_only)
{
    struct engine_fixture fixture;
    engine_fixture_init(&fixture);
    struct query_options options = {
        .text = STR("sum(count_values(\"v\", vector(time())) + on (v) group_left ()"
                    " count_values(\"v\", vector(time())))"),
        .is_range = true,
        .end_ms = 1999 * INT64_C(1000),
        .step_ms = 1000};
    fixture.engine.memory_max_bytes = 8 << 20;
    expect_answer(&fixture, options);
    assert_int_equal(fixture.result.series[0].point_count, 2000);
    engine_fixture_deinit(&fixture);
}

/* Checks what it takes; refuses the series behind the last one wanted. */
struct taker {
    size_t count;
    size_t count_max;
    struct label last;
};

static enum status take_series(void *context, const struct result_series *series, struct error *err)
{
    struct taker *taker = context;
    if (taker->count == taker->count_max)
        return error_set(err, STATUS_LIMIT, "enough");
    struct str n = labels_get(series->labels, STR("n"));
    assert_int_equal(series->point_count, SAMPLE_COUNT);
    assert_true(series->points[7].value == -7);
    if (taker->count > 0) /* in order, though the names dropped come from a selection that was */
        assert_true(str_compare(taker->last.value, n) < 0);
    taker->last.value = n;
    taker->count++;
    return STATUS_OK;
}

TEST(an_answer_that_is_handed_over_is_not_in_memory)
{
    struct engine_fixture fixture;
    struct taker taker = {.count_max = SERIES_COUNT};
    engine_fixture_init(&fixture);
    fixture.engine.memory_max_bytes = 18000;
    struct query_options options = range_query("sort_by_label_desc(-c_total, \"n\")");
    options.take_series = take_series;
    options.take_context = &taker;
    fixture.engine.allows_experimental = true;
    expect_answer(&fixture, options);
    assert_int_equal(taker.count, SERIES_COUNT);
    assert_int_equal(fixture.result.series_count, 0);
    taker = (struct taker){.count_max = 3};
    expect_failure(&fixture, options, STATUS_LIMIT, "enough");
    assert_int_equal(taker.count, 3);
    engine_fixture_deinit(&fixture);
}

TEST(a_range_of_absurdly_many_steps_is_refused)
{
    struct engine_fixture fixture;
    engine_fixture_init(&fixture);
    struct query_options options = range_query("1");
    options.start_ms = INT64_MIN;
    options.end_ms = INT64_MAX;
    options.step_ms = 1;
    assert_int_equal(engine_fixture_query(&fixture, options), STATUS_LIMIT);
    options.end_ms = INT64_MIN;
    options.text = STR("c_total offset 1y");
    expect_answer(&fixture, options);
    options.text = STR("rate(c_total[100y] offset 100y)");
    expect_answer(&fixture, options);
    engine_fixture_deinit(&fixture);
}

TEST_MAIN(RUN(a_selector_is_charged_for_every_point_it_gives),
          RUN(a_window_function_is_charged_for_one_series_at_a_time_and_its_results),
          RUN(points_of_a_subquery_are_bounded_with_the_ranges_around_it),
          RUN(points_of_a_subquery_are_bounded_before_they_are_there),
          RUN(memory_is_bounded_for_the_evaluation_and_for_the_answer),
          RUN(values_that_never_come_twice_take_memory_for_their_steps_only),
          RUN(groups_that_come_and_go_take_memory_for_their_steps_only),
          RUN(matched_series_that_come_and_go_take_memory_for_their_steps_only),
          RUN(an_answer_that_is_handed_over_is_not_in_memory),
          RUN(a_range_of_absurdly_many_steps_is_refused))
