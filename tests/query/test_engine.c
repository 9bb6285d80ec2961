/* What a query costs, and how it is stopped. What queries mean is in tests/promql. */
#include "tests/support/test.h"

#include <math.h>
#include <stdio.h>

#include "base/random.h"
#include "query/engine/engine.h"
#include "query/engine/operator.h"
#include "query/engine/shared.h"
#include "query/syntax/parse.h"
#include "tests/support/naive_select.h"

enum { SERIES_COUNT = 20, SAMPLE_COUNT = 60, MINUTE_MS = 60 * 1000 };

static struct label series_labels[SERIES_COUNT][2];
static char numbers[SERIES_COUNT][16];

struct fixture {
    struct engine engine;
    struct sim_clock clock;
    struct arena arena;
    struct query_result result;
    struct error err;
};

/* Twenty series of an hour, one sample a minute, minute by minute. */
static void fixture_init(struct fixture *fixture)
{
    *fixture = (struct fixture){0};
    sim_clock_init(&fixture->clock, 0);
    arena_init(&fixture->arena, SIZE_MAX);
    fixture->engine = (struct engine){
        .store = naive_store_new(),
        .clock = &fixture->clock.base,
        .lookback_ms = 5 * MINUTE_MS,
        .default_step_ms = MINUTE_MS,
        .samples_max = 1000000,
        .memory_max_bytes = 64 << 20,
    };
    for (int i = 0; i < SERIES_COUNT; i++) {
        snprintf(numbers[i], sizeof numbers[i], "%d", i);
        series_labels[i][0] = (struct label){LABEL_METRIC_NAME, STR("c_total")};
        series_labels[i][1] = (struct label){STR("n"), str_from(numbers[i])};
        for (int k = 0; k < SAMPLE_COUNT; k++)
            naive_store_append(fixture->engine.store, (struct labels){series_labels[i], 2},
                               k * MINUTE_MS, k);
    }
}

static void fixture_deinit(struct fixture *fixture)
{
    naive_store_free(fixture->engine.store);
    arena_deinit(&fixture->arena);
}

static enum status query(struct fixture *fixture, struct query_options options)
{
    static const struct scope everything = {.is_all = true};
    options.scope = &everything;
    return engine_query(&fixture->engine, &options, &fixture->arena, &fixture->result,
                        &fixture->err);
}

static struct query_options instant(const char *text)
{
    int64_t ts_ms = (SAMPLE_COUNT - 1) * MINUTE_MS;
    return (struct query_options){.text = str_from(text), .start_ms = ts_ms, .end_ms = ts_ms};
}

static struct query_options range(const char *text)
{
    return (struct query_options){.text = str_from(text),
                                  .is_range = true,
                                  .end_ms = (SAMPLE_COUNT - 1) * MINUTE_MS,
                                  .step_ms = MINUTE_MS};
}

#define expect_failure(call, status, message)                                                      \
    do {                                                                                           \
        struct error err;                                                                          \
        expect_status((err = (struct error){{0}}, (call)), (status));                              \
        assert_string_equal(fixture.err.text, (message));                                          \
    } while (0)

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
    struct fixture fixture;
    fixture_init(&fixture);
    fixture.engine.samples_max = SERIES_COUNT * SAMPLE_COUNT;
    assert_int_equal(query(&fixture, range("c_total")), STATUS_OK);
    assert_int_equal(fixture.result.samples_total, SERIES_COUNT * SAMPLE_COUNT);
    assert_int_equal(fixture.result.samples_peak, SERIES_COUNT * SAMPLE_COUNT);
    fixture.engine.samples_max--;
    expect_failure(query(&fixture, range("c_total")), STATUS_LIMIT, TOO_MANY_SAMPLES("1199"));
    fixture_deinit(&fixture);
}

TEST(a_window_function_is_charged_for_one_series_at_a_time_and_its_results)
{
    struct fixture fixture;
    fixture_init(&fixture);
    /* the last series is read while the results of all others are there */
    fixture.engine.samples_max = SAMPLE_COUNT + SERIES_COUNT - 1;
    assert_int_equal(query(&fixture, instant("rate(c_total[1h])")), STATUS_OK);
    assert_int_equal(fixture.result.series_count, SERIES_COUNT);
    assert_int_equal(fixture.result.samples_total, SERIES_COUNT * SAMPLE_COUNT);
    fixture.engine.samples_max--;
    expect_failure(query(&fixture, instant("rate(c_total[1h])")), STATUS_LIMIT,
                   TOO_MANY_SAMPLES("78"));
    fixture_deinit(&fixture);
}

