/* Warnings and infos of a query, and the places in its text that they name. */
#include "tests/query/engine_fixture.h"

TEST(only_ten_notes_are_shown_and_the_rest_counted)
{
    struct engine_fixture fixture;
    engine_fixture_init(&fixture);
    expect_answer(&fixture, range_query("quantile_over_time(scalar(c_total{n=\"1\"}) + 2, "
                                        "c_total{n=\"1\"}[5m])"));
    assert_int_equal(fixture.result.warnings.count, 11);
    expect_str(fixture.result.warnings.ptr[0],
               "PromQL warning: quantile value should be between 0 and 1, got 10 (1:20)");
    expect_str(fixture.result.warnings.ptr[10], "50 more warning annotations omitted");
    engine_fixture_deinit(&fixture);
}

static void expect_warning(struct engine_fixture *fixture, const char *text, const char *want)
{
    expect_answer(fixture, range_query(text));
    assert_int_equal(fixture->result.warnings.count, 1);
    const char *place = strrchr(fixture->result.warnings.ptr[0].ptr, '(');
    if (place == NULL || strncmp(place, want, strlen(want)) != 0)
        fail_msg("%s: want %s, got %.*s", text, want, STR_ARG(fixture->result.warnings.ptr[0]));
}

TEST(a_note_names_the_last_of_its_places)
{
    struct engine_fixture fixture;
    engine_fixture_init(&fixture);
    expect_warning(&fixture, "quantile(2, c_total)", "(1:10)");
    expect_warning(&fixture, "quantile(((2)), c_total)", "(1:12)");
    expect_warning(&fixture, "quantile(2, c_total) +\n  quantile(2, c_total)", "(2:12)");
    expect_warning(&fixture, "quantile(2, c_total) + scalar(quantile_over_time(2, c_total[5m]))",
                   "(1:50)");
    expect_warning(&fixture, "quantile(2, quantile(2, c_total))", "(1:10)");
    expect_warning(&fixture, "sort(abs(sort(c_total)))", "(1:1)");
    expect_warning(&fixture, "abs(sort(c_total)) + on (n) sort(c_total)", "(1:29)");
    expect_warning(&fixture, "sort(c_total) + on (n) abs(sort(c_total))", "(1:28)");
    engine_fixture_deinit(&fixture);
}

TEST_MAIN(RUN(only_ten_notes_are_shown_and_the_rest_counted),
          RUN(a_note_names_the_last_of_its_places))
