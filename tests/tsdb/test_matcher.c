#include "tests/support/test.h"

#include "tsdb/model/matcher.h"

static struct arena arena;
static struct matcher matcher;
static struct error err;

static void make(enum matcher_op op, struct str value)
{
    arena_init(&arena, SIZE_MAX);
    expect_ok(matcher_init(&matcher, op, STR("name"), value, &arena, &err));
}

static void forget(void)
{
    matcher_deinit(&matcher);
    arena_deinit(&arena);
}

/* Whether `value` matches; the same with the negative operator must say the opposite. */
static bool matches(enum matcher_op op, const char *pattern, const char *value)
{
    make(op, str_from(pattern));
    bool is_match = matcher_matches(&matcher, str_from(value));
    forget();
    make(op == MATCHER_EQ ? MATCHER_NE : MATCHER_NRE, str_from(pattern));
    assert_true(matcher_matches(&matcher, str_from(value)) != is_match);
    forget();
    return is_match;
}

static void expect_test(const char *pattern, enum matcher_test want)
{
    make(MATCHER_RE, str_from(pattern));
    if (matcher.test != want)
        fail_msg("%s: got test %d, want %d", pattern, matcher.test, want);
    forget();
}

TEST(equality_compares_bytes)
{
    assert_true(matches(MATCHER_EQ, "a", "a"));
    assert_false(matches(MATCHER_EQ, "a", "A"));
    assert_false(matches(MATCHER_EQ, "a", ""));
    assert_true(matches(MATCHER_EQ, "", ""));
    assert_false(matches(MATCHER_EQ, "a.*", "ab"));
}

TEST(patterns_are_anchored_at_both_ends)
{
    assert_true(matches(MATCHER_RE, "a.c", "abc"));
    assert_false(matches(MATCHER_RE, "a.c", "xabc"));
    assert_false(matches(MATCHER_RE, "a.c", "abcx"));
    assert_true(matches(MATCHER_RE, "a[b]c|d", "d"));
    assert_true(matches(MATCHER_RE, "a.c", "a\nc"));
}

TEST(prefixes_need_no_regex)
{
    expect_test(".*", MATCHER_TEST_PREFIX);
    expect_test("api/.*", MATCHER_TEST_PREFIX);
    expect_test("api.+", MATCHER_TEST_LONGER_THAN_PREFIX);
    expect_test("a.i.*", MATCHER_TEST_REGEX);
    expect_test("a\\.*", MATCHER_TEST_REGEX);
    assert_true(matches(MATCHER_RE, ".*", ""));
    assert_false(matches(MATCHER_RE, ".+", ""));
    assert_true(matches(MATCHER_RE, ".+", "\n"));
    assert_true(matches(MATCHER_RE, "ab.*", "ab"));
    assert_false(matches(MATCHER_RE, "ab.+", "ab"));
    assert_true(matches(MATCHER_RE, "ab.+", "abc"));
    assert_false(matches(MATCHER_RE, "ab.*", "xab"));
}

TEST(alternations_of_literals_are_sorted_sets)
{
    make(MATCHER_RE, STR("c|a|b|a|d\\.e|"));
    assert_int_equal(matcher.test, MATCHER_TEST_LITERALS);
    assert_int_equal(matcher.literal_count, 5);
    const char *const want[] = {"", "a", "b", "c", "d.e"};
    for (size_t i = 0; i < 5; i++)
        expect_str(matcher.literals[i], want[i]);
    forget();
    assert_true(matches(MATCHER_RE, "(a|b)", "b"));
    assert_true(matches(MATCHER_RE, "a(b|c)d", "acd"));
    assert_false(matches(MATCHER_RE, "a|b", "a|b"));
    assert_true(matches(MATCHER_RE, "a\\|b", "a|b"));
    assert_true(matches(MATCHER_RE, "a\\-b\\/c", "a-b/c"));
    expect_test("a|b+", MATCHER_TEST_REGEX);
    expect_test("(a)|(b.)", MATCHER_TEST_REGEX);
}

TEST(an_escape_that_is_no_literal_stays_a_regex)
{
    assert_true(matches(MATCHER_RE, "\\d+|x", "42"));
    assert_false(matches(MATCHER_RE, "\\d", "d"));
    assert_true(matches(MATCHER_RE, "(?i)a|b", "B"));
}

