#include "base/regex.h"
#include "tests/support/test.h"

static struct error err;

static bool matches(const char *pattern, const char *text)
{
    struct regex *regex;
    expect_ok(regex_new(str_from(pattern), &regex, &err));
    bool result = regex_matches(regex, str_from(text));
    regex_free(regex);
    return result;
}

TEST(a_pattern_is_anchored_at_both_ends)
{
    assert_true(matches("foo", "foo"));
    assert_false(matches("foo", "foobar"));
    assert_false(matches("foo", "a foo"));
    assert_false(matches("a|b", "ab"));
    assert_true(matches("a|ab", "ab"));
    assert_true(matches("", ""));
    assert_false(matches("", "x"));
    assert_true(matches(".*", ""));
    assert_true(matches("^foo$", "foo"));
}

TEST(a_dot_matches_a_newline_and_a_character)
{
    assert_true(matches("a.b", "a\nb"));
    assert_true(matches(".+", "x\ny\n"));
    assert_true(matches("a.b", "a\xc3\xa9"
                               "b"));
    assert_false(matches("a.b", "ab"));
}

TEST(the_syntax_of_prometheus_is_known)
{
    assert_true(matches("(?i)FOO", "foo"));
    assert_true(matches("4..|5[0-9]{2}", "503"));
    assert_true(matches("\\d+\\.\\w*", "12.ab"));
    assert_true(matches("\\pL+", "\xc3\xa9t\xc3\xa9"));
    assert_true(matches("(?P<code>2..)", "204"));
    assert_true(matches("[[:alpha:]]+", "abc"));
    assert_true(matches("a{1000}", "a") == false);
}

static void expect_refused(const char *pattern)
{
    struct regex *regex;
    expect_status(regex_new(str_from(pattern), &regex, &err), STATUS_INVALID);
    assert_true(str_starts_with(str_from(err.text), STR("error parsing regexp: ")));
}

TEST(broken_and_oversized_patterns_are_refused_with_a_reason)
{
    expect_refused("a(");
    expect_refused("a)(b");
    expect_refused("[a");
    expect_refused("*a");
    expect_refused("a**");
    expect_refused("(?=a)");
    expect_refused("(a)\\1");
    expect_refused("\\8");
    expect_refused("a{1001}");
    expect_refused("((((a{100}){100}){100}){100})");
    expect_refused("(\\pL{500}){2}x\\pL{1000}\\pL{1000}");
    expect_refused("\xff");
}

static void expect_reason(const char *pattern, const char *reason)
{
    struct regex *regex;
    expect_status(regex_new(str_from(pattern), &regex, &err), STATUS_INVALID);
    expect_str(str_slice(str_from(err.text), strlen("error parsing regexp: "), SIZE_MAX), reason);
}

TEST(reasons_are_in_the_words_of_go)
{
    expect_reason("(a", "missing closing ): `(a`");
    expect_reason("a)", "unexpected ): `a)`");
    expect_reason("[a", "missing closing ]: `[a`");
    expect_reason("*", "missing argument to repetition operator: `*`");
    expect_reason("a**", "invalid nested repetition operator: `**`");
    expect_reason("a{1001}", "invalid repeat count: `{1001}`");
    expect_reason("a\\", "trailing backslash at end of expression: ``");
    expect_reason("\\8", "invalid escape sequence: `\\8`");
    expect_reason("a\\C", "invalid escape sequence: `\\C`");
    expect_reason("(?=a)", "invalid or unsupported Perl syntax: `(?=`");
    expect_reason("(?<=a)", "invalid or unsupported Perl syntax: `(?<`");
    expect_reason("[z-a]", "invalid character class range: `z-a`");
    expect_reason("(?P<n", "invalid named capture: `(?P<n`");
}

TEST(a_group_may_be_named_in_two_ways)
{
    assert_true(matches("(?<code>2..)", "204"));
    assert_true(matches("\\(\\?<x>[(?<y>]", "(?<x>y"));
    assert_true(matches("\\Q(?<x>\\C\\E", "(?<x>\\C"));
}

TEST(matching_is_linear)
{
    static char text[100001];
    memset(text, 'a', sizeof text - 1);
    assert_false(matches("(a*)*b", text));
    assert_false(matches("(a|a|aa)+b", text));
    assert_false(matches("(.*)(.*)(.*)(.*)(.*)[^a]", text));
}

static void expect_expanded(const char *pattern, const char *text, const char *replacement,
                            const char *want)
{
    struct regex *regex;
    struct buffer out;
    buffer_init(&out, 256);
    expect_ok(regex_new(str_from(pattern), &regex, &err));
    bool is_match = regex_expand(regex, str_from(text), str_from(replacement), &out);
    assert_int_equal(is_match, want != NULL);
    expect_str(buffer_str(&out), want == NULL ? "" : want);
    buffer_deinit(&out);
    regex_free(regex);
}

TEST(references_are_expanded_as_go_does)
{
    expect_expanded("(.*):(\\d+)", "host:80", "$1 $2", "host 80");
    expect_expanded("(.*):(\\d+)", "host:80", "${1}x$0", "hostxhost:80");
    expect_expanded("(.*):(\\d+)", "host:80", "$1x", "");     /* a group named "1x" */
    expect_expanded("(.*):(\\d+)", "host:80", "$1_$2", "80"); /* a group named "1_" */
    expect_expanded("(.*):(\\d+)", "host:80", "[$3${99}$no]", "[]");
    expect_expanded("(.*):(\\d+)", "host:80", "[$01$100000000]", "[]");
    expect_expanded("(?P<h>.*):(?P<port_1>\\d+)", "host:80", "$port_1.${h}", "80.host");
    expect_expanded("a", "a", "$$1 $$$0", "$1 $a");
    expect_expanded("a", "a", "$", "$");
    expect_expanded("a", "a", "1$ ${ ${} ${a $-", "1$ ${ ${} ${a $-");
    expect_expanded("a", "a", "$\xc3\xa9 $\xe2\x86\x92", " $\xe2\x86\x92");
    expect_expanded("a", "a", "", "");
    expect_expanded("(a)|(b)", "b", "[$1][$2]", "[][b]");
    expect_expanded("", "", "x${0}y$0y", "xy");
}

