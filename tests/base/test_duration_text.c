#include "base/duration_text.h"
#include "tests/support/test.h"

static void expect_text(int64_t duration_ms, const char *want)
{
    struct buffer text;
    buffer_init(&text, 64);
    append_duration_ms(&text, duration_ms);
    expect_str(buffer_str(&text), want);
    buffer_deinit(&text);
}

static void expect_duration(const char *from, int64_t want_ms, const char *want_text)
{
    struct error err;
    int64_t got_ms;
    expect_ok(parse_duration_ms(str_from(from), &got_ms, &err));
    assert_int_equal(got_ms, want_ms);
    expect_text(got_ms, want_text);
}

TEST(durations_are_read_and_written_as_prometheus_does)
{
    expect_duration("0", 0, "0s");
    expect_duration("0w", 0, "0s");
    expect_duration("0s", 0, "0s");
    expect_duration("324ms", 324, "324ms");
    expect_duration("3s", 3000, "3s");
    expect_duration("5m", 300000, "5m");
    expect_duration("60m", 3600000, "1h");
    expect_duration("1m0s", 60000, "1m");
    expect_duration("1h30m", 5400000, "1h30m");
    expect_duration("4d1h", 349200000, "4d1h");
    expect_duration("14d", 1209600000, "2w");
    expect_duration("3w2d1h", 1990800000, "23d1h");
    expect_duration("10y", 315360000000, "10y");
    expect_duration("1y2w3d4h5m6s7ms", 33019506007, "382d4h5m6s7ms");
    expect_duration("9223372036854775807ms", INT64_MAX, "106751991167d7h12m55s807ms");
}

TEST(negative_durations_are_written_with_a_sign)
{
    expect_text(-90000, "-1m30s");
    expect_text(INT64_MIN, "-106751991167d7h12m55s808ms");
}

TEST(what_is_no_duration_is_refused)
{
    static const char *const broken[] = {
        "",
        "1",
        "00",
        "-1h",
        "+1h",
        "1.5d",
        "d",
        "1x",
        "1m1h",
        "1h1h",
        "1ms1s",
        "1 d",
        " 1d",
        "1d ",
        "1H",
        "1mss",
        "0x1s",
        "1d2",
        "9223372036854775808ms",
        "292471209y",
        "292471208y52w",
        "99999999999999999999s",
    };
    struct error err;
    int64_t value;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        if (parse_duration_ms(str_from(broken[i]), &value, &err) != STATUS_INVALID)
            fail_msg("\"%s\" was taken", broken[i]);
    }
}

TEST_MAIN(RUN(durations_are_read_and_written_as_prometheus_does),
          RUN(negative_durations_are_written_with_a_sign), RUN(what_is_no_duration_is_refused))
