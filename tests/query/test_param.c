/* The values of request parameters, as the Prometheus API takes them. */
#include "tests/support/test.h"

#include <stdio.h>

#include "base/mem.h"
#include "query/api/param.h"

static void expect_time(const char *text, int64_t want_ms)
{
    struct error err;
    int64_t got_ms = -1;
    enum status status = param_time_ms(str_from(text), &got_ms, &err);
    if (status != STATUS_OK || got_ms != want_ms)
        fail_msg("%s: got %lld (%s), want %lld", text, (long long)got_ms,
                 status == STATUS_OK ? "ok" : err.text, (long long)want_ms);
}

static void expect_no_time(const char *text)
{
    struct error err;
    char want[ERROR_TEXT_MAX];
    int64_t got_ms = 0;
    if (param_time_ms(str_from(text), &got_ms, &err) != STATUS_INVALID)
        fail_msg("%s: got %lld, want an error", text, (long long)got_ms);
    snprintf(want, sizeof want, "cannot parse \"%.200s\" to a valid timestamp", text);
    assert_string_equal(err.text, want);
}

TEST(a_time_is_seconds_rounded_to_the_nearest_millisecond)
{
    expect_time("0", 0);
    expect_time("-0", 0);
    expect_time("1700000000", 1700000000000);
    expect_time("+1700000000", 1700000000000);
    expect_time("1700000000.123", 1700000000123);
    expect_time("1700000000.1234", 1700000000123);
    expect_time("1700000000.9996", 1700000001000);
    expect_time(".5", 500);
    expect_time("5.", 5000);
    expect_time("-1.5", -1500);
    expect_time("-0.0004", 0);
    expect_time("1e9", 1000000000000);
    expect_time("1.7E+9", 1700000000000);
    expect_time("15e-1", 1500);
    expect_time("0x10p0", 16000);
    expect_time("1_000.5", 1000500);
}

TEST(a_time_beyond_all_times_is_the_end_of_time)
{
    expect_time("1e300", TIME_MAX_MS);
    expect_time("-1e300", TIME_MIN_MS);
    expect_time("1e999", TIME_MAX_MS);
    expect_time("Inf", TIME_MAX_MS);
    expect_time("+inf", TIME_MAX_MS);
    expect_time("-Inf", TIME_MIN_MS);
    expect_time("9223372036854775807", TIME_MAX_MS);
    expect_time("-9223372036854775808", TIME_MIN_MS);
}

TEST(the_ends_of_time_have_a_text)
{
    expect_time("-292273086-05-16T16:47:06Z", TIME_MIN_MS);
    expect_time("292277025-08-18T07:12:54.999999999Z", TIME_MAX_MS);
    expect_no_time("-292273086-05-16T16:47:07Z");
    expect_no_time("292277025-08-18T07:12:54Z");
}

TEST(a_time_may_be_rfc_3339)
{
    expect_time("1970-01-01T00:00:00Z", 0);
    expect_time("2015-07-01T20:10:51Z", 1435781451000);
    expect_time("2015-07-01t20:10:51Z", 1435781451000);
    expect_time("2015-07-01T20:10:51.781Z", 1435781451781);
    expect_time("2015-07-01T20:10:51.7Z", 1435781451700);
    expect_time("2015-07-01T20:10:51,7Z", 1435781451700);
    expect_time("2015-07-01T2:10:51Z", 1435716651000);
    expect_time("1969-12-31T23:59:59.999Z", -1);
    expect_time("0000-01-01T00:00:00Z", -62167219200000);
    expect_time("9999-12-31T23:59:59.999Z", 253402300799999);
    expect_time("2000-02-29T00:00:00Z", 951782400000);
    expect_time("2024-02-29T12:00:00Z", 1709208000000);
    expect_time("2024-12-31T23:59:59Z", 1735689599000);
}

TEST(a_zone_is_taken_off)
{
    expect_time("2015-07-01T22:10:51+02:00", 1435781451000);
    expect_time("2015-07-01T14:40:51-05:30", 1435781451000);
    expect_time("1970-01-01T00:00:00+00:00", 0);
    expect_time("1970-01-01T00:00:00-00:00", 0);
    expect_time("1970-01-01T23:59:00.5+23:59", 500);
}

TEST(a_fraction_finer_than_a_millisecond_is_cut_as_prometheus_does)
{
    expect_time("2015-07-01T20:10:51.7819999Z", 1435781451781);
    expect_time("2015-07-01T20:10:51.9999Z", 1435781451999);
    expect_time("2015-07-01T20:10:51.0009+00:00", 1435781451000);
    expect_time("1970-01-01T00:00:00.00000000000000000000000000000000000000009Z", 0);
}

