#include "tests/support/test.h"

#include <math.h>

#include "base/codec.h"
#include "base/random.h"
#include "tsdb/wal/value_change.h"

struct table {
    uint64_t bits;
    uint8_t age;
};

static struct last_value entry(struct table *table)
{
    return (struct last_value){&table->bits, &table->age};
}

/* Tells `bits` to a reader that has what the writer has; returns the code. */
static unsigned tell(struct table *writer, struct table *reader, uint64_t bits)
{
    struct value_change change = value_change_to(entry(writer), bits);
    assert_true(change.code <= VALUE_SAME);
    if (change.code != VALUE_SAME)
        assert_int_equal(change.len, value_code_lens[change.code]);
    if (change.len < VALUE_BYTES_MAX)
        assert_int_equal(change.bytes >> (8 * change.len), 0);
    assert_int_equal(value_change_apply(entry(reader), change.code, change.bytes), VALUE_TOLD);
    assert_true(reader->bits == bits);
    assert_true(writer->bits == bits);
    return change.code;
}

static void expect_change(double from, double to, unsigned code)
{
    struct table writer = {0}, reader = {0};
    tell(&writer, &reader, f64_bits(from));
    assert_int_equal(tell(&writer, &reader, f64_bits(to)), code);
}

TEST(a_change_takes_the_shortest_form)
{
    expect_change(7, 7, VALUE_SAME);
    expect_change(7, 0, 0);
    expect_change(300, 0.5, 2);                   /* in full is as short */
    expect_change(123456, 123466, 10);            /* a whole number, 10 more */
    expect_change(123456, 133456, 11);            /* 10,000 more */
    expect_change(1234567891, 1234667891, 7 + 5); /* 100,000 more */
    expect_change(1600.531, 1602.383, 13);        /* thousandths */
    expect_change(1600.53, 1602.38, 13);          /* hundredths are, too */
    expect_change(0.000021052, 0.000023825, 14);  /* nanoseconds */
    expect_change(174.116322, 174.289471, 15);    /* microseconds */
    expect_change(0.1, 0.1 + 1e-15, 8);           /* the end of a pattern */
    expect_change(1.0 / 3, -1e10 / 7, 7);         /* nothing in common */
    expect_change(1e300, -1e300, 7);              /* too large to count in units */
    expect_change(NAN, 0.1, 7);
}

/* Of every sort of value to every other: also where a value has no count in a unit. */
TEST(every_value_follows_every_other)
{
    static const double values[] = {0,
                                    -0.0,
                                    1,
                                    -1,
                                    0.1,
                                    -0.001,
                                    1e-9,
                                    8388607.999,
                                    8388608,
                                    -8388608.5,
                                    8796093022207.999,
                                    9007199254740991,
                                    9007199254740992,
                                    9007199254740994,
                                    -9007199254740996,
                                    1e22,
                                    5e-324,
                                    2.2250738585072014e-308,
                                    1.7976931348623157e308,
                                    INFINITY,
                                    -INFINITY,
                                    NAN,
                                    1.0 / 3,
                                    4611686018427387904};
    enum { VALUES = sizeof values / sizeof *values };
    struct table writer = {0}, reader = {0};
    for (size_t i = 0; i < VALUES * VALUES * 2; i++)
        tell(&writer, &reader,
             f64_bits(values[i % 2 == 0 ? i / 2 % VALUES : i / 2 / VALUES % VALUES]));
    tell(&writer, &reader, UINT64_C(0x7ff0000000000002)); /* the stale marker */
    tell(&writer, &reader, UINT64_C(0xfff8000000000001));
}

TEST(random_walks_come_back_bit_by_bit)
{
    static const double units[] = {1, 10, 1e2, 1e3, 1e6, 1e9, 3, 7e12};
    struct random random;
    struct table writer = {0}, reader = {0};
    random_init_seeded(&random, test_seed(3));
    double at = 0;
    for (int i = 0; i < 200000; i++) {
        double unit = units[i / 100 % 8];
        double step = (double)random_below(&random, UINT64_C(1) << random_below(&random, 54));
        at = i % 100 == 0 ? (double)random_u64(&random) : at + step / unit;
        uint64_t bits = i % 50 == 49 ? random_u64(&random) : f64_bits(round(at * unit) / unit);
        tell(&writer, &reader, bits);
    }
}

TEST(a_value_in_full_comes_at_least_every_sixteenth_time)
{
    struct table writer = {0}, reader = {0}, late = {0};
    size_t unknown = 0;
    for (int i = 0; i < 200; i++) {
        struct value_change change = value_change_to(entry(&writer), f64_bits(0.3 + i / 3));
        assert_int_equal(value_change_apply(entry(&reader), change.code, change.bytes), VALUE_TOLD);
        if (i < 5)
            continue; /* this one comes later, or has lost what it knew */
        if (value_change_apply(entry(&late), change.code, change.bytes) == VALUE_UNKNOWN)
            unknown++;
        else
            assert_true(late.bits == reader.bits);
    }
    assert_in_range(unknown, 1, VALUE_AGE_MAX - 1);
}

TEST(a_difference_from_what_no_writer_counts_is_wrong)
{
    struct table reader = {.bits = f64_bits(NAN), .age = 1};
    for (unsigned code = 10; code < VALUE_CODES; code++)
        assert_int_equal(value_change_apply(entry(&reader), code, 2), VALUE_WRONG);
    reader.bits = f64_bits(1e16);
    assert_int_equal(value_change_apply(entry(&reader), 10, 2), VALUE_WRONG);
}

TEST_MAIN(RUN(a_change_takes_the_shortest_form), RUN(every_value_follows_every_other),
          RUN(random_walks_come_back_bit_by_bit),
          RUN(a_value_in_full_comes_at_least_every_sixteenth_time),
          RUN(a_difference_from_what_no_writer_counts_is_wrong))
