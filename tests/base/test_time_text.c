#include "base/time_text.h"

#include "tests/support/test.h"

static void expect_time(int64_t ts_ms, const char *want)
{
    struct buffer text;
    buffer_init(&text, 100);
    append_time(&text, ts_ms);
    expect_str(buffer_str(&text), want);
    buffer_deinit(&text);
}

TEST(shows_times_of_four_digit_years_as_dates_and_others_as_numbers)
{
    expect_time(0, "1970-01-01T00:00:00.000Z");
    expect_time(1700000000007, "2023-11-14T22:13:20.007Z");
    expect_time(-1, "1969-12-31T23:59:59.999Z");
    expect_time(-1000, "1969-12-31T23:59:59.000Z");
    expect_time(INT64_C(253402300799999), "9999-12-31T23:59:59.999Z");
    expect_time(INT64_C(253402300800000), "253402300800000ms");
    expect_time(INT64_MAX, "9223372036854775807ms");
    expect_time(INT64_MIN, "-9223372036854775808ms");
}

TEST_MAIN(RUN(shows_times_of_four_digit_years_as_dates_and_others_as_numbers))
