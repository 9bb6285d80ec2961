/* The text format of metrics. What a whole page of it looks like is held to promtool in
   tests/e2e. */
#include "tests/support/test.h"

#include <math.h>

#include "server/exposition.h"

struct fixture {
    struct buffer out;
    struct exposition exposition;
};

static void fixture_init(struct fixture *fixture)
{
    buffer_init(&fixture->out, SIZE_MAX);
    exposition_init(&fixture->exposition, &fixture->out);
}

static void expect_text(struct fixture *fixture, const char *want)
{
    expect_str(buffer_str(&fixture->out), want);
    buffer_deinit(&fixture->out);
}

TEST(a_family_is_help_and_type_and_its_samples)
{
    struct fixture f;
    fixture_init(&f);
    exposition_family(&f.exposition, "x_total", METRIC_COUNTER, "What it counts.");
    exposition_sample(&f.exposition, NULL, 0, 1);
    exposition_labelled(&f.exposition, "a", STR("1"), 2);
    exposition_sample(&f.exposition, (struct metric_label[]){{"a", STR("1")}, {"b", STR("")}}, 2,
                      3);
    expect_text(&f, "# HELP x_total What it counts.\n"
                    "# TYPE x_total counter\n"
                    "x_total 1\n"
                    "x_total{a=\"1\"} 2\n"
                    "x_total{a=\"1\",b=\"\"} 3\n");
}

TEST(a_single_is_a_family_of_one)
{
    struct fixture f;
    fixture_init(&f);
    exposition_single(&f.exposition, "x", METRIC_GAUGE, "Help.", 0.25);
    exposition_single(&f.exposition, "y", METRIC_GAUGE, "More.", -1);
    expect_text(&f, "# HELP x Help.\n# TYPE x gauge\nx 0.25\n"
                    "# HELP y More.\n# TYPE y gauge\ny -1\n");
}

TEST(label_values_are_escaped)
{
    const struct {
        struct str value;
        const char *want;
    } cases[] = {
        {STR("a\\b"), "a\\\\b"},
        {STR("say \"hi\""), "say \\\"hi\\\""},
        {STR("two\nlines"), "two\\nlines"},
        {STR("\\n"), "\\\\n"},
        {STR("\"\\\n"), "\\\"\\\\\\n"},
        {STR("tab\tand \xc3\xa9 {},="), "tab\tand \xc3\xa9 {},="},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        struct buffer want;
        fixture_init(&f);
        buffer_init(&want, SIZE_MAX);
        f.exposition.name = "x";
        exposition_sample(&f.exposition, (struct metric_label[]){{"l", cases[i].value}}, 1, 0);
        buffer_append_format(&want, "x{l=\"%s\"} 0\n%c", cases[i].want, '\0');
        expect_text(&f, (const char *)want.ptr);
        buffer_deinit(&want);
    }
}

TEST(values_are_the_shortest_that_read_back)
{
    const struct {
        double value;
        const char *want;
    } cases[] = {
        {0, "x 0\n"},
        {-0.0, "x -0\n"},
        {0.1, "x 0.1\n"},
        {1e21, "x 1e+21\n"},
        {1e-7, "x 1e-07\n"},
        {NAN, "x NaN\n"},
        {INFINITY, "x +Inf\n"},
        {-INFINITY, "x -Inf\n"},
        {9007199254740993.0, "x 9007199254740992\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        fixture_init(&f);
        f.exposition.name = "x";
        exposition_sample(&f.exposition, NULL, 0, cases[i].value);
        expect_text(&f, cases[i].want);
    }
}

TEST_MAIN(RUN(a_family_is_help_and_type_and_its_samples), RUN(a_single_is_a_family_of_one),
          RUN(label_values_are_escaped), RUN(values_are_the_shortest_that_read_back))
