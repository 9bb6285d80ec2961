#include "tests/support/test.h"

#include <math.h>
#include <stdlib.h>

#include "query/syntax/parse.h"

/* The parsed query of a case; freed by `forget`. */
static struct arena arena;
static struct expr *expr;
static struct error err;

static const struct parse_options default_options = {0};

static struct expr *parse(struct str text)
{
    arena_init(&arena, SIZE_MAX);
    expect_ok(parse_expr(text, &default_options, &arena, &expr, &err));
    return expr;
}

static void forget(void)
{
    ast_deinit(expr);
    arena_deinit(&arena);
}

static double parse_value(const char *text)
{
    parse(str_from(text));
    assert_int_equal(expr->kind, EXPR_NUMBER);
    double value = expr->number.value;
    forget();
    return value;
}

TEST(numbers_have_the_values_that_go_gives_them)
{
    assert_true(parse_value("1.5e3") == 1500);
    assert_true(parse_value("0x1F") == 31);
    assert_true(parse_value("0x_7fffffffffffffff") == 0x1p63);
    assert_true(parse_value("017") == 15);
    assert_true(parse_value("0_17") == 15);
    assert_true(parse_value("08") == 8);
    assert_true(parse_value("0777777777777777777777") == 0x1p63);
    assert_true(parse_value("9223372036854775808") == 0x1p63);
    assert_true(parse_value("1_0.2_5") == 10.25);
    assert_true(parse_value("-Inf") == -INFINITY);
    assert_true(isnan(parse_value("nan")));
    assert_true(parse_value("1e-400") == 0);
}

TEST(durations_are_numbers_of_seconds)
{
    assert_true(parse_value("5m") == 300);
    assert_true(parse_value("-1h30m") == -5400);
    assert_true(parse_value("1m0s") == 60);
    assert_true(parse_value("1ms") == 0.001);
    parse(STR("5m"));
    assert_true(expr->number.is_duration);
    forget();
}

TEST(strings_are_unquoted)
{
    parse(STR("\"a\\x41\\101\\u00e9\\U0001F600\\\"\\n\""));
    expect_str(expr->string, "aAA\u00e9\U0001F600\"\n");
    assert_int_equal(expr->type, VALUE_STRING);
    forget();
    parse(STR("`\\n`"));
    expect_str(expr->string, "\\n");
    forget();
    parse(STR("''"));
    expect_str(expr->string, "");
    forget();
}

TEST(a_sign_binds_looser_than_a_power_and_tighter_than_a_product)
{
    parse(STR("-1 ^ 2"));
    assert_int_equal(expr->kind, EXPR_UNARY);
    assert_int_equal(expr->unary.inner->kind, EXPR_BINARY);
    forget();
    parse(STR("-a * b"));
    assert_int_equal(expr->kind, EXPR_BINARY);
    assert_int_equal(expr->binary.left->kind, EXPR_UNARY);
    forget();
    parse(STR("2 ^ -3 * 4"));
    assert_int_equal(expr->binary.op, BINARY_MUL);
    forget();
}

TEST(powers_lean_right_and_all_else_leans_left)
{
    parse(STR("1 ^ 2 ^ 3"));
    assert_int_equal(expr->binary.right->kind, EXPR_BINARY);
    forget();
    parse(STR("1 - 2 - 3"));
    assert_int_equal(expr->binary.left->kind, EXPR_BINARY);
    forget();
    parse(STR("a or b and c unless d == e + f * g ^ h"));
    enum binary_op down[] = {BINARY_OR,  BINARY_UNLESS, BINARY_EQL,
                             BINARY_ADD, BINARY_MUL,    BINARY_POW};
    struct expr *at = expr;
    for (size_t i = 0; i < sizeof down / sizeof down[0]; i++, at = at->binary.right)
        assert_int_equal(at->binary.op, down[i]);
    forget();
}

TEST(types_follow_the_operands)
{
    assert_int_equal(parse(STR("1 + (2)"))->type, VALUE_SCALAR);
    forget();
    assert_int_equal(parse(STR("1 + a"))->type, VALUE_VECTOR);
    forget();
    assert_int_equal(parse(STR("-time()"))->type, VALUE_SCALAR);
    forget();
    assert_int_equal(parse(STR("(a[5m])"))->type, VALUE_MATRIX);
    forget();
    assert_int_equal(parse(STR("a[5m:]"))->type, VALUE_MATRIX);
    forget();
}

