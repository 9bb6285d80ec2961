#include "tests/support/test.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "tsdb/codec/chunk.h"
#include "tsdb/codec/encoding.h"

static void expect_columns(const struct columns *got, const int64_t *ts_ms, const double *values,
                           size_t count)
{
    assert_int_equal(got->count, count);
    assert_memory_equal(got->ts_ms, ts_ms, count * sizeof *ts_ms);
    assert_memory_equal(got->values, values, count * sizeof *values);
}

static void encode(struct buffer *out, const int64_t *ts_ms, const double *values, size_t count)
{
    struct chunk_times times = {.count = 0};
    chunk_encode(out, &times, ts_ms, values, count);
}

/* Encodes, decodes, and tries every truncation; returns the length of the chunk. */
static size_t expect_round_trip(const int64_t *ts_ms, const double *values, size_t count)
{
    struct error err;
    struct buffer out;
    struct columns columns;
    buffer_init(&out, CHUNK_BYTES_MAX);
    columns_init(&columns);
    encode(&out, ts_ms, values, count);
    assert_false(out.is_overflown);
    expect_ok(chunk_decode(buffer_bytes(&out), &columns, &err));
    expect_columns(&columns, ts_ms, values, count);
    assert_int_equal(chunk_min_ts_ms(buffer_bytes(&out)), ts_ms[0]);
    for (size_t cut = 0; cut < out.len; cut++) {
        expect_status(chunk_decode((struct bytes){out.ptr, cut}, &columns, &err), STATUS_CORRUPT);
        assert_int_equal(columns.count, count);
    }
    size_t len = out.len;
    columns_deinit(&columns);
    buffer_deinit(&out);
    return len;
}

/* The example of docs/format/chunk.md. */
static const uint8_t golden[] = {
    0x04, 0x10, 0x80, 0xa0, 0xab, 0xfe, 0xf9, 0x62, 0x98, 0x75,
    0x60, 0x01, 0x03, 0x00, 0xc8, 0x01, 0x0e, 0x01, 0x06,
};

TEST(the_example_of_the_format_page_reads_and_writes_the_same_bytes)
{
    const int64_t ts_ms[] = {1700000000000, 1700000015000, 1700000030000, 1700000045000};
    const double values[] = {100, 107, 115, f64_from_bits(STALE_NAN_BITS)};
    struct error err;
    struct columns columns;
    columns_init(&columns);
    expect_ok(chunk_decode((struct bytes){golden, sizeof golden}, &columns, &err));
    expect_columns(&columns, ts_ms, values, 4);
    struct buffer out;
    buffer_init(&out, CHUNK_BYTES_MAX);
    encode(&out, ts_ms, values, 4);
    assert_int_equal(out.len, sizeof golden);
    assert_memory_equal(out.ptr, golden, sizeof golden);
    buffer_deinit(&out);
    columns_deinit(&columns);
}

TEST(a_chunk_is_the_same_whichever_timestamps_came_before)
{
    enum { COUNT = 5, SETS = 5 };
    static const int64_t ts_ms[SETS][COUNT] = {{0, 14, 31, 45, 60},
                                               {0, 14, 31, 45, 60},
                                               {0, 14, 31, 45, 61},
                                               {1, 14, 31, 45, 61},
                                               {0, 14, 31, 45, 60}};
    static const double values[COUNT] = {1, 2, 3, 4, 5};
    struct chunk_times times = {.count = 0};
    struct buffer got, want;
    buffer_init(&got, CHUNK_BYTES_MAX);
    buffer_init(&want, CHUNK_BYTES_MAX);
    for (size_t i = 0; i < SETS * COUNT; i++) {
        size_t count = COUNT - i / SETS % 3;
        buffer_reset(&got);
        buffer_reset(&want);
        chunk_encode(&got, &times, ts_ms[i % SETS], values, count);
        encode(&want, ts_ms[i % SETS], values, count);
        assert_int_equal(got.len, want.len);
        assert_memory_equal(got.ptr, want.ptr, want.len);
    }
    buffer_deinit(&want);
    buffer_deinit(&got);
}

/* An example of the page: a column of values behind the number of its encoding. */
static void expect_column(const uint8_t *want, size_t len, const double *values, size_t count)
{
    uint64_t words[COLUMN_WORDS_MAX], got[COLUMN_WORDS_MAX];
    uint8_t bytes[COLUMN_BYTES_MAX];
    struct error err;
    unsigned number;
    memcpy(words, values, count * sizeof *words);
    assert_int_equal(column_encode(&value_encodings, words, count, bytes, &number), len - 1);
    assert_int_equal(number, want[0]);
    assert_memory_equal(bytes, want + 1, len - 1);
    struct reader r = reader_of((struct bytes){want + 1, len - 1});
    expect_ok(column_decode(&value_encodings, want[0], &r, got, count, &err));
    assert_memory_equal(got, words, count * sizeof *words);
}