TEST(nothing_is_expanded_without_a_match)
{
    expect_expanded("a", "b", "x", NULL);
    expect_expanded("a", "ab", "x", NULL);
}

/* The literals separated by blanks, each in quotes, or NULL when there are none. */
static void expect_literals(const char *pattern, const char *want)
{
    struct arena arena;
    struct str *literals;
    size_t count;
    arena_init(&arena, 1 << 20);
    struct buffer got;
    buffer_init(&got, 4096);
    bool is_found = regex_literals(str_from(pattern), &arena, &literals, &count);
    if (is_found != (want != NULL))
        fail_msg("%s: got %d", pattern, is_found);
    for (size_t i = 0; is_found && i < count; i++) {
        buffer_append_format(&got, "'%.*s' ", STR_ARG(literals[i]));
        arena_copy(&arena, literals[i]);
        struct str terminated = arena_format(&arena, "%.*s", STR_ARG(literals[i]));
        assert_true(matches(pattern, terminated.ptr));
    }
    expect_str(buffer_str(&got), want == NULL ? "" : want);
    buffer_deinit(&got);
    arena_deinit(&arena);
}

TEST(alternations_of_literals_are_listed_sorted_and_once)
{
    expect_literals("", "'' ");
    expect_literals("foo", "'foo' ");
    expect_literals("b|a|b", "'a' 'b' ");
    expect_literals("a|b|(c|d)", "'a' 'b' 'c' 'd' ");
    expect_literals("(a|b)", "'a' 'b' ");
    expect_literals("(?:a|b)c", "'ac' 'bc' ");
    expect_literals("x(a|b)(1|2)y", "'xa1y' 'xa2y' 'xb1y' 'xb2y' ");
    expect_literals("a|", "'' 'a' ");
    expect_literals("()", "'' ");
    expect_literals("a(|b)", "'a' 'ab' ");
    expect_literals("10\\.0\\.0\\.1:9090|a\\-b", "'10.0.0.1:9090' 'a-b' ");
    expect_literals("\xc3\xa9|/api/v1", "'/api/v1' '\xc3\xa9' ");
    expect_literals("((((a))))", "'a' ");
    expect_literals("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)(l)(m)(n)(o)(p)(q)(r)",
                    "'abcdefghijklmnopqr' ");
    expect_literals("a_b c-d", "'a_b c-d' ");
}

TEST(other_patterns_have_no_literals)
{
    static const char *const patterns[] = {
        "a.b", "a*",       "a+|b",     "a?",  "[ab]", "a{2}",    "^a",
        "a$",  "(?i)a",    "(?P<n>a)", "\\d", "\\a",  "\\Qa\\E", "\\n",
        "a|.", "(?i:a|b)", "(a|b)+",   "a\\", "(a",   "a)",      "\\\xc3\xa9",
    };
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        expect_literals(patterns[i], NULL);
    expect_literals("\xff", NULL);
}

TEST(a_huge_alternation_is_left_to_the_matcher)
{
    struct buffer pattern;
    struct arena arena;
    struct str *literals;
    size_t count;
    buffer_init(&pattern, 1 << 20);
    arena_init(&arena, 1 << 20);
    for (int i = 0; i < 1024; i++)
        buffer_append_format(&pattern, "%s%d", i == 0 ? "" : "|", i);
    assert_true(regex_literals(buffer_str(&pattern), &arena, &literals, &count));
    assert_int_equal(count, 1024);
    buffer_append_str(&pattern, STR("|one_more"));
    assert_false(regex_literals(buffer_str(&pattern), &arena, &literals, &count));
    buffer_reset(&pattern);
    for (int i = 0; i < 30; i++)
        buffer_append_str(&pattern, STR("(a|b)"));
    assert_false(regex_literals(buffer_str(&pattern), &arena, &literals, &count));
    buffer_reset(&pattern);
    for (int i = 0; i < 10000; i++)
        buffer_append_str(&pattern, STR("()"));
    assert_false(regex_literals(buffer_str(&pattern), &arena, &literals, &count));
    buffer_reset(&pattern);
    for (int i = 0; i < 100000; i++)
        buffer_append_str(&pattern, STR("("));
    assert_false(regex_literals(buffer_str(&pattern), &arena, &literals, &count));
    assert_true(arena.used_bytes < 1 << 20);
    arena_deinit(&arena);
    buffer_deinit(&pattern);
}

TEST_MAIN(RUN(a_pattern_is_anchored_at_both_ends), RUN(a_dot_matches_a_newline_and_a_character),
          RUN(the_syntax_of_prometheus_is_known),
          RUN(broken_and_oversized_patterns_are_refused_with_a_reason), RUN(matching_is_linear),
          RUN(reasons_are_in_the_words_of_go), RUN(a_group_may_be_named_in_two_ways),
          RUN(references_are_expanded_as_go_does), RUN(nothing_is_expanded_without_a_match),
          RUN(alternations_of_literals_are_listed_sorted_and_once),
          RUN(other_patterns_have_no_literals), RUN(a_huge_alternation_is_left_to_the_matcher))