TEST(matching_holds_its_labels_and_side)
{
    parse(STR("a * on (x, y) group_left (z) b"));
    const struct vector_matching *matching = &expr->binary.matching;
    assert_int_equal(matching->cardinality, MATCH_MANY_TO_ONE);
    assert_true(matching->is_on);
    assert_int_equal(matching->labels.count, 2);
    expect_str(matching->labels.ptr[1], "y");
    expect_str(matching->include.ptr[0], "z");
    forget();
    parse(STR("a / ignoring (x) group_right b"));
    assert_int_equal(expr->binary.matching.cardinality, MATCH_ONE_TO_MANY);
    assert_int_equal(expr->binary.matching.include.count, 0);
    forget();
    parse(STR("a and b"));
    assert_int_equal(expr->binary.matching.cardinality, MATCH_MANY_TO_MANY);
    forget();
}

TEST(times_apply_to_the_selector_or_subquery_before_them)
{
    parse(STR("-a offset 5m"));
    assert_int_equal(expr->unary.inner->selector.time.offset_ms, 300000);
    forget();
    parse(STR("a[90] offset -1h @ 1.0005"));
    assert_int_equal(expr->matrix.range_ms, 90000);
    assert_int_equal(expr->matrix.selector->selector.time.offset_ms, -3600000);
    assert_int_equal(expr->matrix.selector->selector.time.at_ms, 1001);
    forget();
    parse(STR("a[1h:1001ms] @ end()"));
    assert_int_equal(expr->subquery.step_ms, 1001);
    assert_int_equal(expr->subquery.time.at, AT_END);
    forget();
    parse(STR("a @ -1.6e9"));
    assert_int_equal(expr->selector.time.at_ms, INT64_C(-1600000000000));
    forget();
}

TEST(selectors_hold_all_matchers_and_the_name_last)
{
    parse(STR("up{job=\"x\", code!~\"5..\",}"));
    const struct vector_selector *selector = &expr->selector;
    expect_str(selector->metric_name, "up");
    assert_int_equal(selector->matcher_count, 3);
    expect_str(selector->matchers[0].name, "job");
    assert_int_equal(selector->matchers[1].op, MATCHER_NRE);
    expect_str(selector->matchers[2].name, "__name__");
    forget();
    parse(STR("{\"a.b\", \"c d\"!=\"e\"}"));
    expect_str(expr->selector.metric_name, "");
    expect_str(expr->selector.matchers[0].value, "a.b");
    expect_str(expr->selector.matchers[1].name, "c d");
    forget();
}

TEST(keywords_name_metrics_and_labels_where_nothing_else_can_stand)
{
    parse(STR("sum(sum) by (by, on, and, group_left, start)"));
    expect_str(expr->aggregate.inner->selector.metric_name, "sum");
    assert_int_equal(expr->aggregate.grouping.count, 5);
    forget();
    parse(STR("and and and"));
    assert_int_equal(expr->binary.op, BINARY_AND);
    forget();
    parse(STR("offset offset 5m"));
    assert_int_equal(expr->selector.time.offset_ms, 300000);
    forget();
}

TEST(aggregations_hold_parameter_and_grouping)
{
    parse(STR("count_values without (a) (\"v\", b)"));
    assert_int_equal(expr->aggregate.op, AGGREGATE_COUNT_VALUES);
    assert_true(expr->aggregate.is_without);
    expect_str(expr->aggregate.param->string, "v");
    expect_str(expr->aggregate.inner->selector.metric_name, "b");
    forget();
}

TEST(positions_span_what_was_written)
{
    parse(STR("  sum(a) by (b) + rate(c[5m] offset 1m) "));
    assert_int_equal(expr->position.start, 2);
    assert_int_equal(expr->position.end, 39);
    assert_int_equal(expr->binary.left->position.end, 15);
    assert_int_equal(expr->binary.right->position.start, 18);
    assert_int_equal(expr->binary.right->call.args[0]->position.end, 38);
    forget();
}

static enum status parse_experimental(const char *text, bool is_allowed)
{
    const struct parse_options options = {.allows_experimental = is_allowed};
    arena_init(&arena, SIZE_MAX);
    enum status status = parse_expr(str_from(text), &options, &arena, &expr, &err);
    forget();
    return status;
}

