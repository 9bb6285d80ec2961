#include "tests/support/test.h"

#include "query/syntax/parse.h"

struct printed {
    const char *text;
    const char *want;
};

/* clang-format off */
/* As Prometheus' /api/v1/format_query prints an expression that fits a line. */
static const struct printed cases[] = {
    {"a", "a"},
    {"1", "1"},
    {"1.5e3", "1500"},
    {"0x1F", "31"},
    {"017", "15"},
    {"08", "8"},
    {"1_000.5", "1000.5"},
    {".5", "0.5"},
    {"1.", "1"},
    {"1e21", "1000000000000000000000"},
    {"1e-7", "0.0000001"},
    {"Inf", "+Inf"},
    {"-nan", "NaN"},
    {"+1", "1"},
    {"-1^2", "-1 ^ 2"},
    {"2^3^2", "2 ^ 3 ^ 2"},
    {"-a^2", "-a ^ 2"},
    {"1+2*3-4", "1 + 2 * 3 - 4"},
    {"a+b*c^d%e", "a + b * c ^ d % e"},
    {"(a+b)*c", "(a + b) * c"},
    {"a == bool 1", "a == bool 1"},
    {"1 < bool 2", "1 < bool 2"},
    {"a and b or c unless d", "a and b or c unless d"},
    {"a or b and c", "a or b and c"},
    {"a + on() b", "a + on () b"},
    {"a * on (x, y) group_left b", "a * on (x, y) group_left () b"},
    {"a / ignoring(x) group_right(y,z) b", "a / ignoring (x) group_right (y, z) b"},
    {"a and on(x) b", "a and on (x) b"},
    {"a unless ignoring() b", "a unless b"},
    {"a atan2 b", "a atan2 b"},
    {"sum(a)", "sum(a)"},
    {"SUM BY (x) (a)", "sum by (x) (a)"},
    {"sum(a) by (x, y)", "sum by (x, y) (a)"},
    {"sum without() (a)", "sum without () (a)"},
    {"sum by () (a)", "sum(a)"},
    {"topk(5, a)", "topk(5, a)"},
    {"count_values(\"v\", a) by (z)", "count_values by (z) (\"v\", a)"},
    {"quantile(0.9, a)", "quantile(0.9, a)"},
    {"sum by (on, by, bool, and, offset, sum, start, atan2, group_left,) (a)", "sum by (on, by, bool, and, offset, sum, start, atan2, group_left) (a)"},
    {"a offset 5m", "a offset 5m"},
    {"a offset -1h30m", "a offset -1h30m"},
    {"a offset +5m", "a offset 5m"},
    {"a offset - - 5m", "a offset 5m"},
    {"a offset 2 ^ 2", "a offset 2s ^ 2"},
    {"a offset -STEP()*2", "a offset -step() * 2"},
    {"a offset (1m+1m) * 2", "a offset (1m + 1m) * 2"},
    {"a offset -(1m+1m) * 2", "a offset -(1m + 1m) * 2"},
    {"a[5m*2]", "a[5m * 2]"},
    {"a[-5m+35m]", "a[-5m + 35m]"},
    {"a[(5m)]", "a[5m]"},
    {"a[((5m+1))]", "a[(5m + 1)]"},
    {"a[2^3^2 - -(step()/2)]", "a[2 ^ 3 ^ 2 - -(step() / 2)]"},
    {"a[Max_Of(step(),5s)+range()]", "a[max_of(step(), 5s) + range()]"},
    {"a[5m+1:1m*2] @ 3 offset (1m)", "a[5m + 1:1m * 2] @ 3.000 offset 1m"},
    {"a offset 90", "a offset 1m30s"},
    {"a[5m] offset 1d", "a[5m] offset 1d"},
    {"a @ 1.5", "a @ 1.500"},
    {"a @ -1e3", "a @ -1000.000"},
    {"a @ start() offset 5m", "a @ start() offset 5m"},
    {"a offset 5m @ end()", "a @ end() offset 5m"},
    {"a[5m] @ 100", "a[5m] @ 100.000"},
    {"a[1h:5m]", "a[1h:5m]"},
    {"a[1h:] @ 3 offset 1m", "a[1h:] @ 3.000 offset 1m"},
    {"rate(a[5m])[1h:5m]", "rate(a[5m])[1h:5m]"},
    {"sum(a)[5m:] offset 1w", "sum(a)[5m:] offset 1w"},
    {"a[5m0s]", "a[5m]"},
    {"a[1y2w3d4h5m6s7ms]", "a[382d4h5m6s7ms]"},
    {"a[300]", "a[5m]"},
    {"5m", "5m"},
    {"-1h30m", "-1h30m"},
    {"a + 5m", "a + 5m"},
    {"{a=\"b\"}", "{a=\"b\"}"},
    {"{__name__=\"x\"}", "{__name__=\"x\"}"},
    {"{__name__=~\"x.*\"}", "{__name__=~\"x.*\"}"},
    {"a{b=\"c\",}", "a{b=\"c\"}"},
    {"a{ b != \"c\" , d =~ \"e|f\" , g !~ \"h.+\" , i = \"\" }", "a{b!=\"c\",d=~\"e|f\",g!~\"h.+\",i=\"\"}"},
    {"a{b='c\\'d', e=`f\\g`}", "a{b=\"c'd\",e=\"f\\\\g\"}"},
    {"a{b=\"\\x41\\u00e9\\U0001F600\\101\\n\\t\\\\\"}", "a{b=\"Aé😀A\\n\\t\\\\\"}"},
    {"{\"utf8.name\", a=\"b\"}", "{__name__=\"utf8.name\",a=\"b\"}"},
    {"{\"a b\"=\"c\", d=\"e\"}", "{\"a b\"=\"c\",d=\"e\"}"},
    {"sum by (\"x.y\", z) (a)", "sum by (\"x.y\", z) (a)"},
    {"a{on=\"x\",by=\"y\",sum=\"z\",offset=\"w\"}", "a{by=\"y\",offset=\"w\",on=\"x\",sum=\"z\"}"},
    {"a:b:c", "a:b:c"},
    {":x", ":x"},
    {"sum", "sum"},
    {"by{a=\"b\"}", "by{a=\"b\"}"},
    {"start + end", "start + end"},
    {"offset offset 5m", "offset offset 5m"},
    {"inf + infinity", "+Inf + infinity"},
    {"\"x\"", "\"x\""},
    {"'x\"y'", "\"x\\\"y\""},
    {"`x\\n`", "\"x\\\\n\""},
    {"rate(a[5m])", "rate(a[5m])"},
    {"label_join(a, \"b\", \",\", \"c\", \"d\")", "label_join(a, \"b\", \",\", \"c\", \"d\")"},
    {"label_join(a, \"b\", \",\")", "label_join(a, \"b\", \",\")"},
    {"round(a)", "round(a)"},
    {"hour()", "hour()"},
    {"time()", "time()"},
    {"histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))", "histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))"},
    {"absent(a{b=\"c\"})", "absent(a{b=\"c\"})"},
    {"-(a)", "-(a)"},
    {"--a", "--a"},
    {"- - 1", "1"},
    {"a # comment", "a"},
};

