#include "tsdb/codec/integers.h"

#include "tests/support/test.h"

#include "base/random.h"

/* Returns the layout. */
static unsigned expect_round_trip(const int64_t *integers, size_t count, size_t len_max)
{
    uint8_t bytes[INTEGERS_BYTES_MAX];
    uint64_t got[PACK_COUNT_MAX];
    unsigned layout = 0;
    size_t len = (size_t)(integers_encode(bytes, integers, count, &layout) - bytes);
    assert_in_range(len, 1, len_max);
    assert_int_equal(layout & ~(unsigned)INTEGERS_LAYOUT, 0);
    struct reader r = reader_of((struct bytes){bytes, len});
    assert_true(integers_decode(&r, layout, got, count));
    assert_int_equal(reader_left(&r), 0);
    assert_memory_equal(got, integers, count * sizeof *integers);
    for (size_t cut = 0; cut < len; cut++) {
        r = reader_of((struct bytes){bytes, cut});
        assert_false(integers_decode(&r, layout, got, count));
    }
    return layout;
}

TEST(any_integers_come_back)
{
    struct random random;
    random_init_seeded(&random, test_seed(51));
    for (size_t round = 0; round < 2000; round++) {
        int64_t integers[PACK_COUNT_MAX];
        size_t count = 1 + random_below(&random, PACK_COUNT_MAX);
        unsigned shift = (unsigned)random_below(&random, 64);
        for (size_t i = 0; i < count; i++)
            integers[i] = (int64_t)random_u64(&random) >> shift;
        for (size_t i = 1; i < count && round % 2 == 0; i++)
            integers[i] = (int64_t)((uint64_t)integers[i] + (uint64_t)integers[i - 1]);
        expect_round_trip(integers, count, INTEGERS_BYTES_MAX);
    }
    const int64_t extremes[] = {INT64_MIN, INT64_MAX, 0, -1, INT64_MAX, INT64_MIN};
    expect_round_trip(extremes, 6, INTEGERS_BYTES_MAX);
    expect_round_trip(extremes, 1, 11);
}

TEST(a_counter_is_differences_and_a_gauge_is_not)
{
    struct random random;
    int64_t counter[200], gauge[200], total = 1000000;
    random_init_seeded(&random, 52);
    for (size_t i = 0; i < 200; i++) {
        counter[i] = total += (int64_t)random_below(&random, 256);
        gauge[i] = 5000 + (int64_t)random_below(&random, 256);
    }
    assert_int_equal(expect_round_trip(counter, 200, 8 + 200), INTEGERS_DIFFERENCES);
    assert_int_equal(expect_round_trip(gauge, 200, 8 + 200), 0);
    counter[199] = 0; /* a reset costs an exception */
    expect_round_trip(counter, 200, 8 + 200 + 14);
}

/* Around a centre, most of them near it and some far off to both sides. */
TEST(distances_to_both_sides_of_a_centre_take_the_bits_of_the_distance)
{
    struct random random;
    int64_t integers[240], total = 0;
    size_t bits = 0;
    random_init_seeded(&random, 53);
    for (size_t i = 0; i < 240; i++) {
        unsigned length = (unsigned)random_below(&random, i % 16 == 0 ? 24 : 6);
        int64_t distance = (int64_t)(random_u64(&random) >> 40 >> (24 - length));
        integers[i] = total += 100000 + (i % 2 == 0 ? distance : -distance);
        bits += length + 1;
    }
    unsigned layout = expect_round_trip(integers, 240, 16 + (bits + 2 * 240) / 8 + 60);
    assert_int_equal(layout, INTEGERS_LAYOUT);
}

TEST_MAIN(RUN(any_integers_come_back), RUN(a_counter_is_differences_and_a_gauge_is_not),
          RUN(distances_to_both_sides_of_a_centre_take_the_bits_of_the_distance))
