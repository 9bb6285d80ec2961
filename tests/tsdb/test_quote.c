#include "tests/support/test.h"

#include "tsdb/model/quote.h"

static void expect_quoted(struct str text, const char *want)
{
    struct buffer out;
    buffer_init(&out, 1024);
    append_quoted(&out, text);
    expect_str(buffer_str(&out), want);
    buffer_deinit(&out);
}

TEST(text_that_prints_stands_as_it_is)
{
    expect_quoted(STR(""), "\"\"");
    expect_quoted(STR("it's up"), "\"it's up\"");
    expect_quoted(STR("käse 世界 😀"), "\"käse 世界 😀\"");
}

TEST(quotes_backslashes_and_controls_are_escaped)
{
    expect_quoted(STR("a\"b\\c"), "\"a\\\"b\\\\c\"");
    expect_quoted(STR("\a\b\f\n\r\t\v"), "\"\\a\\b\\f\\n\\r\\t\\v\"");
    expect_quoted(STR("\0\x1f\x7f"), "\"\\x00\\x1f\\x7f\"");
}

TEST(what_does_not_print_is_escaped_by_its_code_point)
{
    expect_quoted(STR("\u00a0\u2028\ufeff"), "\"\\u00a0\\u2028\\ufeff\"");
    expect_quoted(STR("\U000f0000"), "\"\\U000f0000\"");
}

TEST(bytes_that_are_no_utf8_are_escaped_one_by_one)
{
    expect_quoted(STR("a\xff\xc3"), "\"a\\xff\\xc3\"");
    expect_quoted(STR("\xe4\xb8z"), "\"\\xe4\\xb8z\"");
}

TEST(one_character_is_shown_in_single_quotes_or_by_its_name)
{
    const struct {
        struct str text;
        const char *quoted;
        const char *name;
    } cases[] = {
        {STR("q="), "'q'", "U+0071 'q'"},         {STR("'"), "'\\''", "U+0027 '''"},
        {STR("\""), "'\"'", "U+0022 '\"'"},       {STR("\n"), "'\\n'", "U+000A"},
        {STR("世界"), "'世'", "U+4E16 '世'"},     {STR("\xff"), "'\ufffd'", "U+FFFD '\ufffd'"},
        {STR(""), "'\ufffd'", "U+FFFD '\ufffd'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer out;
        buffer_init(&out, 1024);
        append_quoted_rune(&out, cases[i].text);
        expect_str(buffer_str(&out), cases[i].quoted);
        buffer_reset(&out);
        append_rune_name(&out, cases[i].text);
        expect_str(buffer_str(&out), cases[i].name);
        buffer_deinit(&out);
    }
}

TEST(plain_names_follow_the_data_model)
{
    assert_true(label_name_is_plain(STR("a_1")));
    assert_false(label_name_is_plain(STR("1a")));
    assert_false(label_name_is_plain(STR("a:b")));
    assert_false(label_name_is_plain(STR("")));
    assert_false(label_name_is_plain(STR("a.b")));
    assert_true(metric_name_is_plain(STR(":a:b")));
    assert_false(metric_name_is_plain(STR("a-b")));
}

TEST_MAIN(RUN(text_that_prints_stands_as_it_is), RUN(quotes_backslashes_and_controls_are_escaped),
          RUN(what_does_not_print_is_escaped_by_its_code_point),
          RUN(bytes_that_are_no_utf8_are_escaped_one_by_one),
          RUN(one_character_is_shown_in_single_quotes_or_by_its_name),
          RUN(plain_names_follow_the_data_model))