#define TOO_FINE                                                                                   \
    "exceeded maximum resolution of 1,000,000 points per timeseries in subqueries. Try "           \
    "increasing "                                                                                  \
    "their step"

TEST(points_of_a_subquery_are_bounded_with_the_ranges_around_it)
{
    struct fixture fixture;
    fixture_init(&fixture);
    assert_int_equal(query(&fixture, instant("max_over_time(vector(1)[1000s:1ms])")), STATUS_OK);
    expect_failure(query(&fixture, instant("max_over_time(vector(1)[1000001ms:1ms])")),
                   STATUS_INVALID, TOO_FINE);
    assert_int_equal(query(&fixture, instant("max_over_time(max_over_time(vector(1)[400s:1ms])"
                                             "[600s:1s])")),
                     STATUS_OK);
    expect_failure(
        query(&fixture, instant("1 + sum(max_over_time((-max_over_time(vector(1)[400s:1ms]))"
                                "[600001ms:1s]))")),
        STATUS_INVALID, TOO_FINE);
    /* a week of averages over an hour: 2.4 million by product, 41 thousand in truth */
    assert_int_equal(query(&fixture, instant("max_over_time(avg_over_time(vector(1)[1h:15s])"
                                             "[7d:1m])")),
                     STATUS_OK);
    /* side by side they do not add up */
    assert_int_equal(query(&fixture, instant("max_over_time(vector(1)[600s:1ms]) + "
                                             "max_over_time(vector(2)[600s:1ms])")),
                     STATUS_OK);
    expect_failure(query(&fixture, instant("max_over_time(vector(1)[290y:1ms])")), STATUS_INVALID,
                   TOO_FINE);
    fixture_deinit(&fixture);
}

TEST(points_of_a_subquery_are_bounded_before_they_are_there)
{
    struct fixture fixture;
    fixture_init(&fixture);
    fixture.engine.samples_max = 500000;
    expect_failure(query(&fixture, instant("max_over_time(vector(1)[10d:1s])")), STATUS_LIMIT,
                   TOO_MANY_SAMPLES("500000"));
    fixture.engine.memory_max_bytes = 8 << 20;
    expect_failure(query(&fixture, instant("max_over_time(vector(1)[10d:1s])")), STATUS_LIMIT,
                   TOO_MUCH_MEMORY("8388608"));
    fixture_deinit(&fixture);
}

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
    struct fixture fixture;
    struct counting_clock clock = {.base.monotonic_ns = count_look};
    struct label label = {LABEL_METRIC_NAME, STR("long")};
    fixture_init(&fixture);
    fixture.engine.clock = &clock.base;
    for (int64_t i = 0; i < 20000; i++)
        naive_store_append(fixture.engine.store, (struct labels){&label, 1}, i, (double)i);
    struct query_options options = instant("quantile_over_time(0.5, long[10s])");
    options.is_range = true;
    options.start_ms = 10000;
    options.end_ms = 19999;
    options.step_ms = 100;
    assert_int_equal(query(&fixture, options), STATUS_OK);
    assert_int_equal(fixture.result.samples_total, 100 * 10000);
    /* every 16 Ki samples or every window, which is less than a millisecond of work */
    assert_true(clock.looks >= 50);
    fixture_deinit(&fixture);
}

TEST(memory_is_bounded_for_the_evaluation_and_for_the_answer)
{
    struct fixture fixture;
    fixture_init(&fixture);
    fixture.engine.memory_max_bytes = 2000;
    expect_failure(query(&fixture, instant("-c_total")), STATUS_LIMIT, TOO_MUCH_MEMORY("2000"));
    fixture.engine.memory_max_bytes = 18000;
    expect_failure(query(&fixture, range("c_total")), STATUS_LIMIT, TOO_MUCH_MEMORY("18000"));
    fixture.engine.memory_max_bytes = 36000;
    assert_int_equal(query(&fixture, range("c_total")), STATUS_OK);
    fixture_deinit(&fixture);
}

TEST(values_that_never_come_twice_take_memory_for_their_steps_only)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct query_options options = {.text = STR("count_values(\"v\", vector(time()))"),
                                    .is_range = true,
                                    .end_ms = 3999 * INT64_C(1000),
                                    .step_ms = 1000};
    fixture.engine.memory_max_bytes = 8 << 20;
    assert_int_equal(query(&fixture, options), STATUS_OK);
    assert_int_equal(fixture.result.series_count, 4000);
    fixture_deinit(&fixture);
}