/* As the same page breaks lines, in 3.14. */
static const struct printed pretty_cases[] = {
    {"a_metric_with_a_long_name_for_lines{x=\"1\"}+a_metric_with_a_long_name_for_lines{y=\"2\"}",
     "a_metric_with_a_long_name_for_lines{x=\"1\"} + a_metric_with_a_long_name_for_lines{y=\"2\"}"},
    {"a_metric_with_a_long_name_for_lines{x=\"1\"}+on(job,instance)group_left(version)a_metric_with_a_long_name_for_lines{y=\"22222222222222222222222222222222\"}*2",
     "  a_metric_with_a_long_name_for_lines{x=\"1\"}\n"
     "+ on (job, instance) group_left (version)\n"
     "  a_metric_with_a_long_name_for_lines{y=\"22222222222222222222222222222222\"} * 2"},
    {"sum by(job,instance)(rate(a_metric_with_a_long_name_for_lines{first_label=\"first value\",second_label=\"second value\"}[5m]))",
     "sum by (job, instance) (\n"
     "  rate(a_metric_with_a_long_name_for_lines{first_label=\"first value\",second_label=\"second value\"}[5m])\n"
     ")"},
    /* a hundred characters fit, of which the last are a duration */
    {"rate(a_metric_with_a_long_name_for_lines{label=\"a value of the label, and moreee\"}[5m]) + 24 / 1h30m",
     "rate(a_metric_with_a_long_name_for_lines{label=\"a value of the label, and moreee\"}[5m]) + 24 / 1h30m"},
    {"topk(5,a_metric_with_a_long_name_for_lines{first_label=\"first value\",second_label=\"second value\",third_label=\"third value\"})",
     "topk(\n"
     "  5,\n"
     "  a_metric_with_a_long_name_for_lines{first_label=\"first value\",second_label=\"second value\",third_label=\"third value\"}\n"
     ")"},
    {"histogram_quantile(0.9,sum by(le,job)(rate(a_metric_with_a_long_name_for_lines_bucket{first_label=\"first value\"}[5m])))/(a_metric_with_a_long_name_for_lines>bool a_metric_with_a_long_name_for_lines)",
     "  histogram_quantile(\n"
     "    0.9,\n"
     "    sum by (le, job) (rate(a_metric_with_a_long_name_for_lines_bucket{first_label=\"first value\"}[5m]))\n"
     "  )\n"
     "/\n"
     "  (a_metric_with_a_long_name_for_lines > bool a_metric_with_a_long_name_for_lines)"},
    {"-(a_metric_with_a_long_name_for_lines{x=\"1\"}+a_metric_with_a_long_name_for_lines{y=\"2\"}+a_metric_with_a_long_name_for_lines)",
     "-(\n"
     "    a_metric_with_a_long_name_for_lines{x=\"1\"} + a_metric_with_a_long_name_for_lines{y=\"2\"}\n"
     "  +\n"
     "    a_metric_with_a_long_name_for_lines\n"
     ")"},
    {"- sum(a_metric_with_a_long_name_for_lines{first_label=\"first value\",second_label=\"second value\",third_label=\"third value\"})",
     "-sum(\n"
     "  a_metric_with_a_long_name_for_lines{first_label=\"first value\",second_label=\"second value\",third_label=\"third value\"}\n"
     ")"},
    {"(a_metric_with_a_long_name_for_lines{x=\"1\"}+a_metric_with_a_long_name_for_lines{y=\"2\"}+a_metric_with_a_long_name_for_lines)[5m:1m] offset 3m",
     "(\n"
     "    a_metric_with_a_long_name_for_lines{x=\"1\"} + a_metric_with_a_long_name_for_lines{y=\"2\"}\n"
     "  +\n"
     "    a_metric_with_a_long_name_for_lines\n"
     ")[5m:1m] offset 3m"},
    {"max_over_time(a_metric_with_a_long_name_for_lines[5m:1m])+max_over_time((sum(a_metric_with_a_long_name_for_lines{first_label=\"first value\"})-a_metric_with_a_long_name_for_lines)[5m:1m] @ 3)",
     "  max_over_time(a_metric_with_a_long_name_for_lines[5m:1m])\n"
     "+\n"
     "  max_over_time(\n"
     "    (\n"
     "        sum(a_metric_with_a_long_name_for_lines{first_label=\"first value\"})\n"
     "      -\n"
     "        a_metric_with_a_long_name_for_lines\n"
     "    )[5m:1m] @ 3.000\n"
     "  )"},
    {"label_replace(a_metric_with_a_long_name_for_lines,\"a\",\"b\",\"c\",\"ddddddddddddddddddddddddddddddddddddddddddddddddddddddd\")",
     "label_replace(\n"
     "  a_metric_with_a_long_name_for_lines,\n"
     "  \"a\",\n"
     "  \"b\",\n"
     "  \"c\",\n"
     "  \"ddddddddddddddddddddddddddddddddddddddddddddddddddddddd\"\n"
     ")"},
    {"1+2",
     "1 + 2"},
};
/* clang-format on */