TEST(a_label_that_is_missing_counts_as_empty)
{
    const struct {
        enum matcher_op op;
        const char *value;
        bool want;
    } cases[] = {{MATCHER_EQ, "", true},    {MATCHER_EQ, "a", false},  {MATCHER_NE, "", false},
                 {MATCHER_NE, "a", true},   {MATCHER_RE, "a|", true},  {MATCHER_RE, "a?", true},
                 {MATCHER_RE, ".+", false}, {MATCHER_NRE, ".+", true}, {MATCHER_NRE, "", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        make(cases[i].op, str_from(cases[i].value));
        assert_true(matcher.matches_empty == cases[i].want);
        forget();
    }
}

static void append_alternation(struct buffer *out, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        buffer_append_format(out, "%sinstance-%07u", i == 0 ? "" : "|", i * 7919 % count);
}

TEST(an_alternation_of_megabytes_is_looked_up)
{
    struct buffer pattern;
    buffer_init(&pattern, 4 << 20);
    append_alternation(&pattern, 120000);
    assert_true(pattern.len > 2000000);
    make(MATCHER_RE, buffer_str(&pattern));
    assert_int_equal(matcher.literal_count, 120000);
    assert_true(matcher_matches(&matcher, STR("instance-0119999")));
    assert_false(matcher_matches(&matcher, STR("instance-0120000")));
    forget();
    buffer_deinit(&pattern);
}

static void expect_refused(struct str pattern)
{
    arena_init(&arena, SIZE_MAX);
    expect_status(matcher_init(&matcher, MATCHER_RE, STR("a"), pattern, &arena, &err),
                  STATUS_INVALID);
    forget();
}

/* What a dashboard makes of a variable with all machines: dots are any byte, so it is compiled. */
TEST(an_alternation_of_addresses_may_be_as_long_as_a_query)
{
    struct buffer pattern;
    buffer_init(&pattern, 1 << 20);
    for (int i = 0; i < 1000; i++)
        buffer_append_format(&pattern, "%s10.0.%d.%d:9100", i == 0 ? "" : "|", i / 100, i % 100);
    assert_true(pattern.len > 14000 && pattern.len < MATCHER_REGEX_LEN_SMALL_MAX);
    make(MATCHER_RE, buffer_str(&pattern));
    assert_int_equal(matcher.test, MATCHER_TEST_REGEX);
    assert_true(matcher_matches(&matcher, STR("10.0.9.99:9100")));
    assert_false(matcher_matches(&matcher, STR("10.0.10.0:9100")));
    forget();
    buffer_deinit(&pattern);
}

TEST(a_long_pattern_that_must_be_compiled_is_refused)
{
    struct buffer pattern;
    buffer_init(&pattern, 1 << 20);
    buffer_append_str(&pattern, STR("x+|"));
    append_alternation(&pattern, 1000);
    expect_refused(buffer_str(&pattern));
    buffer_deinit(&pattern);
}

TEST(broken_patterns_are_refused)
{
    expect_refused(STR("("));
    expect_refused(STR("*"));
    expect_refused(STR("a\\"));
    expect_refused(STR("[a"));
}

TEST(a_set_that_does_not_fit_the_arena_is_compiled)
{
    arena_init(&arena, 8);
    expect_ok(matcher_init(&matcher, MATCHER_RE, STR("a"), STR("b|c"), &arena, &err));
    assert_int_equal(matcher.test, MATCHER_TEST_REGEX);
    assert_true(matcher_matches(&matcher, STR("c")));
    forget();
}

TEST(matchers_print_as_prometheus_prints_them)
{
    const struct {
        struct str name;
        enum matcher_op op;
        struct str value;
        const char *want;
    } cases[] = {{STR("a"), MATCHER_EQ, STR("b"), "a=\"b\""},
                 {STR("a"), MATCHER_NE, STR("\"\n"), "a!=\"\\\"\\n\""},
                 {STR("a_1"), MATCHER_RE, STR("b\\d"), "a_1=~\"b\\\\d\""},
                 {STR("a.b"), MATCHER_NRE, STR("c"), "\"a.b\"!~\"c\""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer out;
        buffer_init(&out, 1024);
        arena_init(&arena, SIZE_MAX);
        expect_ok(matcher_init(&matcher, cases[i].op, cases[i].name, cases[i].value, &arena, &err));
        matcher_print(&out, &matcher);
        expect_str(buffer_str(&out), cases[i].want);
        forget();
        buffer_deinit(&out);
    }
}

TEST_MAIN(RUN(equality_compares_bytes), RUN(patterns_are_anchored_at_both_ends),
          RUN(prefixes_need_no_regex), RUN(alternations_of_literals_are_sorted_sets),
          RUN(an_escape_that_is_no_literal_stays_a_regex),
          RUN(a_label_that_is_missing_counts_as_empty),
          RUN(an_alternation_of_megabytes_is_looked_up),
          RUN(an_alternation_of_addresses_may_be_as_long_as_a_query),
          RUN(a_long_pattern_that_must_be_compiled_is_refused), RUN(broken_patterns_are_refused),
          RUN(a_set_that_does_not_fit_the_arena_is_compiled),
          RUN(matchers_print_as_prometheus_prints_them))
