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
    EXPECT_REFUSED("\x41\x00\x00\x00\x00\x00\x00\x00\x00\x00", 1); /* 65 bits wide */
    EXPECT_REFUSED("\x81\x40\x00\x00", 1);                         /* shifted by 64 */
    EXPECT_REFUSED("\x81\x00\x02\x00\x01\x01\x01\x00", 1); /* more exceptions than integers */
    EXPECT_REFUSED("\x81\x00\x01\x01\x01\x00", 1);         /* an exception behind the end */
    EXPECT_REFUSED("\x81\x00\x02\x01\x01\x01\x01\x00", 2); /* the same exception twice */
    EXPECT_REFUSED("\xc0\x00\x01\x00\x01"
                   "\x00\x00\x00\x00\x00\x00\x00\x00",
                   1); /* nothing is above 64 bits */
}

TEST_MAIN(RUN(every_width_and_count_comes_back), RUN(a_few_large_integers_do_not_widen_the_rest),
          RUN(a_common_factor_of_two_is_shifted_away), RUN(broken_packs_are_refused))