TEST(experimental_functions_need_their_flag)
{
    const char *const texts[] = {"mad_over_time(a[5m])", "limitk(1, a)",
                                 "start() + end()",      "sort_by_label(a, \"b\")",
                                 "info(a, {b=~\".*\"})", "info(a, {})"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(parse_experimental(texts[i], false), STATUS_INVALID);
        assert_int_equal(parse_experimental(texts[i], true), STATUS_OK);
    }
    assert_int_equal(parse_experimental("info(a, b)", true), STATUS_INVALID);
    assert_int_equal(parse_experimental("info(a, 1)", true), STATUS_INVALID);
}

/* `head`, then `unit` `count` times, then `mid`, then `tail` `count` times. */
static struct str repeat(const char *unit, size_t count, const char *mid, const char *tail)
{
    static struct buffer text;
    if (text.max_bytes == 0)
        buffer_init(&text, 1 << 20);
    buffer_reset(&text);
    for (size_t i = 0; i < count; i++)
        buffer_append_str(&text, str_from(unit));
    buffer_append_str(&text, str_from(mid));
    for (size_t i = 0; i < count; i++)
        buffer_append_str(&text, str_from(tail));
    struct str made = arena_copy(&arena, buffer_str(&text));
    buffer_deinit(&text);
    return made;
}

static enum status parse_repeated(const char *unit, size_t count, const char *mid, const char *tail)
{
    arena_init(&arena, SIZE_MAX);
    expr = NULL;
    enum status status =
        parse_expr(repeat(unit, count, mid, tail), &default_options, &arena, &expr, &err);
    if (status == STATUS_OK)
        assert_true(expr->height <= PARSE_HEIGHT_MAX);
    forget();
    return status;
}

TEST(nesting_has_a_limit)
{
    const char *const units[][2] = {
        {"(", ")"}, {"abs(", ")"}, {"sum(", ")"}, {"-", ""}, {"a^", ""}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        const char *open = units[i][0], *close = units[i][1];
        assert_int_equal(parse_repeated(open, PARSE_DEPTH_MAX - 1, "a", close), STATUS_OK);
        assert_int_equal(parse_repeated(open, PARSE_DEPTH_MAX, "a", close), STATUS_INVALID);
        assert_non_null(strstr(err.text, "nested too deeply"));
    }
}

TEST(chains_are_limited_by_the_height_of_the_tree)
{
    assert_int_equal(parse_repeated("a+", PARSE_HEIGHT_MAX - 1, "a", ""), STATUS_OK);
    assert_int_equal(parse_repeated("a+", PARSE_HEIGHT_MAX, "a", ""), STATUS_INVALID);
    assert_non_null(strstr(err.text, "too many operators in a row"));
    assert_int_equal(parse_repeated("a or ", 3000, "a", ""), STATUS_INVALID);
}

TEST(text_has_a_limit)
{
    assert_int_equal(parse_repeated(" ", PARSE_TEXT_MAX - 1, "a", ""), STATUS_OK);
    assert_int_equal(parse_repeated(" ", PARSE_TEXT_MAX, "a", ""), STATUS_INVALID);
    assert_non_null(strstr(err.text, "too long"));
}

TEST(a_full_arena_is_a_limit_and_nothing_leaks)
{
    struct str text =
        STR("sum by (x) (rate(a{b=~\"c.d\", e=~\"f|g\", h=\"\\t\"}[5m])) / label_join(b, "
            "\"x\", \"y\") ^ 017");
    enum status status = STATUS_LIMIT;
    size_t limit = 0;
    for (; status == STATUS_LIMIT; limit += 8) {
        arena_init(&arena, limit);
        status = parse_expr(text, &default_options, &arena, &expr, &err);
        forget();
    }
    assert_int_equal(status, STATUS_OK);
    assert_true(limit > 1000);
}

static enum status select_text(struct str text, size_t *count)
{
    struct matcher *matchers = NULL;
    *count = 0;
    arena_init(&arena, SIZE_MAX);
    enum status status = parse_selector(text, &arena, &matchers, count, &err);
    for (size_t i = 0; i < *count; i++)
        matcher_deinit(&matchers[i]);
    arena_deinit(&arena);
    return status;
}

