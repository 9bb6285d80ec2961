#include "tests/support/test.h"

#include "base/random.h"
#include "tsdb/codec/pack.h"

static void expect_round_trip(const uint64_t *values, size_t count, size_t len_max)
{
    uint8_t bytes[PACK_BYTES_MAX];
    uint64_t got[PACK_COUNT_MAX];
    size_t len = (size_t)(pack_encode(bytes, values, count) - bytes);
    assert_in_range(len, 1, len_max);
    struct reader r = reader_of((struct bytes){bytes, len});
    assert_true(pack_decode(&r, got, count));
    assert_int_equal(reader_left(&r), 0);
    if (count > 0)
        assert_memory_equal(got, values, count * sizeof *values);
    for (size_t cut = 0; cut < len; cut++) {
        r = reader_of((struct bytes){bytes, cut});
        assert_false(pack_decode(&r, got, count));
    }
}

TEST(every_width_and_count_comes_back)
{
    struct random random;
    random_init_seeded(&random, test_seed(1));
    static const size_t counts[] = {0, 1, 2, 7, 8, 9, 31, 32, 63, 64, 239, 240};
    for (unsigned width = 0; width <= 64; width++) {
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            uint64_t values[PACK_COUNT_MAX];
            for (size_t i = 0; i < counts[c]; i++)
                values[i] = width == 0 ? 0 : random_u64(&random) >> (64 - width);
            expect_round_trip(values, counts[c], 3 + (counts[c] * width + 7) / 8);
        }
    }
}

TEST(a_few_large_integers_do_not_widen_the_rest)
{
    uint64_t values[100] = {0};
    for (size_t i = 0; i < 100; i++)
        values[i] = i % 8;
    values[3] = UINT64_MAX;
    values[99] = 15000;
    expect_round_trip(values, 100, 3 + 11 + 4 + 38);
}

TEST(integers_of_very_different_sizes_take_what_they_need)
{
    struct random random;
    random_init_seeded(&random, test_seed(5));
    for (size_t round = 0; round < 3000; round++) {
        uint64_t values[PACK_COUNT_MAX];
        size_t count = 1 + random_below(&random, PACK_COUNT_MAX);
        unsigned length_max = 1 + (unsigned)random_below(&random, 64);
        unsigned shift = random_below(&random, 4) == 0 ? (unsigned)random_below(&random, 64) : 0;
        for (size_t i = 0; i < count; i++) {
            /* the smaller, the more often */
            unsigned length =
                1 + (unsigned)random_below(&random, 1 + random_below(&random, length_max));
            values[i] = random_u64(&random) >> (64 - length) << shift;
        }
        expect_round_trip(values, count, 3 + count * 8);
    }
}

TEST(few_large_and_many_small_integers_cost_little_more_than_their_bits)
{
    uint64_t values[200];
    for (size_t i = 0; i < 200; i++)
        values[i] = i % 10 == 0 ? 40000 + i : i % 2 == 0 ? 5 : 0;
    /* 20 of 16 bits, 80 of 3, 100 of none, 2 more bits for each; widths and header */
    expect_round_trip(values, 200, 5 + (20 * 16 + 80 * 3 + 200 * 2) / 8);
}

TEST(zeros_are_left_out)
{
    uint64_t values[240] = {0};
    for (size_t i = 0; i < 20; i++)
        values[i * 12 + 3] = 1000 + i * i;
    expect_round_trip(values, 240, 2 + 20 + 1 + 20 * 11 / 8 + 1); /* a list of places */
    for (size_t i = 0; i < 80; i++)
        values[i * 3] = 1000000 + i * i * i;
    expect_round_trip(values, 240, 2 + 30 + 1 + 80 * 21 / 8); /* a bit for each */
}

TEST(few_values_are_stored_once)
{
    uint64_t values[200];
    for (size_t i = 0; i < 200; i++)
        values[i] = 1 + i * 7 % 5 * 1000000000007;
    expect_round_trip(values, 200, 2 + 1 + 4 * 6 + 200 * 3 / 8);
    for (size_t i = 0; i < 200; i++)
        values[i] = (1 + i * 7 % 5 * 100000007) << 20;
    expect_round_trip(values, 200, 3 + 1 + 4 * 4 + 200 * 3 / 8);
    for (size_t i = 0; i < 200; i++)
        values[i] = i % 4 == 1 ? 900000000001 * (1 + i % 3) : 0;
    expect_round_trip(values, 200, 2 + 25 + 2 + 3 * 6 + 50 * 2 / 8 + 1);
}

/* With every number of values around what a dictionary may hold, and each found at any time. */
TEST(many_values_come_back_as_few_do)
{
    struct random random;
    random_init_seeded(&random, test_seed(6));
    for (size_t round = 0; round < 3000; round++) {
        uint64_t values[PACK_COUNT_MAX], kinds[80];
        size_t kind_count = 1 + random_below(&random, 80);
        size_t count = 1 + random_below(&random, PACK_COUNT_MAX);
        unsigned zeros_percent = (unsigned)random_below(&random, 120);
        for (size_t i = 0; i < kind_count; i++)
            kinds[i] = random_u64(&random) >> random_below(&random, 64);
        for (size_t i = 0; i < count; i++)
            values[i] = random_below(&random, 100) < zeros_percent
                            ? 0
                            : kinds[random_below(&random, kind_count)];
        expect_round_trip(values, count, 3 + count * 8);
    }
}

