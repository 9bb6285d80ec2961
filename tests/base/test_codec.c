#include <math.h>

#include "base/codec.h"
#include "base/random.h"
#include "tests/support/test.h"

static struct reader reader_from(const char *bytes, size_t len)
{
    return reader_of((struct bytes){(const uint8_t *)bytes, len});
}

TEST(integers_are_little_endian)
{
    struct buffer out;
    buffer_init(&out, 100);
    write_u8(&out, 0x01);
    write_u32(&out, 0x05040302);
    write_u64(&out, 0x0d0c0b0a09080706);
    assert_int_equal(out.len, 13);
    for (size_t i = 0; i < out.len; i++)
        assert_int_equal(out.ptr[i], i + 1);
    struct reader r = reader_of(buffer_bytes(&out));
    assert_int_equal(reader_u8(&r), 0x01);
    assert_int_equal(reader_u32(&r), 0x05040302);
    assert_int_equal(reader_u64(&r), 0x0d0c0b0a09080706);
    assert_false(r.is_broken);
    assert_int_equal(reader_left(&r), 0);
    assert_int_equal(load_u32(out.ptr + 1), 0x05040302);
    assert_int_equal(load_u64(out.ptr + 5), 0x0d0c0b0a09080706);
    buffer_deinit(&out);
}

TEST(floats_keep_every_bit)
{
    static const uint64_t patterns[] = {0, UINT64_C(1) << 63, 0x7ff0000000000002,
                                        0x3ff8000000000000};
    for (size_t i = 0; i < 4; i++) {
        struct buffer out;
        buffer_init(&out, 8);
        write_f64(&out, f64_from_bits(patterns[i]));
        struct reader r = reader_of(buffer_bytes(&out));
        assert_int_equal(reader_u64(&r), patterns[i]);
        buffer_deinit(&out);
    }
}

static void expect_varint(uint64_t value, size_t want_len)
{
    struct buffer out;
    buffer_init(&out, 100);
    write_varint(&out, value);
    assert_int_equal(out.len, want_len);
    struct reader r = reader_of(buffer_bytes(&out));
    assert_int_equal(reader_varint(&r), value);
    assert_false(r.is_broken);
    assert_int_equal(reader_left(&r), 0);
    buffer_deinit(&out);
}

TEST(varints_take_seven_bits_a_byte)
{
    expect_varint(0, 1);
    expect_varint(127, 1);
    expect_varint(128, 2);
    expect_varint(16383, 2);
    expect_varint(16384, 3);
    expect_varint(UINT64_MAX >> 1, 9);
    expect_varint((UINT64_MAX >> 1) + 1, 10);
    expect_varint(UINT64_MAX, 10);
}

TEST(small_negative_numbers_are_small_varints)
{
    static const int64_t values[] = {0, -1, 1, -64, 63, INT64_MIN, INT64_MAX};
    static const size_t lens[] = {1, 1, 1, 1, 1, 10, 10};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct buffer out;
        buffer_init(&out, 100);
        write_svarint(&out, values[i]);
        assert_int_equal(out.len, lens[i]);
        struct reader r = reader_of(buffer_bytes(&out));
        assert_int_equal(reader_svarint(&r), values[i]);
        assert_int_equal(zigzag_decode(zigzag_encode(values[i])), values[i]);
        buffer_deinit(&out);
    }
}

static void expect_broken_varint(const char *bytes, size_t len)
{
    struct reader r = reader_from(bytes, len);
    assert_int_equal(reader_varint(&r), 0);
    assert_true(r.is_broken);
}

TEST(broken_varints_break_the_reader)
{
    expect_broken_varint("", 0);
    expect_broken_varint("\x80", 1);
    expect_broken_varint("\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9);
    expect_broken_varint("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10); /* bit 64 */
    expect_broken_varint("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11);
}

TEST(reading_past_the_end_breaks_for_good)
{
    struct reader r = reader_from("\x01\x02\x03", 3);
    assert_int_equal(reader_u32(&r), 0);
    assert_true(r.is_broken);
    assert_int_equal(reader_u8(&r), 0); /* although a byte is there */
    assert_int_equal(reader_u64(&r), 0);
    assert_int_equal(reader_varint(&r), 0);
    assert_int_equal(reader_bytes(&r, 1).len, 0);
    r = reader_of((struct bytes){0});
    assert_int_equal(reader_left(&r), 0);
    assert_int_equal(reader_bytes(&r, 0).len, 0);
    assert_false(r.is_broken);
}

TEST(a_length_beyond_the_end_is_refused)
{
    struct reader r = reader_from("\x03"
                                  "ab",
                                  3);
    assert_null(reader_sized(&r).ptr);
    assert_true(r.is_broken);
    r = reader_from("ab", 2);
    assert_null(reader_bytes(&r, UINT64_MAX).ptr);
    assert_true(r.is_broken);
}

TEST(sized_bytes_are_a_view_of_the_input)
{
    struct buffer out;
    buffer_init(&out, 100);
    write_sized(&out, bytes_of_str(STR("up")));
    write_sized(&out, (struct bytes){0});
    struct reader r = reader_of(buffer_bytes(&out));
    struct bytes view = reader_sized(&r);
    expect_str(str_of_bytes(view), "up");
    assert_ptr_equal(view.ptr, out.ptr + 1);
    assert_int_equal(reader_sized(&r).len, 0);
    assert_false(r.is_broken);
    buffer_deinit(&out);
}

TEST(random_bytes_never_take_a_reader_past_its_end)
{
    struct random random;
    random_init_seeded(&random, test_seed(1));
    for (size_t round = 0; round < 5000; round++) {
        uint8_t bytes[40];
        size_t len = (size_t)random_below(&random, sizeof bytes + 1);
        random_fill(&random, bytes, sizeof bytes);
        struct reader r = reader_of((struct bytes){bytes, len});
        while (!r.is_broken && reader_left(&r) > 0) {
            size_t left = reader_left(&r);
            reader_varint(&r);
            reader_sized(&r);
            assert_true(reader_left(&r) <= left);
        }
    }
}

TEST_MAIN(RUN(integers_are_little_endian), RUN(floats_keep_every_bit),
          RUN(varints_take_seven_bits_a_byte), RUN(small_negative_numbers_are_small_varints),
          RUN(broken_varints_break_the_reader), RUN(reading_past_the_end_breaks_for_good),
          RUN(a_length_beyond_the_end_is_refused), RUN(sized_bytes_are_a_view_of_the_input),
          RUN(random_bytes_never_take_a_reader_past_its_end))
