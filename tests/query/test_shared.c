/* Parts of a query that are written more than once. */
#include "tests/query/engine_fixture.h"

#include <stdio.h>

#include "query/engine/shared.h"

static void expect_samples_read(struct engine_fixture *fixture, const char *text, uint64_t want)
{
    expect_answer(fixture, range_query(text));
    if (fixture->result.samples_total != want)
        fail_msg("%s: got %llu samples, want %llu", text,
                 (unsigned long long)fixture->result.samples_total, (unsigned long long)want);
}

TEST(what_is_written_twice_is_evaluated_once)
{
    struct engine_fixture fixture;
    engine_fixture_init(&fixture);
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
    engine_fixture_deinit(&fixture);
}

TEST(too_many_parts_are_evaluated_all_the_same)
{
    struct engine_fixture fixture;
    char text[8192];
    engine_fixture_init(&fixture);
    size_t len = (size_t)snprintf(text, sizeof text, "vector(0)");
    for (size_t i = 0; i < SHARED_PARTS_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "+sum(c_total)");
    expect_answer(&fixture, instant_query(text));
    double want = (double)SHARED_PARTS_MAX * SERIES_COUNT * (SAMPLE_COUNT - 1);
    assert_true(fixture.result.series[0].points[0].value == want);
    engine_fixture_deinit(&fixture);
}

TEST_MAIN(RUN(what_is_written_twice_is_evaluated_once),
          RUN(too_many_parts_are_evaluated_all_the_same))