TEST(groups_that_come_and_go_take_memory_for_their_steps_only)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct query_options options = {.text = STR("sum by (v) (count_values(\"v\", vector(time())))"),
                                    .is_range = true,
                                    .end_ms = 1999 * INT64_C(1000),
                                    .step_ms = 1000};
    fixture.engine.memory_max_bytes = 8 << 20;
    assert_int_equal(query(&fixture, options), STATUS_OK);
    assert_int_equal(fixture.result.series_count, 2000);
    fixture_deinit(&fixture);
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
    struct fixture fixture;
    struct taker taker = {.count_max = SERIES_COUNT};
    fixture_init(&fixture);
    fixture.engine.memory_max_bytes = 18000;
    struct query_options options = range("sort_by_label_desc(-c_total, \"n\")");
    options.take_series = take_series;
    options.take_context = &taker;
    fixture.engine.allows_experimental = true;
    assert_int_equal(query(&fixture, options), STATUS_OK);
    assert_int_equal(taker.count, SERIES_COUNT);
    assert_int_equal(fixture.result.series_count, 0);
    taker = (struct taker){.count_max = 3};
    expect_failure(query(&fixture, options), STATUS_LIMIT, "enough");
    assert_int_equal(taker.count, 3);
    fixture_deinit(&fixture);
}

TEST(a_range_of_absurdly_many_steps_is_refused)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct query_options options = range("1");
    options.start_ms = INT64_MIN;
    options.end_ms = INT64_MAX;
    options.step_ms = 1;
    assert_int_equal(query(&fixture, options), STATUS_LIMIT);
    options.end_ms = INT64_MIN;
    options.text = STR("c_total offset 1y");
    assert_int_equal(query(&fixture, options), STATUS_OK);
    options.text = STR("rate(c_total[100y] offset 100y)");
    assert_int_equal(query(&fixture, options), STATUS_OK);
    fixture_deinit(&fixture);
}

TEST(a_query_past_its_deadline_times_out)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct query_options options = instant("c_total");
    options.deadline_ns = clock_monotonic_ns(fixture.engine.clock) + 1;
    assert_int_equal(query(&fixture, options), STATUS_OK);
    sim_clock_advance(&fixture.clock, 1);
    expect_failure(query(&fixture, options), STATUS_TIMEOUT,
                   "query timed out in expression evaluation");
    fixture_deinit(&fixture);
}

TEST(a_query_is_cancelled_by_its_flag)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct flag cancel = {0};
    struct query_options options = instant("c_total");
    options.cancel = &cancel;
    assert_int_equal(query(&fixture, options), STATUS_OK);
    flag_set(&cancel);
    expect_failure(query(&fixture, options), STATUS_CANCELLED,
                   "query was canceled in expression evaluation");
    fixture_deinit(&fixture);
}

TEST(a_range_that_ends_before_it_starts_is_empty)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct query_options options = range("c_total");
    options.start_ms = options.end_ms + 1;
    assert_int_equal(query(&fixture, options), STATUS_OK);
    assert_int_equal(fixture.result.type, VALUE_MATRIX);
    assert_int_equal(fixture.result.series_count, 0);
    fixture_deinit(&fixture);
}

TEST(the_lookback_of_the_query_wins_over_that_of_the_engine)
{
    struct fixture fixture;
    fixture_init(&fixture);
    struct query_options options = instant("c_total");
    options.start_ms += 9 * MINUTE_MS;
    options.end_ms = options.start_ms;
    assert_int_equal(query(&fixture, options), STATUS_OK);
    assert_int_equal(fixture.result.series_count, 0);
    options.lookback_ms = 10 * MINUTE_MS;
    assert_int_equal(query(&fixture, options), STATUS_OK);
    assert_int_equal(fixture.result.series_count, SERIES_COUNT);
    fixture_deinit(&fixture);
}

TEST(a_matrix_is_sorted_by_labels_and_an_answer_outlives_its_query)
{
    struct fixture fixture;
    fixture_init(&fixture);
    assert_int_equal(query(&fixture, range("c_total{n=~\"1|10|2|9\"}")), STATUS_OK);
    naive_store_reset(fixture.engine.store);
    assert_int_equal(fixture.result.series_count, 4);
    const char *want[] = {"1", "10", "2", "9"};
    for (size_t i = 0; i < 4; i++)
        expect_str(labels_get(fixture.result.series[i].labels, STR("n")), want[i]);
    fixture_deinit(&fixture);
}