TEST(the_tiers_of_the_format_page_read_as_it_says)
{
    static const uint8_t bytes[] = {0x41, 0x01, 0x00, 0x03, 0x05, 0xe4, 0x9b, 0x00};
    static const uint64_t want[] = {1, 2, 8, 20};
    uint64_t got[4];
    struct reader r = reader_of((struct bytes){bytes, sizeof bytes});
    assert_true(pack_decode(&r, got, 4));
    assert_int_equal(reader_left(&r), 0);
    assert_memory_equal(got, want, sizeof want);
}

TEST(a_common_factor_of_two_is_shifted_away)
{
    uint64_t values[100];
    for (size_t i = 0; i < 100; i++)
        values[i] = (i % 8) * 4096;
    expect_round_trip(values, 100, 3 + 38);
}

static void expect_refused(const char *bytes, size_t len, size_t count)
{
    uint64_t got[PACK_COUNT_MAX];
    struct reader r = reader_of((struct bytes){(const uint8_t *)bytes, len});
    assert_false(pack_decode(&r, got, count));
}
#define EXPECT_REFUSED(literal, count) expect_refused(literal, sizeof(literal) - 1, count)

TEST(broken_packs_are_refused)
{
    EXPECT_REFUSED("", 0);
    EXPECT_REFUSED("\x44\x00\x00\x00\x00\x00\x00\x00\x00\x00", 1); /* no such kind */
    EXPECT_REFUSED("\x81\x40\x00\x00", 1);                         /* shifted by 64 */
    EXPECT_REFUSED("\x81\x00\x02\x00\x01\x01\x01\x00", 1); /* more exceptions than integers */
    EXPECT_REFUSED("\x81\x00\x01\x01\x01\x00", 1);         /* an exception behind the end */
    EXPECT_REFUSED("\x81\x00\x02\x01\x01\x01\x01\x00", 2); /* the same exception twice */
    EXPECT_REFUSED("\xc0\x00\x01\x00\x01"
                   "\x00\x00\x00\x00\x00\x00\x00\x00",
                   1); /* nothing is above 64 bits */
    EXPECT_REFUSED("\x41", 1);
    EXPECT_REFUSED("\x41\x00\x01\x02\x03", 1);         /* no tiers */
    EXPECT_REFUSED("\x41\x00\x01\x02\x03\x01", 1);     /* no bits */
    EXPECT_REFUSED("\x41\x00\x01\x02\x3a\x00", 1);     /* a tier of 58 bits, used or not */
    EXPECT_REFUSED("\x41\x00\x00\x00\x00\x04", 1);     /* a tier for a second one */
    EXPECT_REFUSED("\xc1\x40\x00\x00\x00\x00\x00", 1); /* shifted by 64 */
}

TEST(broken_dictionaries_are_refused)
{
    EXPECT_REFUSED("\x43", 1);
    EXPECT_REFUSED("\x43\x00\x00", 1);             /* no values */
    EXPECT_REFUSED("\x43\x41\x00", 1);             /* 65 of them */
    EXPECT_REFUSED("\x43\x02\x05", 0);             /* one is missing */
    EXPECT_REFUSED("\x43\x02\x05\x01", 1);         /* no numbers */
    EXPECT_REFUSED("\x43\x03\x05\x01\x01\x03", 1); /* the fourth of three */
    EXPECT_REFUSED("\xc3\x40\x02\x05\x01\x01", 1); /* shifted by 64 */
}

TEST(broken_places_are_refused)
{
    EXPECT_REFUSED("\x42", 8);
    EXPECT_REFUSED("\x42\x01", 8);                     /* no place */
    EXPECT_REFUSED("\x42\x01\x00", 8);                 /* no others */
    EXPECT_REFUSED("\x42\x01\x08\x01\x01", 8);         /* behind the end */
    EXPECT_REFUSED("\x42\x02\x05\x05\x01\x03", 16);    /* the same twice */
    EXPECT_REFUSED("\x42\x02\x07\x01\x03", 8);         /* two others at three places */
    EXPECT_REFUSED("\x42\x02\x01\x01\x03", 8);         /* and at one */
    EXPECT_REFUSED("\x42\x02\x81\x01\x03", 7);         /* the second behind the end */
    EXPECT_REFUSED("\x42\x09\xff\x01\xff\x01", 8);     /* more than there are */
    EXPECT_REFUSED("\x42\x02\x03\x42\x02\x03\x01", 8); /* zeros left out of the others */
    EXPECT_REFUSED("\xc2\x00\x02\x03\x01\x03", 8);     /* a shift of its own */
}

TEST_MAIN(RUN(every_width_and_count_comes_back), RUN(a_few_large_integers_do_not_widen_the_rest),
          RUN(integers_of_very_different_sizes_take_what_they_need),
          RUN(few_large_and_many_small_integers_cost_little_more_than_their_bits),
          RUN(zeros_are_left_out), RUN(few_values_are_stored_once),
          RUN(many_values_come_back_as_few_do), RUN(the_tiers_of_the_format_page_read_as_it_says),
          RUN(a_common_factor_of_two_is_shifted_away), RUN(broken_packs_are_refused),
          RUN(broken_dictionaries_are_refused), RUN(broken_places_are_refused))