static struct error err;

static void print_parsed(struct str text, struct buffer *out, bool is_pretty)
{
    const struct parse_options options = {.allows_experimental = true};
    struct arena arena;
    struct expr *expr;
    arena_init(&arena, SIZE_MAX);
    expect_ok(parse_expr(text, &options, &arena, &expr, &err));
    if (is_pretty)
        ast_print_pretty(out, expr);
    else
        ast_print(out, expr);
    ast_deinit(expr);
    arena_deinit(&arena);
}

static void expect_printed(struct str text, const char *want, bool is_pretty)
{
    struct buffer out;
    buffer_init(&out, 64 * 1024);
    print_parsed(text, &out, is_pretty);
    expect_str(buffer_str(&out), want);
    buffer_deinit(&out);
}

TEST(expressions_print_in_canonical_form)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_printed(str_from(cases[i].text), cases[i].want, false);
}

TEST(what_is_printed_parses_to_what_prints_the_same)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_printed(str_from(cases[i].want), cases[i].want, false);
}

TEST(what_does_not_fit_a_line_is_broken)
{
    for (size_t i = 0; i < sizeof pretty_cases / sizeof pretty_cases[0]; i++) {
        expect_printed(str_from(pretty_cases[i].text), pretty_cases[i].want, true);
        expect_printed(str_from(pretty_cases[i].want), pretty_cases[i].want, true);
    }
}

TEST(what_fits_a_line_is_printed_on_one)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (strlen(cases[i].want) <= 100)
            expect_printed(str_from(cases[i].text), cases[i].want, true);
    }
}

TEST(a_buffer_that_is_too_small_is_marked_and_nothing_else)
{
    struct buffer out;
    buffer_init(&out, 8);
    print_parsed(STR("sum by (job) (a{b=\"c\", d=\"e\"})"), &out, false);
    assert_true(out.is_overflown);
    buffer_deinit(&out);
}

TEST_MAIN(RUN(expressions_print_in_canonical_form),
          RUN(what_is_printed_parses_to_what_prints_the_same),
          RUN(what_does_not_fit_a_line_is_broken), RUN(what_fits_a_line_is_printed_on_one),
          RUN(a_buffer_that_is_too_small_is_marked_and_nothing_else))