TEST(only_ten_notes_are_shown_and_the_rest_counted)
{
    struct fixture fixture;
    fixture_init(&fixture);
    assert_int_equal(query(&fixture, range("quantile_over_time(scalar(c_total{n=\"1\"}) + 2, "
                                           "c_total{n=\"1\"}[5m])")),
                     STATUS_OK);
    assert_int_equal(fixture.result.warnings.count, 11);
    expect_str(fixture.result.warnings.ptr[0],
               "PromQL warning: quantile value should be between 0 and 1, got 10 (1:20)");
    expect_str(fixture.result.warnings.ptr[10], "50 more warning annotations omitted");
    fixture_deinit(&fixture);
}

static void expect_samples_read(struct fixture *fixture, const char *text, uint64_t want)
{
    assert_int_equal(query(fixture, range(text)), STATUS_OK);
    if (fixture->result.samples_total != want)
        fail_msg("%s: got %llu samples, want %llu", text,
                 (unsigned long long)fixture->result.samples_total, (unsigned long long)want);
}

TEST(what_is_written_twice_is_evaluated_once)
{
    struct fixture fixture;
    fixture_init(&fixture);
    const uint64_t once = SERIES_COUNT * SAMPLE_COUNT;
    expect_samples_read(&fixture, "c_total", once);
    expect_samples_read(&fixture, "c_total+c_total", once);
    assert_true(fixture.result.series[3].points[7].value == 14);
    expect_samples_read(&fixture, "(c_total - 1) / ( c_total-1 )", once);
    expect_samples_read(&fixture, "sum(c_total) / count(c_total{})", once);
    assert_true(fixture.result.series[0].points[7].value == 7);
    expect_samples_read(&fixture, "(sum(c_total) - 1) / sum(c_total)", once);
    /* these only look alike */
    expect_samples_read(&fixture, "c_total + ignoring (n) group_left () sum(c_total offset 1m)",
                        2 * once - SERIES_COUNT);
    expect_samples_read(&fixture, "c_total{n=\"1\"} + on () c_total{n=\"2\"}", 2 * SAMPLE_COUNT);
    /* the same selector, but the subquery asks at other times */
    expect_samples_read(&fixture, "max_over_time(c_total[2m:1m]) + c_total",
                        2 * once + SERIES_COUNT * (2 * SAMPLE_COUNT - 1));
    assert_true(fixture.result.series[3].points[7].value == 14);
    fixture_deinit(&fixture);
}

static void expect_warning(struct fixture *fixture, const char *text, const char *want)
{
    assert_int_equal(query(fixture, range(text)), STATUS_OK);
    assert_int_equal(fixture->result.warnings.count, 1);
    const char *place = strrchr(fixture->result.warnings.ptr[0].ptr, '(');
    if (place == NULL || strncmp(place, want, strlen(want)) != 0)
        fail_msg("%s: want %s, got %.*s", text, want, STR_ARG(fixture->result.warnings.ptr[0]));
}

TEST(a_note_names_the_last_of_its_places)
{
    struct fixture fixture;
    fixture_init(&fixture);
    expect_warning(&fixture, "quantile(2, c_total)", "(1:10)");
    expect_warning(&fixture, "quantile(((2)), c_total)", "(1:12)");
    expect_warning(&fixture, "quantile(2, c_total) +\n  quantile(2, c_total)", "(2:12)");
    expect_warning(&fixture, "quantile(2, c_total) + scalar(quantile_over_time(2, c_total[5m]))",
                   "(1:50)");
    expect_warning(&fixture, "quantile(2, quantile(2, c_total))", "(1:10)");
    expect_warning(&fixture, "sort(abs(sort(c_total)))", "(1:1)");
    expect_warning(&fixture, "abs(sort(c_total)) + on (n) sort(c_total)", "(1:29)");
    expect_warning(&fixture, "sort(c_total) + on (n) abs(sort(c_total))", "(1:28)");
    fixture_deinit(&fixture);
}

TEST(too_many_parts_are_evaluated_all_the_same)
{
    struct fixture fixture;
    char text[8192];
    fixture_init(&fixture);
    size_t len = (size_t)snprintf(text, sizeof text, "vector(0)");
    for (size_t i = 0; i < SHARED_PARTS_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "+sum(c_total)");
    assert_int_equal(query(&fixture, instant(text)), STATUS_OK);
    double want = (double)SHARED_PARTS_MAX * SERIES_COUNT * (SAMPLE_COUNT - 1);
    assert_true(fixture.result.series[0].points[0].value == want);
    fixture_deinit(&fixture);
}