TEST(the_example_of_rounded_decimals_reads_and_writes_the_same_bytes)
{
    static const uint8_t want[] = {0x03, 0x23, 0xe0, 0x1b, 0x02, 0x00, 0x00, 0x00, 0x01, 0x02};
    const double values[] = {1.776, 1.7770000000000001, 1.778};
    expect_column(want, sizeof want, values, 3);
}

TEST(the_example_of_a_counter_that_rises_rarely_reads_and_writes_the_same_bytes)
{
    static const uint8_t want[] = {0x01, 0x20, 0x90, 0x4e, 0x00, 0x42, 0x05, 0x40, 0x08, 0x04,
                                   0x00, 0x21, 0xc3, 0x01, 0x02, 0xc5, 0x13, 0xf8, 0x03, 0x02};
    double values[40];
    for (size_t i = 0; i < 40; i++)
        values[i] = 5000 + 5002 * (double)((i >= 7) + (i >= 19) + (i >= 33) + (i >= 38)) +
                    (i >= 12 ? 6010 : 0);
    expect_column(want, sizeof want, values, 40);
}

static double nasty_value(struct random *random)
{
    static const uint64_t words[] = {
        STALE_NAN_BITS,
        UINT64_C(0x7ff8000000000001),
        UINT64_C(0xfff8000000000000),
        UINT64_C(0x7ff0000000000000),
        UINT64_C(0xfff0000000000000),
        UINT64_C(0x8000000000000000),
        UINT64_C(0x0000000000000001),
        UINT64_C(0x000fffffffffffff),
        UINT64_C(0x7fefffffffffffff),
        UINT64_C(0x43e0000000000000), /* 2^63 */
        UINT64_C(0xc3e0000000000000), /* -2^63 */
        UINT64_C(0x4340000000000001), /* 2^53 + 2 */
        UINT64_C(0x4320000000000001), /* 2^51 + 0.5 */
        UINT64_C(0x3fb999999999999a), /* 0.1 */
        UINT64_C(0x3fb999999999999b), /* the next one */
    };
    return f64_from_bits(words[random_below(random, sizeof words / sizeof *words)]);
}

typedef double value_maker(struct random *random, size_t index);

static double any_bits(struct random *random, size_t index)
{
    (void)index;
    return f64_from_bits(random_u64(random));
}

static double only_nasty(struct random *random, size_t index)
{
    (void)index;
    return nasty_value(random);
}

static double counter_with_resets(struct random *random, size_t index)
{
    return (double)((index % 50) * 100 + random_below(random, 100));
}

static double gauge_in_cents(struct random *random, size_t index)
{
    (void)index;
    return (double)(int64_t)(random_below(random, 20000) - 10000) / 100;
}

static double mixed_digits(struct random *random, size_t index)
{
    return (double)random_below(random, 100000) / pow(10, (double)(index % 9));
}

static double integers_with_nasty_ones(struct random *random, size_t index)
{
    return index % 7 == 3 ? nasty_value(random) : (double)index;
}

static double huge_integers(struct random *random, size_t index)
{
    (void)index;
    return (double)(int64_t)random_u64(random);
}

static double long_fractions(struct random *random, size_t index)
{
    (void)index;
    return random_unit(random);
}

static double two_values(struct random *random, size_t index)
{
    (void)index;
    return random_below(random, 2) == 0 ? 0.3 : 1.0 / 3;
}

/* The kernel counts milliseconds, the exporter multiplies. */
static double milliseconds_as_seconds(struct random *random, size_t index)
{
    return (double)(211000 + index * 70 + random_below(random, 70)) * 0.001;
}

static double microseconds_divided_twice(struct random *random, size_t index)
{
    return (double)(5003890218 + index * 900000 + random_below(random, 900000)) / 1000 / 1000;
}

static double nanoseconds_of_now(struct random *random, size_t index)
{
    uint64_t ns = 1795177098937794123 + index * 15000000000 + random_below(random, 5000000);
    return (double)ns / 1e9;
}

static double sum_of_durations(struct random *random, size_t index)
{
    double sum = 1000;
    for (size_t i = 0; i < index * 3; i++)
        sum += 0.000001 * (double)(i * 7919 % 100000);
    return random_below(random, 60) == 0 ? nasty_value(random) : sum;
}

static double of_any_size(struct random *random, size_t index)
{
    (void)index;
    return (double)(random_u64(random) >> random_below(random, 64)) * 0.001;
}

static double rare_steps(struct random *random, size_t index)
{
    (void)random;
    return (double)(70000 + index / 40 * 1001 + index / 90 * 9000000);
}

