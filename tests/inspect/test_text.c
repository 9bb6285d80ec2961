#include "inspect/text.h"

#include "base/codec.h"
#include "tests/support/test.h"

static void expect_both_ways(uint64_t bits, const char *text)
{
    struct buffer got;
    double value;
    buffer_init(&got, 100);
    append_exact_f64(&got, f64_from_bits(bits));
    expect_str(buffer_str(&got), text);
    assert_true(parse_exact_f64(str_from(text), &value));
    assert_int_equal(f64_bits(value), bits);
    buffer_deinit(&got);
}

TEST(shows_and_reads_every_bit_of_a_value)
{
    expect_both_ways(0x3fb999999999999a, "0.1");
    expect_both_ways(0x8000000000000000, "-0");
    expect_both_ways(0x7ff0000000000000, "+Inf");
    expect_both_ways(0xfff0000000000000, "-Inf");
    expect_both_ways(1, "5e-324");
    expect_both_ways(0x7ff8000000000001, "NaN");
    expect_both_ways(0x7ff0000000000002, "NaN(7ff0000000000002)");
    expect_both_ways(0xfff8000000000000, "NaN(fff8000000000000)");
}

TEST(refuses_bits_that_are_no_nan)
{
    double value;
    const char *texts[] = {"NaN()",
                           "NaN(7ff000000000000)",
                           "NaN(7ff00000000000022)",
                           "NaN(7ff000000000000x)",
                           "NaN(3ff0000000000000)",
                           "NaN(7ff0000000000000)",
                           "NaN(7ff0000000000002",
                           "NaN(7FF0000000000002)",
                           ""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(parse_exact_f64(str_from(texts[i]), &value));
}

TEST_MAIN(RUN(shows_and_reads_every_bit_of_a_value), RUN(refuses_bits_that_are_no_nan))