/* Plateaus, falls, NaN alone and among numbers, gaps. */
static void add_jagged_series(struct store *store)
{
    struct label label = {LABEL_METRIC_NAME, STR("jagged")};
    struct random random;
    random_init_seeded(&random, test_seed(3));
    for (int64_t i = 0; i < 400; i++) {
        double value = (double)random_below(&random, 6) - 2;
        if (random_below(&random, 4) == 0 || (i > 200 && i < 220))
            value = NAN;
        if (random_below(&random, 3) > 0)
            naive_store_append(store, (struct labels){&label, 1}, i * 10000, value);
    }
}

static double value_alone(struct fixture *fixture, const char *text, int64_t ts_ms)
{
    struct query_options options = {.text = str_from(text), .start_ms = ts_ms, .end_ms = ts_ms};
    assert_int_equal(query(fixture, options), STATUS_OK);
    return fixture->result.series_count == 0 ? value_absent()
                                             : fixture->result.series[0].points[0].value;
}

TEST(a_window_that_slides_gives_what_each_gives_alone)
{
    static const char *const texts[] = {"max_over_time(jagged[1m])", "min_over_time(jagged[2m])",
                                        "rate(jagged[1m])",          "resets(jagged[90s])",
                                        "changes(jagged[1m])",       "min_over_time(jagged[15s])"};
    struct fixture fixture;
    fixture_init(&fixture);
    add_jagged_series(fixture.engine.store);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct query_options options = {
            .text = str_from(texts[i]), .is_range = true, .end_ms = 4100000, .step_ms = 7000};
        assert_int_equal(query(&fixture, options), STATUS_OK);
        struct result_series sliding = fixture.result.series[0];
        size_t next = 0;
        for (int64_t ts_ms = 0; ts_ms <= options.end_ms; ts_ms += options.step_ms) {
            bool has = next < sliding.point_count && sliding.points[next].ts_ms == ts_ms;
            double value = has ? sliding.points[next++].value : value_absent();
            if (f64_bits(value) != f64_bits(value_alone(&fixture, texts[i], ts_ms)))
                fail_msg("%s at %lld: other than alone", texts[i], (long long)ts_ms);
        }
        assert_int_equal(next, sliding.point_count);
    }
    fixture_deinit(&fixture);
}

TEST(a_tall_tree_does_not_exhaust_the_stack)
{
    struct fixture fixture;
    fixture_init(&fixture);
    char text[8192];
    size_t len = (size_t)snprintf(text, sizeof text, "c_total");
    for (int i = 0; i < PARSE_HEIGHT_MAX - 1; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "+1");
    assert_int_equal(query(&fixture, range(text)), STATUS_OK);
    assert_int_equal(fixture.result.series_count, SERIES_COUNT);
    assert_true(fixture.result.series[0].points[0].value == PARSE_HEIGHT_MAX - 1);
    fixture_deinit(&fixture);
}

TEST_MAIN(RUN(a_selector_is_charged_for_every_point_it_gives),
          RUN(a_window_function_is_charged_for_one_series_at_a_time_and_its_results),
          RUN(points_of_a_subquery_are_bounded_with_the_ranges_around_it),
          RUN(points_of_a_subquery_are_bounded_before_they_are_there),
          RUN(a_long_column_looks_often_whether_it_is_still_wanted),
          RUN(memory_is_bounded_for_the_evaluation_and_for_the_answer),
          RUN(values_that_never_come_twice_take_memory_for_their_steps_only),
          RUN(groups_that_come_and_go_take_memory_for_their_steps_only),
          RUN(an_answer_that_is_handed_over_is_not_in_memory),
          RUN(a_range_of_absurdly_many_steps_is_refused), RUN(a_query_past_its_deadline_times_out),
          RUN(a_query_is_cancelled_by_its_flag), RUN(a_range_that_ends_before_it_starts_is_empty),
          RUN(the_lookback_of_the_query_wins_over_that_of_the_engine),
          RUN(a_matrix_is_sorted_by_labels_and_an_answer_outlives_its_query),
          RUN(only_ten_notes_are_shown_and_the_rest_counted),
          RUN(what_is_written_twice_is_evaluated_once), RUN(a_note_names_the_last_of_its_places),
          RUN(too_many_parts_are_evaluated_all_the_same),
          RUN(a_window_that_slides_gives_what_each_gives_alone),
          RUN(a_tall_tree_does_not_exhaust_the_stack))
