#include "tests/support/test.h"

#include "query/syntax/lexer.h"

/* Describes every token up to the end or the error, "reason" in place of an error token. */
static void describe_all(struct str text, struct buffer *out)
{
    struct error err;
    struct lexer lexer;
    struct token token = {.kind = TOKEN_COMMA};
    lexer_init(&lexer, text, &err);
    while (token.kind != TOKEN_END && token.kind != TOKEN_ERROR) {
        token = lexer_next(&lexer);
        if (out->len > 0)
            buffer_append_byte(out, ' ');
        if (token.kind == TOKEN_ERROR)
            buffer_append_format(out, "%u:%s", token.position.start, err.text);
        else if (token.kind != TOKEN_END)
            token_describe(out, token.kind, token_text(&lexer, token));
        else
            buffer_append_str(out, STR("end"));
    }
}

static void expect_tokens(struct str text, const char *want)
{
    struct buffer got;
    buffer_init(&got, 64 * 1024);
    describe_all(text, &got);
    expect_str(buffer_str(&got), want);
    buffer_deinit(&got);
}

TEST(numbers_are_decimal_hexadecimal_or_float)
{
    expect_tokens(STR("0 1.5 .5 1. 0x1F 1e3 1E-3 017"),
                  "number \"0\" number \"1.5\" number \".5\" number \"1.\" number \"0x1F\" "
                  "number \"1e3\" number \"1E-3\" number \"017\" end");
    expect_tokens(STR("Inf NAN inF"), "number \"Inf\" number \"NAN\" number \"inF\" end");
    expect_tokens(STR("1_000 0x_ff 0xfe"), "number \"1_000\" number \"0x_ff\" number \"0xfe\" end");
}

TEST(broken_numbers_are_refused_as_far_as_they_were_read)
{
    expect_tokens(STR("1a"), "0:bad number or duration syntax: \"1\"");
    expect_tokens(STR("1__0"), "0:bad number or duration syntax: \"1__\"");
    expect_tokens(STR("1_"), "0:bad number or duration syntax: \"1_\"");
    expect_tokens(STR("1e"), "0:bad number or duration syntax: \"1e\"");
    expect_tokens(STR("1e5e5"), "0:bad number or duration syntax: \"1e5e\"");
    expect_tokens(STR("1.2.3"), "0:bad number or duration syntax: \"1.2.\"");
    expect_tokens(STR("0xg"), "0:bad number or duration syntax: \"0x\"");
}

TEST(durations_are_numbers_with_units)
{
    expect_tokens(STR("5m 1h30m 1m0s 10ms 1y2w3d4h5m6s7ms"),
                  "duration \"5m\" duration \"1h30m\" duration \"1m0s\" duration \"10ms\" "
                  "duration \"1y2w3d4h5m\"... end");
    expect_tokens(STR("5mx"), "0:bad number or duration syntax: \"5mx\"");
    expect_tokens(STR("5m1"), "0:bad number or duration syntax: \"5m1\"");
}

TEST(strings_have_three_quotes_and_the_escapes_of_go)
{
    expect_tokens(STR("\"a\" 'b' `c`"), "string \"\\\"a\\\"\" string \"'b'\" string \"`c`\" end");
    expect_tokens(STR("'\\a\\b\\f\\n\\r\\t\\v\\\\\\''"),
                  "string \"'\\\\a\\\\b\\\\f\\\\n\\\\\"... end");
    expect_tokens(STR("\"\\x41\\101\""), "string \"\\\"\\\\x41\\\\101\\\"\" end");
    expect_tokens(STR("`\\\n`"), "string \"`\\\\\\n`\" end");
    expect_tokens(STR("\"\\U0010ffff\""), "string \"\\\"\\\\U0010fff\"... end");
}

