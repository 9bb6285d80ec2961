/* A window that slides from step to step. */
#include "tests/query/engine_fixture.h"

#include <math.h>

#include "base/random.h"
#include "query/engine/operator.h"

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

static double value_alone(struct engine_fixture *fixture, const char *text, int64_t ts_ms)
{
    struct query_options options = {.text = str_from(text), .start_ms = ts_ms, .end_ms = ts_ms};
    expect_answer(fixture, options);
    return fixture->result.series_count == 0 ? value_absent()
                                             : fixture->result.series[0].points[0].value;
}

TEST(a_window_that_slides_gives_what_each_gives_alone)
{
    static const char *const texts[] = {"max_over_time(jagged[1m])", "min_over_time(jagged[2m])",
                                        "rate(jagged[1m])",          "resets(jagged[90s])",
                                        "changes(jagged[1m])",       "min_over_time(jagged[15s])"};
    struct engine_fixture fixture;
    engine_fixture_init(&fixture);
    add_jagged_series(fixture.engine.store);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct query_options options = {
            .text = str_from(texts[i]), .is_range = true, .end_ms = 4100000, .step_ms = 7000};
        expect_answer(&fixture, options);
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
    engine_fixture_deinit(&fixture);
}

TEST_MAIN(RUN(a_window_that_slides_gives_what_each_gives_alone))
