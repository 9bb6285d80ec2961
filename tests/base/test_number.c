#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/codec.h"
#include "base/number.h"
#include "base/random.h"
#include "tests/support/test.h"

static struct buffer text;

static struct str shown(double value)
{
    buffer_deinit(&text);
    buffer_init(&text, 64);
    append_f64(&text, value);
    return buffer_str(&text);
}

TEST(floats_are_written_as_go_writes_them)
{
    static const struct {
        double value;
        const char *want;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-1, "-1"},
        {10, "10"},
        {100, "100"},
        {0.1, "0.1"},
        {-0.5, "-0.5"},
        {1.5, "1.5"},
        {123.456, "123.456"},
        {1.005, "1.005"},
        {0.3, "0.3"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {2.0 / 3, "0.6666666666666666"},
        {100.0 / 3, "33.333333333333336"},
        {1700000000.123, "1700000000.123"},
        {99999999999999.9, "99999999999999.9"},
        {999999999999999.9, "999999999999999.9"},
        {0.9999999999999999, "0.9999999999999999"},
        {9007199254740991.0, "9007199254740991"},
        {9007199254740992.0, "9007199254740992"},
        {9007199254740994.0, "9007199254740994"},
        {12345678901234567890.0, "12345678901234567000"},
        {18446744073709551616.0, "18446744073709552000"},
        {1e15, "1000000000000000"},
        {1e16, "10000000000000000"},
        {1e20, "100000000000000000000"},
        {999999999999999900000.0, "999999999999999900000"},
        {1e21, "1e+21"},
        {-1.5e21, "-1.5e+21"},
        {1e22, "1e+22"},
        {1e100, "1e+100"},
        {1e-6, "0.000001"},
        {0.0000012345, "0.0000012345"},
        {0.0000123456789012345678, "0.000012345678901234568"},
        {0.001, "0.001"},
        {9.99e-7, "9.99e-07"},
        {1e-7, "1e-07"},
        {1.2345e-10, "1.2345e-10"},
        {1e-100, "1e-100"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {5e-324, "5e-324"},
        {INFINITY, "+Inf"},
        {-INFINITY, "-Inf"},
        {NAN, "NaN"},
        {-NAN, "NaN"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_str(shown(cases[i].value), cases[i].want);
}

/* `whole` digits, a point, and `decimals` digits, the last of which is not a zero. */
static void expect_decimal(int whole, int decimals)
{
    char want[40];
    double value;
    memset(want, '0', sizeof want);
    if (whole > 0)
        want[0] = '7';
    int point = whole > 0 ? whole : 1;
    want[point] = '.';
    want[point + decimals] = '3';
    want[point + decimals + 1] = '\0';
    assert_true(parse_f64(str_from(want), &value));
    expect_str(shown(value), want);
}

TEST(decimals_end_with_their_last_digit_that_is_not_zero)
{
    for (int whole = 0; whole < 15; whole++) {
        for (int decimals = 1; decimals <= 15 - whole && (whole > 0 || decimals <= 6); decimals++)
            expect_decimal(whole, decimals);
    }
}

/* The fewest digits that printf needs for a number that reads back. */
static int digits_needed(double value)
{
    char print[64];
    int digits = 1;
    for (; digits < 17; digits++) {
        snprintf(print, sizeof print, "%.*e", digits - 1, value);
        if (strtod(print, NULL) == value)
            break;
    }
    return digits;
}

static int digits_shown(struct str number)
{
    int count = 0, zeros = 0;
    for (size_t i = 0; i < number.len && number.ptr[i] != 'e'; i++) {
        bool is_digit = number.ptr[i] >= '0' && number.ptr[i] <= '9';
        bool is_leading = count == 0 && number.ptr[i] == '0';
        if (!is_digit || is_leading)
            continue;
        count++;
        zeros = number.ptr[i] == '0' ? zeros + 1 : 0;
    }
    return count - zeros;
}

static void expect_shortest(double value)
{
    double back;
    struct str number = shown(value);
    assert_true(parse_f64(number, &back));
    if (f64_bits(back) != f64_bits(value) || digits_shown(number) != digits_needed(value))
        fail_msg("%.17g became %.*s", value, STR_ARG(number));
}

TEST(every_float_reads_back_and_none_is_shorter)
{
    struct random random;
    random_init_seeded(&random, test_seed(1));
    for (int round = 0; round < 20000; round++) {
        double value = f64_from_bits(random_u64(&random));
        if (isfinite(value))
            expect_shortest(value);
    }
    for (int round = 0; round < 20000; round++) {
        /* as metrics are: up to 17 digits around the point */
        double whole = 1 + (double)random_below(&random, UINT64_C(1) << random_below(&random, 54));
        double value = whole / pow(10, (double)random_below(&random, 20));
        expect_shortest(value);
        expect_shortest(nextafter(value, INFINITY));
        expect_shortest(-value * random_unit(&random));
    }
    for (int power = -324; power <= 308; power++) {
        char print[16];
        snprintf(print, sizeof print, "1e%d", power);
        double value = strtod(print, NULL);
        if (value == 0)
            continue;
        expect_shortest(value);
        expect_shortest(nextafter(value, 0));
        expect_shortest(nextafter(value, INFINITY));
    }
}

static struct str shown_plain(double value)
{
    buffer_deinit(&text);
    buffer_init(&text, 327);
    append_f64_plain(&text, value);
    assert_false(text.is_overflown);
    return buffer_str(&text);
}

static void expect_plain(double value)
{
    double back;
    struct str number = shown_plain(value);
    assert_int_equal(str_find(number, 'e', 0), number.len);
    assert_true(parse_f64(number, &back));
    if (f64_bits(back) != f64_bits(value) || digits_shown(number) > digits_needed(value))
        fail_msg("%.17g became %.*s", value, STR_ARG(number));
}

TEST(floats_are_written_without_exponents_where_that_is_asked_for)
{
    expect_str(shown_plain(-0.0), "-0");
    expect_str(shown_plain(INFINITY), "+Inf");
    expect_str(shown_plain(NAN), "NaN");
    expect_str(shown_plain(-1.5), "-1.5");
    expect_str(shown_plain(-1e-7), "-0.0000001");
    expect_str(shown_plain(1.2345e-10), "0.00000000012345");
    expect_str(shown_plain(1e21), "1000000000000000000000");
    expect_str(shown_plain(-1.2345e22), "-12345000000000000000000");
    expect_plain(1.7976931348623157e308);
    expect_plain(-2.2250738585072009e-308);
    expect_plain(5e-324);
    struct random random;
    random_init_seeded(&random, test_seed(1));
    for (int round = 0; round < 5000; round++) {
        double value = f64_from_bits(random_u64(&random));
        if (isfinite(value))
            expect_plain(value);
    }
    buffer_deinit(&text);
}

static void expect_f64(const char *from, double want)
{
    double got;
    if (!parse_f64(str_from(from), &got))
        fail_msg("\"%s\" was refused", from);
    if (f64_bits(got) != f64_bits(want))
        fail_msg("\"%s\" became %.17g, want %.17g", from, got, want);
}

TEST(floats_are_read_as_go_reads_them)
{
    expect_f64("0", 0);
    expect_f64("-0", -0.0);
    expect_f64("+1", 1);
    expect_f64("1.", 1);
    expect_f64(".5", 0.5);
    expect_f64("-.5e1", -5);
    expect_f64("1e+3", 1000);
    expect_f64("1E-3", 0.001);
    expect_f64("007", 7);
    expect_f64("0.1", 0.1);
    expect_f64("179769313486231570814527423731704356798070e267", 1.7976931348623157e308);
    expect_f64("2.4703282292062328e-324", 5e-324);
    expect_f64("9007199254740993", 9007199254740992.0);
    expect_f64("9007199254740993.00000000000000000000000000000000001", 9007199254740994.0);
    expect_f64("0x10p0", 16);
    expect_f64("0X1.8p1", 3);
    expect_f64("-0x.8P-1", -0.25);
    expect_f64("Inf", INFINITY);
    expect_f64("+inf", INFINITY);
    expect_f64("-INFINITY", -INFINITY);
    expect_f64("nan", f64_from_bits(0x7ff8000000000001u));
    expect_f64("NaN", f64_from_bits(0x7ff8000000000001u));
}

TEST(floats_out_of_range_become_infinite_or_zero)
{
    char digits[700];
    expect_f64("1e309", INFINITY);
    expect_f64("-1e309", -INFINITY);
    expect_f64("1.7976931348623159e308", INFINITY);
    expect_f64("1e99999999999999999999", INFINITY);
    expect_f64("0.001e400", INFINITY);
    expect_f64("0x1p1024", INFINITY);
    expect_f64("1e-400", 0);
    expect_f64("-1e-400", -0.0);
    expect_f64("2e-324", 0);
    expect_f64("100e-400", 0);
    expect_f64("1e-99999999999999999999", 0);
    expect_f64("0e99999999999999999999", 0);
    expect_f64("0x1p-2000", 0);
    expect_f64("0x0p5000", 0);
    memset(digits, '1', sizeof digits);
    digits[sizeof digits - 1] = '\0';
    expect_f64(digits, INFINITY);
    memset(digits, '0', sizeof digits - 2);
    digits[1] = '.';
    expect_f64(digits, 0);
    memcpy(digits + sizeof digits - 6, "1e100", 6);
    expect_f64(digits, 0);
}

TEST(what_is_no_float_is_refused)
{
    static const char *const broken[] = {
        "",     ".",   "-",     "+",     "--1",  "+-1",   "e5",   "1e",    "1e+",   "1.2.3", " 1",
        "1 ",   "1_0", "0x",    "0x10",  "0xp1", "0x1p",  "1p3",  "infin", "in",    "+nan",  "-nan",
        "nanx", "1,5", "0x1e5", "0b101", "1f",   "1e5.0", "\x00", "½",     "0x.p1", ".e1",
    };
    double value;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        if (parse_f64(str_from(broken[i]), &value))
            fail_msg("\"%s\" was taken", broken[i]);
    }
    assert_false(parse_f64((struct str){"1\0", 2}, &value));
}

TEST(digits_may_be_grouped_where_that_is_asked_for)
{
    double value;
    assert_true(parse_f64_grouped(STR("-1_000.2_5e1_0"), &value) && value == -1000.25e10);
    assert_true(parse_f64_grouped(STR("0xf_fp0"), &value) && value == 255);
    assert_true(parse_f64_grouped(STR("+Inf"), &value) && value == INFINITY);
    static const char *const broken[] = {"", "_1", "1_", "1__0", "1_.0", "1._0", "1_e1", "I_nf"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        assert_false(parse_f64_grouped(str_from(broken[i]), &value));
}

TEST(a_digit_has_a_value_up_to_fifteen)
{
    for (int c = -200; c < 256; c++) {
        const char *digits = "0123456789abcdef";
        const char *lower = c > 0 && c < 128 ? strchr(digits, c) : NULL;
        const char *upper = c >= 'A' && c <= 'F' ? strchr(digits, c + 'a' - 'A') : NULL;
        const char *found = lower != NULL ? lower : upper;
        assert_int_equal(digit_value(c), found == NULL ? 16 : found - digits);
    }
}

TEST(integers_are_read_up_to_their_limits)
{
    int64_t i64;
    uint64_t u64;
    assert_true(parse_i64(STR("-9223372036854775808"), &i64) && i64 == INT64_MIN);
    assert_true(parse_i64(STR("+9223372036854775807"), &i64) && i64 == INT64_MAX);
    assert_true(parse_i64(STR("-0"), &i64) && i64 == 0);
    assert_false(parse_i64(STR("9223372036854775808"), &i64));
    assert_false(parse_i64(STR("-9223372036854775809"), &i64));
    assert_true(parse_u64(STR("18446744073709551615"), &u64) && u64 == UINT64_MAX);
    assert_true(parse_u64(STR("00012"), &u64) && u64 == 12);
    assert_false(parse_u64(STR("18446744073709551616"), &u64));
    assert_false(parse_u64(STR("99999999999999999999"), &u64));
    static const char *const broken[] = {"",    "-",   "+",   "+-1", "-+1",
                                         "1.0", "1e3", "0x1", " 1",  "1 "};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        assert_false(parse_i64(str_from(broken[i]), &i64));
        assert_false(parse_u64(str_from(broken[i]), &u64));
    }
    assert_false(parse_u64(STR("-1"), &u64));
}

static void expect_seconds(int64_t ts_ms, const char *want)
{
    buffer_deinit(&text);
    buffer_init(&text, 64);
    append_seconds(&text, ts_ms);
    expect_str(buffer_str(&text), want);
}

TEST(timestamps_are_seconds_with_three_decimals_or_none)
{
    expect_seconds(0, "0");
    expect_seconds(1700000000000, "1700000000");
    expect_seconds(1700000000050, "1700000000.050");
    expect_seconds(1, "0.001");
    expect_seconds(-1, "-0.001");
    expect_seconds(-1500, "-1.500");
    expect_seconds(-2000, "-2");
    expect_seconds(INT64_MAX, "9223372036854775.807");
    expect_seconds(INT64_MIN, "-9223372036854775.808");
    buffer_deinit(&text);
}

TEST_MAIN(RUN(digits_may_be_grouped_where_that_is_asked_for),
          RUN(floats_are_written_as_go_writes_them),
          RUN(decimals_end_with_their_last_digit_that_is_not_zero),
          RUN(every_float_reads_back_and_none_is_shorter),
          RUN(floats_are_written_without_exponents_where_that_is_asked_for),
          RUN(floats_are_read_as_go_reads_them), RUN(floats_out_of_range_become_infinite_or_zero),
          RUN(what_is_no_float_is_refused), RUN(a_digit_has_a_value_up_to_fifteen),
          RUN(integers_are_read_up_to_their_limits),
          RUN(timestamps_are_seconds_with_three_decimals_or_none))