/* A target that many scrapes do not reach. */
static double often_stale(struct random *random, size_t index)
{
    return f64_from_bits(random_below(random, 3) == 0 ? STALE_NAN_BITS : f64_bits((double)index));
}

static double never_there(struct random *random, size_t index)
{
    (void)random;
    return f64_from_bits(index % 50 == 7 ? UINT64_C(0x7ff8000000000001) : STALE_NAN_BITS);
}

static double few_steps(struct random *random, size_t index)
{
    (void)index;
    return (double)(500000 + 70001 * random_below(random, 6)) / 10;
}

static value_maker *const value_makers[] = {
    any_bits,
    only_nasty,
    counter_with_resets,
    gauge_in_cents,
    mixed_digits,
    long_fractions,
    huge_integers,
    two_values,
    integers_with_nasty_ones,
    milliseconds_as_seconds,
    microseconds_divided_twice,
    nanoseconds_of_now,
    sum_of_durations,
    of_any_size,
    rare_steps,
    few_steps,
    often_stale,
    never_there,
};

static void fill_regular(struct random *random, int64_t *ts_ms, size_t count)
{
    int64_t first = (int64_t)random_u64(random) / 2,
            step = 1 + (int64_t)random_below(random, 60000);
    for (size_t i = 0; i < count; i++)
        ts_ms[i] = first + (int64_t)i * step;
}

static void fill_jittery(struct random *random, int64_t *ts_ms, size_t count)
{
    int64_t ts = 1700000000000;
    for (size_t i = 0; i < count; i++) {
        ts += 14995 + (int64_t)random_below(random, 10);
        if (random_below(random, 40) == 0)
            ts += 300000;
        ts_ms[i] = ts;
    }
}

static int compare_ts(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Any int64, the extremes included; 2^64 / 240 values make an equal pair impossible in practice. */
static void fill_anywhere(struct random *random, int64_t *ts_ms, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ts_ms[i] = (int64_t)random_u64(random);
    ts_ms[0] = INT64_MIN;
    if (count > 1)
        ts_ms[1] = INT64_MAX;
    qsort(ts_ms, count, sizeof *ts_ms, compare_ts);
}

TEST(any_column_of_any_length_comes_back_bit_by_bit)
{
    struct random random;
    random_init_seeded(&random, test_seed(2));
    static void (*const fill_ts[])(struct random *, int64_t *,
                                   size_t) = {fill_regular, fill_jittery, fill_anywhere};
    for (unsigned round = 0; round < 2100; round++) {
        int64_t ts_ms[CHUNK_SAMPLES_MAX];
        double values[CHUNK_SAMPLES_MAX];
        size_t count = 1 + random_below(&random, round % 2 == 0 ? 33 : CHUNK_SAMPLES_MAX);
        fill_ts[round % 3](&random, ts_ms, count);
        value_maker *make = value_makers[round % (sizeof value_makers / sizeof *value_makers)];
        for (size_t i = 0; i < count; i++)
            values[i] = make(&random, i);
        expect_round_trip(ts_ms, values, count);
    }
}

static size_t len_with(value_maker *make, size_t count)
{
    struct random random;
    random_init_seeded(&random, 3);
    int64_t ts_ms[CHUNK_SAMPLES_MAX];
    double values[CHUNK_SAMPLES_MAX];
    for (size_t i = 0; i < count; i++) {
        ts_ms[i] = 1700000000000 + (int64_t)i * 15000;
        values[i] = make(&random, i);
    }
    return expect_round_trip(ts_ms, values, count);
}

static double always_one(struct random *random, size_t index)
{
    (void)random;
    (void)index;
    return 1;
}

static double slow_counter(struct random *random, size_t index)
{
    return (double)(1000000 + index * 100 + random_below(random, 100));
}

static double pages_of_memory(struct random *random, size_t index)
{
    (void)index;
    return (double)((1000000 + random_below(random, 1024)) * 4096);
}

TEST(what_people_measure_is_small)
{
    assert_in_range(len_with(always_one, 240), 2 + 8 + 3, 2 + 8 + 3);
    assert_in_range(len_with(slow_counter, 240), 1, 20 + 240 * 8 / 8);
    assert_in_range(len_with(gauge_in_cents, 240), 1, 20 + 240 * 15 / 8);
    assert_in_range(len_with(pages_of_memory, 240), 1, 20 + 240 * 10 / 8);
    assert_in_range(len_with(counter_with_resets, 240), 1, 20 + 240 * 8 / 8 + 50);
    assert_in_range(len_with(long_fractions, 240), 1, 20 + 240 * 8);
    assert_in_range(len_with(milliseconds_as_seconds, 240), 1, 25 + 240 * (8 + 2) / 8);
    assert_in_range(len_with(microseconds_divided_twice, 240), 1, 25 + 240 * (21 + 2) / 8);
    assert_in_range(len_with(nanoseconds_of_now, 240), 1, 25 + 240 * (14 + 3) / 8);
    assert_in_range(len_with(rare_steps, 240), 1, 20 + 7 * 3);
    assert_in_range(len_with(often_stale, 240), 1, 20 + 110);
    assert_in_range(len_with(never_there, 240), 1, 20 + 235 + 5 * 9);
    assert_in_range(len_with(few_steps, 240), 1, 20 + 6 * 3 + 240 * 3 / 8);
    assert_in_range(len_with(sum_of_durations, 240), 1, 25 + 240 * 5);
}

TEST(samples_are_appended_behind_those_that_are_there)
{
    struct error err;
    struct columns columns;
    columns_init(&columns);
    columns_append(&columns, 1700000000000 - 1, 5);
    expect_ok(chunk_decode((struct bytes){golden, sizeof golden}, &columns, &err));
    assert_int_equal(columns.count, 5);
    /* the same again would go back in time */
    expect_status(chunk_decode((struct bytes){golden, sizeof golden}, &columns, &err),
                  STATUS_CORRUPT);
    assert_int_equal(columns.count, 5);
    columns_deinit(&columns);
}

TEST(no_broken_chunk_harms_anybody)
{
    struct random random;
    random_init_seeded(&random, test_seed(4));
    struct error err;
    struct columns columns;
    columns_init(&columns);
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t chunk[sizeof golden + 4];
        memcpy(chunk, golden, sizeof golden);
        random_fill(&random, chunk + sizeof golden, 4);
        for (uint64_t flips = 1 + random_below(&random, 4); flips > 0; flips--)
            chunk[random_below(&random, sizeof golden)] = (uint8_t)random_u64(&random);
        struct bytes data = {chunk, sizeof golden + random_below(&random, 5)};
        columns_reset(&columns);
        if (chunk_decode(data, &columns, &err) != STATUS_OK)
            continue;
        for (size_t i = 1; i < columns.count; i++)
            assert_true(columns.ts_ms[i - 1] < columns.ts_ms[i]);
    }
    columns_deinit(&columns);
}

