/* What the runner says about scripts that are not as they expect, or that it
   does not understand. */
#include "tests/support/test.h"

#include <stdio.h>

#include "inspect/script/script.h"

static const char path[] = "wrong.test";

static void write_script(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Runs `text`; what it reports must be `want`, line for line. */
static void expect_report(const char *text, const char *want)
{
    struct script_result result = {0};
    struct error err;
    char got[4096];
    write_script(text);
    FILE *out = tmpfile();
    assert_non_null(out);
    const struct script_options options = {.out = out, .tolerance = 1e-6};
    expect_ok(script_run(path, &options, &result, &err));
    rewind(out);
    size_t len = fread(got, 1, sizeof got - 1, out);
    got[len] = '\0';
    fclose(out);
    remove(path);
    assert_string_equal(got, want);
}

TEST(what_is_as_expected_is_not_mentioned)
{
    expect_report("load 1m\n  a{x=\"1\"} 1 2 _ stale 3+1x2 _x2 7x1\n"
                  "\n# a comment\neval instant at 1m a\n  a{x=\"1\"} 2\n"
                  "\neval range from 0 to 9m step 1m a\n  a{x=\"1\"} 1 2 2 _ 3 4 5 5 5 7\n"
                  "\neval instant at 2m a[2m]\n  expect range vector from 1m to 1m step 1m\n"
                  "  a{x=\"1\"} 2\n"
                  "\neval instant at 0 \"x\\n\"\n  expect string 'x\\n'\n"
                  "\neval instant 2 ^ 0.5\n  1.41421356\n"
                  "\neval_fail instant at 0 a *\n"
                  "\neval instant at 0 b or vector(NaN)\n  {} NaN\n"
                  "\nclear\n\neval instant at 1m a\n"
                  "\nload 1m\n  a 1 2\n  a 3 0x2\n"
                  "\neval range from 0 to 3m step 1m a\n  a 3 0 0 0\n",
                  "");
}

TEST(values_series_and_their_order_are_compared)
{
    expect_report(
        "load 1m\n  a{x=\"1\"} 1\n  a{x=\"2\"} 2\n"
        "\neval instant at 0 a\n  a{x=\"1\"} 1\n  a{x=\"2\"} 3\n"
        "\neval instant at 0 a\n  a{x=\"1\"} 1\n"
        "\neval instant at 0 a{x=\"1\"}\n  a{x=\"1\"} 1\n  a{x=\"3\"} 1\n"
        "\neval instant at 0 sort_desc(a)\n  expect ordered\n  a{x=\"1\"} 1\n  a{x=\"2\"} 2\n"
        "\neval range from 0 to 1m step 1m a{x=\"1\"}\n  a{x=\"1\"} 1 _\n",
        "wrong.test:5: a{x=\"2\"} at 0 ms: got 2, want 3\n"
        "wrong.test:9: got 2 series, want 1\n"
        "    got a{x=\"1\"} 1\n"
        "    got a{x=\"2\"} 2\n"
        "wrong.test:12: a{x=\"3\"}: got nothing, want it\n"
        "wrong.test:12: got 1 series, want 2\n"
        "    got a{x=\"1\"} 1\n"
        "wrong.test:16: a{x=\"1\"}: got at position 2, want 1\n"
        "wrong.test:16: a{x=\"2\"}: got at position 1, want 2\n"
        "wrong.test:21: a{x=\"1\"} at 60000 ms: got 1, want nothing\n");
}

TEST(scalars_strings_failures_and_notes_are_compared)
{
    expect_report(
        "eval instant at 0 1\n  2\n"
        "\neval instant at 0 \"a\"\n  expect string \"b\"\n"
        "\neval_fail instant at 0 1\n"
        "\neval instant at 0 foo(1)\n"
        "\neval instant at 0 foo(1)\n  expect fail msg: no\n"
        "\nload 1m\n  a 1 2\n"
        "\neval instant at 1m quantile(2, a)\n  expect no_warn\n  {} Inf\n"
        "\neval instant at 1m a\n  expect warn msg: hot\n  expect info\n  a 2\n"
        "\neval instant at 1m rate(a[2m])\n  expect info regex: not be a coun.er\n"
        "  {} 0.0166666666666666\n",
        "wrong.test:1: got scalar 1, want 2\n"
        "wrong.test:4: got string \"a\"\n"
        "wrong.test:7: got an answer, want a failure\n"
        "wrong.test:9: foo(1): 1:1: parse error: unknown function with name \"foo\"\n"
        "wrong.test:11: got failure \"1:1: parse error: unknown function with name "
        "\"foo\"\", want \"no\"\n"
        "wrong.test:17: want no warning\n"
        "    got: PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)\n"
        "wrong.test:21: want warning \"hot\"\n"
        "wrong.test:21: want info\n");
}

TEST(what_is_not_understood_is_named)
{
    expect_report(
        "lode 1m\n  a 1\n"
        "\nload_with_nhcb 1m\n  a 1\n"
        "\nload soon\n  a 1\n"
        "\nload 1m\n  a 1 two 3\n  b{x=~\"1\"} 1\n  c {{schema:1}}\n  d 1x9999999\n  e{ 1\n"
        "\neval later a\n"
        "\neval range from 0 until 3\n"
        "\neval range from 5m to 0 step 1m a\n"
        "\neval instant at 0 a\n  expect rain\n"
        "\neval instant at 0 a\n  expect fail loudly\n",
        "wrong.test:1: got command lode, want load, eval or clear\n"
        "wrong.test:4: load_with_nhcb: native histograms are not supported\n"
        "wrong.test:7: load: got interval \"soon\", want a duration\n"
        "wrong.test:11: value: got two, want a number, a+bxN, a-bxN, axN, _, _xN or stale\n"
        "wrong.test:12: labels: got b{x=~\"1\"}, want only \"=\" in it\n"
        "wrong.test:13: value: native histograms are not supported\n"
        "wrong.test:14: value: got 1x9999999, want a number, a+bxN, a-bxN, axN, _, _xN or "
        "stale\n"
        "wrong.test:15: 1:4: parse error: unexpected character inside braces: '1'\n"
        "wrong.test:17: eval: got later, want instant or range\n"
        "wrong.test:19: range: got \"until 3\", want \"to TIME\"\n"
        "wrong.test:21: range: want an end after the start and a step\n"
        "wrong.test:23: expect: got rain, want fail, warn, info, no_warn, no_info, "
        "ordered, string or range vector\n"
        "wrong.test:26: expect: got loudly, want msg: or regex:\n");
}

TEST(samples_that_the_store_refuses_are_named)
{
    expect_report("load 1m\n  a 1 2 3\n\nload 1m\n  b 7x0\n  a 1 9\n",
                  "wrong.test:6: duplicate sample for timestamp with another value: got timestamp "
                  "60000 for series a\n");
}

TEST(a_file_that_cannot_be_read_is_an_error)
{
    struct script_result result = {0};
    struct error err;
    const struct script_options options = {.out = stderr, .tolerance = 1e-6};
    assert_int_equal(script_run("nowhere/nothing.test", &options, &result, &err), STATUS_IO);
    assert_string_equal(err.text, "nowhere/nothing.test: No such file or directory");
}

TEST_MAIN(RUN(what_is_as_expected_is_not_mentioned),
          RUN(values_series_and_their_order_are_compared),
          RUN(scalars_strings_failures_and_notes_are_compared),
          RUN(what_is_not_understood_is_named), RUN(samples_that_the_store_refuses_are_named),
          RUN(a_file_that_cannot_be_read_is_an_error))
