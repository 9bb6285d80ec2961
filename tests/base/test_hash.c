#include "base/hash.h"
#include "tests/support/test.h"

static struct bytes bytes_from(const char *text)
{
    return bytes_of_str(str_from(text));
}

TEST(the_stable_hash_never_changes)
{
    /* XXH3-64 of the empty input, and of inputs of each of its code paths */
    static const uint8_t zeros[300];
    assert_int_equal(hash_stable(bytes_from("")), 0x2d06800538d394c2u);
    uint64_t before = hash_stable((struct bytes){zeros, 300});
    hash_set_seed(1);
    hash_set_bits(4);
    assert_int_equal(hash_stable((struct bytes){zeros, 300}), before);
    hash_set_bits(64);
}

TEST(a_seed_decides_the_hash)
{
    hash_set_seed(1);
    uint64_t first = hash_bytes(bytes_from("up"));
    hash_set_seed(2);
    assert_int_not_equal(hash_bytes(bytes_from("up")), first);
    hash_set_seed(1);
    assert_int_equal(hash_bytes(bytes_from("up")), first);
}

TEST(the_seed_decides_at_every_length)
{
    static const uint8_t data[600];
    for (size_t len = 0; len <= sizeof data; len++) {
        struct bytes bytes = {data, len};
        hash_set_seed(42);
        uint64_t first = hash_bytes(bytes);
        hash_set_seed(43);
        assert_int_not_equal(hash_bytes(bytes), first);
    }
}

TEST(different_bytes_have_different_hashes)
{
    assert_int_not_equal(hash_bytes(bytes_from("a")), hash_bytes(bytes_from("b")));
    assert_int_not_equal(hash_bytes(bytes_from("")),
                         hash_bytes((struct bytes){(const uint8_t *)"", 1}));
}

TEST(a_narrowed_hash_keeps_its_lowest_bits)
{
    uint64_t whole = hash_bytes(bytes_from("up"));
    hash_set_bits(4);
    assert_int_equal(hash_bytes(bytes_from("up")), whole & 15);
    hash_set_bits(0);
    assert_int_equal(hash_bytes(bytes_from("up")), 0);
    hash_set_bits(64);
    assert_int_equal(hash_bytes(bytes_from("up")), whole);
}

TEST_MAIN(RUN(the_stable_hash_never_changes), RUN(a_seed_decides_the_hash),
          RUN(the_seed_decides_at_every_length), RUN(different_bytes_have_different_hashes),
          RUN(a_narrowed_hash_keeps_its_lowest_bits))