static void expect_refused(const char *chunk, size_t len)
{
    struct error err;
    struct columns columns;
    columns_init(&columns);
    expect_status(chunk_decode((struct bytes){(const uint8_t *)chunk, len}, &columns, &err),
                  STATUS_CORRUPT);
    assert_int_equal(columns.count, 0);
    columns_deinit(&columns);
}
#define EXPECT_REFUSED(literal) expect_refused(literal, sizeof(literal) - 1)

TEST(chunks_that_nobody_wrote_are_refused)
{
    EXPECT_REFUSED("");
    EXPECT_REFUSED("\x00\x00");
    EXPECT_REFUSED("\xf1\x00\x00\x01\x00"); /* 241 samples */
    EXPECT_REFUSED("\x02\x00\x00\x00\x00"); /* step 0 */
    EXPECT_REFUSED("\x01\x02\x00\x00");     /* no such encoding of timestamps */
    EXPECT_REFUSED("\x01\x40\x00\x00");     /* nor of values */
    EXPECT_REFUSED("\x01\x00\x00\x00\x00"); /* a byte too many */
    EXPECT_REFUSED("\x01\x00\x00\x09"
                   "123456789");                            /* 9 significant bytes of a float64 */
    EXPECT_REFUSED("\x01\x10\x00\x12\x00\x00");             /* 10^-18 */
    EXPECT_REFUSED("\x01\x30\x00\x00\x00\x00\x01\x00\x00"); /* an unknown layout of distances */
    EXPECT_REFUSED("\x01\x10\x00\x40\x01\x01\x00\x00\x00"); /* a stale marker behind the end */
    EXPECT_REFUSED("\x01\x10\x00\x40\x00\x01\x01"
                   "12345678\x00\x00");                             /* another exception there */
    EXPECT_REFUSED("\x02\x10\x00\x01\x40\x02\x00\x00\x00\x00\x00"); /* the same one twice */
    EXPECT_REFUSED("\x01\x10\x00\x40\x02\x00\x00");                 /* more than there are */
}

TEST_MAIN(RUN(the_example_of_the_format_page_reads_and_writes_the_same_bytes),
          RUN(a_chunk_is_the_same_whichever_timestamps_came_before),
          RUN(the_example_of_rounded_decimals_reads_and_writes_the_same_bytes),
          RUN(the_example_of_a_counter_that_rises_rarely_reads_and_writes_the_same_bytes),
          RUN(any_column_of_any_length_comes_back_bit_by_bit), RUN(what_people_measure_is_small),
          RUN(samples_are_appended_behind_those_that_are_there), RUN(no_broken_chunk_harms_anybody),
          RUN(chunks_that_nobody_wrote_are_refused))