TEST(anything_else_is_no_time)
{
    static const char *const texts[] = {
        "",
        " ",
        "abc",
        "1 ",
        " 1",
        "1__000",
        "_1",
        "1_",
        "1s",
        "5m",
        "NaN",
        "nan",
        "0x",
        "1e",
        "--1",
        "1.2.3",
        "2015-07-01",
        "2015-07-01T20:10:51",
        "2015-07-01 20:10:51Z",
        "2015-07-01T20:10Z",
        "2015-07-01T20:10:51.Z",
        "2015-07-01T20:10:51z",
        "2015-07-01T20:10:51Z ",
        "2015-07-01T20:10:51ZZ",
        "2015-07-01T20:10:51+02",
        "2015-07-01T20:10:51+0200",
        "2015-07-01T20:10:51+02:60",
        "2015-07-01T20:10:51+24:00",
        "2015-07-01T20:10:51 02:00",
        "2015-7-01T20:10:51Z",
        "2015-07-1T20:10:51Z",
        "15-07-01T20:10:51Z",
        "2015/07/01T20:10:51Z",
        "2015-00-01T00:00:00Z",
        "2015-13-01T00:00:00Z",
        "2015-07-00T00:00:00Z",
        "2015-07-32T00:00:00Z",
        "2015-04-31T00:00:00Z",
        "2015-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2015-07-01T24:00:00Z",
        "2015-07-01T20:60:00Z",
        "2015-07-01T20:10:60Z",
        "-2015-07-01T20:10:51Z",
        "+2015-07-01T20:10:51Z",
        "20150-07-01T20:10:51Z",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_no_time(texts[i]);
}

TEST(a_refused_text_is_shown_at_most_two_hundred_bytes_long)
{
    struct error err;
    char text[1000];
    int64_t ts_ms;
    memset(text, 'x', sizeof text);
    expect_status(param_time_ms((struct str){text, sizeof text}, &ts_ms, &err), STATUS_INVALID);
    assert_int_equal(strlen(err.text), strlen("cannot parse \"\" to a valid timestamp") + 200);
    expect_status(param_time_ms((struct str){"1\0", 2}, &ts_ms, &err), STATUS_INVALID);
}

static void expect_duration(const char *text, int64_t want_ms)
{
    struct error err;
    int64_t got_ms = -1;
    enum status status = param_duration_ms(str_from(text), &got_ms, &err);
    if (status != STATUS_OK || got_ms != want_ms)
        fail_msg("%s: got %lld (%s), want %lld", text, (long long)got_ms,
                 status == STATUS_OK ? "ok" : err.text, (long long)want_ms);
}

static void expect_no_duration(const char *text, const char *why)
{
    struct error err;
    char want[ERROR_TEXT_MAX];
    int64_t got_ms = 0;
    if (param_duration_ms(str_from(text), &got_ms, &err) != STATUS_INVALID)
        fail_msg("%s: got %lld, want an error", text, (long long)got_ms);
    snprintf(want, sizeof want, "cannot parse \"%s\" to a valid duration%s", text, why);
    assert_string_equal(err.text, want);
}

TEST(a_duration_is_seconds_or_promql)
{
    expect_duration("0", 0);
    expect_duration("15", 15000);
    expect_duration("1.5", 1500);
    expect_duration("0.015", 15);
    expect_duration("1e3", 1000000);
    expect_duration("-5", -5000);
    expect_duration("0.0009", 0);
    expect_duration("9223372036", 9223372036000);
    expect_duration("5m", 300000);
    expect_duration("1h30m", 5400000);
    expect_duration("1d", 86400000);
    expect_duration("250ms", 250);
    expect_duration("1y2w3d4h5m6s7ms", 33019506007);
    expect_duration("292y", INT64_C(9208512000000));
}

TEST(anything_else_is_no_duration)
{
    static const char *const texts[] = {"",    " ",    "m",    "5 m",  "5m ", "5x",
                                        "-5m", "1.5h", "5m1h", "1m1m", "1_s", "5M"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_no_duration(texts[i], "");
    expect_no_duration("293y", "");
    expect_no_duration("999999999999999999y", "");
}

TEST(seconds_of_more_than_int64_nanoseconds_are_refused)
{
    expect_no_duration("9223372037", ". It overflows int64");
    expect_no_duration("-9223372037", ". It overflows int64");
    expect_no_duration("1e300", ". It overflows int64");
    expect_no_duration("Inf", ". It overflows int64");
    expect_no_duration("-Inf", ". It overflows int64");
    expect_no_duration("NaN", ". It overflows int64");
}

static void expect_limit(const char *text, uint64_t want)
{
    struct error err;
    uint64_t got = UINT64_MAX;
    expect_ok(param_limit(str_from(text), &got, &err));
    assert_int_equal(got, want);
}

static void expect_no_limit(const char *text, const char *want)
{
    struct error err;
    uint64_t limit;
    expect_status(param_limit(str_from(text), &limit, &err), STATUS_INVALID);
    assert_string_equal(err.text, want);
}

TEST(a_limit_is_a_count)
{
    expect_limit("0", 0);
    expect_limit("1", 1);
    expect_limit("+5", 5);
    expect_limit("007", 7);
    expect_limit("-0", 0);
    expect_limit("9223372036854775807", INT64_MAX);
    expect_no_limit("-1", "limit must be non-negative");
    expect_no_limit("", "strconv.Atoi: parsing \"\": invalid syntax");
    expect_no_limit("1.0", "strconv.Atoi: parsing \"1.0\": invalid syntax");
    expect_no_limit("1e3", "strconv.Atoi: parsing \"1e3\": invalid syntax");
    expect_no_limit("ten", "strconv.Atoi: parsing \"ten\": invalid syntax");
    expect_no_limit("9223372036854775808",
                    "strconv.Atoi: parsing \"9223372036854775808\": value out of range");
}

/* With a buffer of exactly the promised size, so that a byte too many is seen by the sanitizer. */
static void expect_name(const char *escaped, const char *want)
{
    struct str name = str_from(escaped);
    char *buffer = mem_alloc(name.len);
    expect_str(param_label_name(name, buffer), want);
    mem_free(buffer);
}

TEST(a_label_name_is_itself_without_the_prefix)
{
    expect_name("job", "job");
    expect_name("", "");
    expect_name("U_", "U_");
    expect_name("u__a", "u__a");
    expect_name("a_2e_b", "a_2e_b");
    expect_name("xU__a", "xU__a");
}

TEST(escapes_of_a_label_name_are_undone)
{
    expect_name("U__job", "job");
    expect_name("U__", "");
    expect_name("U__a__b", "a_b");
    expect_name("U__a_2e_b", "a.b");
    expect_name("U__a_2E_b", "a.b");
    expect_name("U__http_2e_status__code", "http.status_code");
    expect_name("U___e9_", "\xc3\xa9");
    expect_name("U___20ac_", "\xe2\x82\xac");
    expect_name("U___1f600_", "\xf0\x9f\x98\x80");
    expect_name("U___10ffff_", "\xf4\x8f\xbf\xbf");
    expect_name("U___7f__80_", "\x7f\xc2\x80");
    expect_name("U___7ff__800_", "\xdf\xbf\xe0\xa0\x80");
    expect_name("U___ffff__10000_", "\xef\xbf\xbf\xf0\x90\x80\x80");
    expect_name("U____", "_");
    expect_name("U__"
                "____",
                "__");
}

TEST(a_broken_escape_leaves_the_name_as_it_is)
{
    static const char *const names[] = {"U___",         "U__a_",         "U__a_2e",   "U__a_xyz_",
                                        "U__a_2e.b",    "U___d800_",     "U___dfff_", "U___110000_",
                                        "U___0000041_", "U__ok_2e_no_g_"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        expect_name(names[i], names[i]);
}

TEST_MAIN(RUN(a_time_is_seconds_rounded_to_the_nearest_millisecond),
          RUN(a_time_beyond_all_times_is_the_end_of_time), RUN(the_ends_of_time_have_a_text),
          RUN(a_time_may_be_rfc_3339), RUN(a_zone_is_taken_off),
          RUN(a_fraction_finer_than_a_millisecond_is_cut_as_prometheus_does),
          RUN(anything_else_is_no_time),
          RUN(a_refused_text_is_shown_at_most_two_hundred_bytes_long),
          RUN(a_duration_is_seconds_or_promql), RUN(anything_else_is_no_duration),
          RUN(seconds_of_more_than_int64_nanoseconds_are_refused), RUN(a_limit_is_a_count),
          RUN(a_label_name_is_itself_without_the_prefix), RUN(escapes_of_a_label_name_are_undone),
          RUN(a_broken_escape_leaves_the_name_as_it_is))
