#include "server/memory_share.h"
#include "tests/support/test.h"

#define ALL_BYTES (UINT64_C(8) << 30)

static void expect_share(const char *text, uint64_t want)
{
    struct error err = {""};
    size_t got = 0;
    expect_ok(memory_share_parse(str_from(text), "query_memory", ALL_BYTES, &got, &err));
    assert_int_equal(got, want);
}

static void expect_refused(const char *text)
{
    struct error err = {""};
    size_t got = 7;
    expect_status(memory_share_parse(str_from(text), "query_memory", ALL_BYTES, &got, &err),
                  STATUS_INVALID);
    assert_int_equal(got, 7);
    assert_non_null(strstr(err.text, "query_memory: got \""));
}

TEST(a_share_is_a_percentage_or_a_size)
{
    expect_share("1%", ALL_BYTES / 100);
    expect_share("25%", ALL_BYTES / 100 * 25);
    expect_share("100%", ALL_BYTES / 100 * 100);
    expect_share("1048576", 1 << 20);
    expect_share("1024KiB", 1 << 20);
    expect_share("1MiB", 1 << 20);
    expect_share("3GiB", UINT64_C(3) << 30);
    expect_share("1024TiB", UINT64_C(1) << 50);
}

TEST(anything_else_is_refused)
{
    static const char *const texts[] = {"",
                                        "%",
                                        "0%",
                                        "101%",
                                        "-1%",
                                        "1.5%",
                                        "MiB",
                                        "0",
                                        "0GiB",
                                        "1",
                                        "1048575",
                                        "1023KiB",
                                        "1GB",
                                        "1 GiB",
                                        "1gib",
                                        "-1GiB",
                                        "1GiB%",
                                        "1025TiB",
                                        "18446744073709551616",
                                        "1.5GiB"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_refused(texts[i]);
}

TEST_MAIN(RUN(a_share_is_a_percentage_or_a_size), RUN(anything_else_is_refused))