TEST(broken_strings_are_refused)
{
    expect_tokens(STR("\"a\n\""), "0:unterminated quoted string");
    expect_tokens(STR("`a"), "0:unterminated raw string");
    expect_tokens(STR("\"\\"), "0:escape sequence not terminated");
    expect_tokens(STR("\"\\x4"), "0:escape sequence not terminated");
    expect_tokens(STR("\"\\'\""), "0:unknown escape sequence U+0027 '''");
    expect_tokens(STR("\"\\08\""), "0:illegal character U+0038 '8' in escape sequence");
    expect_tokens(STR("\"\\777\""), "0:escape sequence is an invalid Unicode code point");
    expect_tokens(STR("\"\\udfff\""), "0:escape sequence is an invalid Unicode code point");
    expect_tokens(STR("\"\\U00110000\""), "0:escape sequence is an invalid Unicode code point");
    expect_tokens(STR("'\x80'"), "0:invalid UTF-8 rune");
    expect_tokens(STR("'\xe4\xb8'"), "0:invalid UTF-8 rune");
}

TEST(words_are_keywords_in_any_case_but_not_inside_braces)
{
    expect_tokens(STR("Sum bY ON Group_Left atan2 OFFSET"),
                  "<aggr:Sum> <bY> <ON> <Group_Left> <op:atan2> <OFFSET> end");
    expect_tokens(STR("start End"), "\"start\" \"End\" end");
    expect_tokens(STR("summ _x a:b :c"),
                  "identifier \"summ\" identifier \"_x\" metric identifier \"a:b\" "
                  "metric identifier \":c\" end");
    expect_tokens(STR("{sum by}"), "\"{\" identifier \"sum\" identifier \"by\" \"}\" end");
}

TEST(signs_are_read_as_the_longest_operator)
{
    expect_tokens(STR("+-*/%^@ == != <= < >= > ="),
                  "<op:+> <op:-> <op:*> <op:/> <op:%> <op:^> <op:@> <op:==> <op:!=> <op:<=> <op:<> "
                  "<op:>=> <op:>> \"=\" end");
    expect_tokens(STR("{= != =~ !~ ,}"), "\"{\" \"=\" <op:!=> <op:=~> <op:!~> \",\" \"}\" end");
}

TEST(comments_and_blanks_are_skipped)
{
    expect_tokens(STR("a # b\n\tc\r\n#"), "identifier \"a\" identifier \"c\" end");
    expect_tokens(STR("{# }\na}"), "\"{\" identifier \"a\" \"}\" end");
}

TEST(brackets_hold_a_range_and_one_colon)
{
    expect_tokens(STR("[ 5m:1m ]"), "\"[\" duration \"5m\" \":\" duration \"1m\" \"]\" end");
    expect_tokens(STR("[5m::"), "\"[\" duration \"5m\" \":\" 4:unexpected colon ':'");
    expect_tokens(STR("[a"), "\"[\" 1:unexpected character in duration expression: 'a'");
    expect_tokens(STR("[ step( )/2 MIN_OF"),
                  "\"[\" identifier \"step\" \"(\" \")\" <op:/> number \"2\" identifier \"MIN_OF\" "
                  "18:unclosed left bracket");
    expect_tokens(STR("[5m"), "\"[\" duration \"5m\" 3:unclosed left bracket");
    expect_tokens(STR("[5m["), "\"[\" duration \"5m\" 3:unexpected left bracket '['");
}

TEST(a_long_value_is_cut_behind_ten_characters)
{
    expect_tokens(STR("`世界世界世界世界世界世界`"), "string \"`世界世界世界世界世\"... end");
}

TEST_MAIN(RUN(numbers_are_decimal_hexadecimal_or_float),
          RUN(broken_numbers_are_refused_as_far_as_they_were_read),
          RUN(durations_are_numbers_with_units),
          RUN(strings_have_three_quotes_and_the_escapes_of_go), RUN(broken_strings_are_refused),
          RUN(words_are_keywords_in_any_case_but_not_inside_braces),
          RUN(signs_are_read_as_the_longest_operator), RUN(comments_and_blanks_are_skipped),
          RUN(brackets_hold_a_range_and_one_colon), RUN(a_long_value_is_cut_behind_ten_characters))
