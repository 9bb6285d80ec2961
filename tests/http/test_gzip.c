#include "http/gzip.h"

#include <zlib.h>

#include "base/mem.h"
#include "base/random.h"
#include "tests/support/test.h"

static void expect_unpacks(struct buffer packed, struct bytes in)
{
    uint8_t *unpacked = mem_alloc(in.len + 1);
    z_stream stream = {.next_in = packed.ptr,
                       .avail_in = (uInt)packed.len,
                       .next_out = unpacked,
                       .avail_out = (uInt)in.len + 1};
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, in.len);
    assert_int_equal(stream.avail_in, 0);
    if (in.len > 0)
        assert_memory_equal(unpacked, in.ptr, in.len);
    inflateEnd(&stream);
    mem_free(unpacked);
    buffer_deinit(&packed);
}

static void expect_round_trip(struct bytes in)
{
    struct buffer packed;
    buffer_init(&packed, SIZE_MAX);
    gzip_compress(in, &packed);
    expect_unpacks(packed, in);
}

TEST(what_is_packed_in_pieces_unpacks_to_the_same)
{
    static const size_t pieces[] = {0, 1, 70000, 3, 0, 1 << 20};
    uint8_t *data = mem_alloc_zeroed(1, 2 << 20);
    struct gzip *gzip = gzip_new();
    struct buffer packed;
    size_t done = 0;
    buffer_init(&packed, SIZE_MAX);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; done += pieces[i++]) {
        memset(data + done, (int)i, pieces[i]);
        gzip_append(gzip, (struct bytes){data + done, pieces[i]}, &packed);
    }
    gzip_finish(gzip, &packed);
    gzip_free(gzip);
    expect_unpacks(packed, (struct bytes){data, done});
    mem_free(data);
}

TEST(what_is_packed_unpacks_to_the_same)
{
    enum { SIZE = 3 << 20 };
    uint8_t *data = mem_alloc_zeroed(1, SIZE);
    expect_round_trip((struct bytes){data, 0});
    expect_round_trip((struct bytes){data, 1});
    expect_round_trip((struct bytes){data, SIZE});
    struct random random;
    random_init_seeded(&random, test_seed(1));
    random_fill(&random, data, SIZE); /* grows when packed: the output has to as well */
    expect_round_trip((struct bytes){data, SIZE});
    expect_round_trip((struct bytes){data, 4096});
    mem_free(data);
}

TEST(gzip_is_used_only_when_it_was_asked_for)
{
    assert_true(gzip_is_accepted(STR("gzip")));
    assert_true(gzip_is_accepted(STR("GZip")));
    assert_true(gzip_is_accepted(STR("gzip, deflate, br, zstd")));
    assert_true(gzip_is_accepted(STR("br;q=1.0, gzip;q=0.001")));
    assert_true(gzip_is_accepted(STR("deflate , gzip ; q=0.5")));
    assert_true(gzip_is_accepted(STR("*")));
    assert_true(gzip_is_accepted(STR("identity;q=0, *")));
    assert_true(gzip_is_accepted(STR("*;q=0, gzip")));
    assert_false(gzip_is_accepted(STR("")));
    assert_false(gzip_is_accepted(STR("identity")));
    assert_false(gzip_is_accepted(STR("gzip;q=0")));
    assert_false(gzip_is_accepted(STR("gzip; Q=0.000")));
    assert_false(gzip_is_accepted(STR("gzip;q=0., *")));
    assert_false(gzip_is_accepted(STR("*;q=0")));
    assert_false(gzip_is_accepted(STR("gzipped, xgzip")));
    assert_false(gzip_is_accepted(STR("br, zstd")));
    assert_false(gzip_is_accepted(STR(",,;;q=,=")));
}

TEST_MAIN(RUN(what_is_packed_unpacks_to_the_same),
          RUN(what_is_packed_in_pieces_unpacks_to_the_same),
          RUN(gzip_is_used_only_when_it_was_asked_for))