TEST(a_selector_alone_is_what_match_takes)
{
    size_t count;
    assert_int_equal(select_text(STR("up"), &count), STATUS_OK);
    assert_int_equal(count, 1);
    assert_int_equal(select_text(STR(" {a=\"b\", c=~\"d.+\"} # x"), &count), STATUS_OK);
    assert_int_equal(count, 2);
    assert_int_equal(select_text(STR("by{a!=\"\"}"), &count), STATUS_OK);
}

static void expect_unselectable(struct str text, const char *want)
{
    size_t count;
    assert_int_equal(select_text(text, &count), STATUS_INVALID);
    expect_str(str_from(err.text), want);
}

TEST(what_is_no_selector_is_refused_by_match)
{
    expect_unselectable(STR(""), "unknown position: parse error: unexpected end of input");
    expect_unselectable(STR("a b"), "1:3: parse error: unexpected identifier \"b\"");
    expect_unselectable(STR("rate(a[5m])"), "1:5: parse error: unexpected \"(\"");
    expect_unselectable(STR("1"), "1:1: parse error: unexpected number \"1\"");
    expect_unselectable(STR("{}"), "match[] must contain at least one non-empty matcher");
    expect_unselectable(STR("{a=~\".*\"}"), "match[] must contain at least one non-empty matcher");
    expect_unselectable(STR("{a=~\"x+\",b=~\"(\"}"),
                        "1:10: parse error: error parsing regexp: missing closing ): `(`");
}

TEST(a_selector_of_megabytes_is_a_set_of_literals)
{
    struct buffer text;
    size_t count;
    buffer_init(&text, PARSE_SELECTOR_TEXT_MAX + 16);
    buffer_append_str(&text, STR("{pod=~\"x"));
    for (unsigned i = 0; i < 100000; i++)
        buffer_append_format(&text, "|pod\\\\.%u-name", i);
    buffer_append_str(&text, STR("\"}"));
    assert_true(text.len > 1500000);
    assert_int_equal(select_text(buffer_str(&text), &count), STATUS_OK);
    while (text.len <= PARSE_SELECTOR_TEXT_MAX)
        buffer_append_byte(&text, ' ');
    assert_int_equal(select_text(buffer_str(&text), &count), STATUS_INVALID);
    buffer_deinit(&text);
}

TEST(matchers_of_a_selector_have_a_limit)
{
    struct buffer text;
    size_t count;
    buffer_init(&text, 1 << 20);
    buffer_append_byte(&text, '{');
    for (int i = 0; i < PARSE_MATCHERS_MAX; i++)
        buffer_append_str(&text, STR("a=~\"b+\","));
    buffer_append_byte(&text, '}');
    assert_int_equal(select_text(buffer_str(&text), &count), STATUS_OK);
    text.len--;
    buffer_append_str(&text, STR("a=\"b\"}"));
    assert_int_equal(select_text(buffer_str(&text), &count), STATUS_INVALID);
    assert_non_null(strstr(err.text, "too many label matchers"));
    buffer_deinit(&text);
}

TEST_MAIN(RUN(numbers_have_the_values_that_go_gives_them), RUN(durations_are_numbers_of_seconds),
          RUN(strings_are_unquoted),
          RUN(a_sign_binds_looser_than_a_power_and_tighter_than_a_product),
          RUN(powers_lean_right_and_all_else_leans_left), RUN(types_follow_the_operands),
          RUN(matching_holds_its_labels_and_side),
          RUN(times_apply_to_the_selector_or_subquery_before_them),
          RUN(selectors_hold_all_matchers_and_the_name_last),
          RUN(keywords_name_metrics_and_labels_where_nothing_else_can_stand),
          RUN(aggregations_hold_parameter_and_grouping), RUN(positions_span_what_was_written),
          RUN(experimental_functions_need_their_flag), RUN(nesting_has_a_limit),
          RUN(chains_are_limited_by_the_height_of_the_tree), RUN(text_has_a_limit),
          RUN(a_full_arena_is_a_limit_and_nothing_leaks), RUN(a_selector_alone_is_what_match_takes),
          RUN(what_is_no_selector_is_refused_by_match),
          RUN(a_selector_of_megabytes_is_a_set_of_literals),
          RUN(matchers_of_a_selector_have_a_limit))
