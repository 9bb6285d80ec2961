#include "tests/support/test.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/random.h"
#include "tsdb/block/timeline.h"
#include "tsdb/block/timeline_cache.h"
#include "tsdb/block/timeline_set.h"

/* ---- the format ---- */

static void encode(struct buffer *out, const int64_t *ts_ms, size_t count)
{
    struct buffer chunks;
    buffer_init(&chunks, SIZE_MAX);
    assert_true(timeline_encode(out, &chunks, ts_ms, count));
    buffer_deinit(&chunks);
}

static struct timeline *open_range(struct bytes bytes, int64_t min_ts_ms, int64_t max_ts_ms)
{
    struct error err;
    struct timeline *timeline;
    expect_ok(timeline_open(bytes, min_ts_ms, max_ts_ms, &timeline, &err));
    return timeline;
}

static void expect_round_trip(const int64_t *ts_ms, size_t count)
{
    struct error err;
    struct buffer out;
    buffer_init(&out, SIZE_MAX);
    encode(&out, ts_ms, count);
    struct timeline *timeline = open_range(buffer_bytes(&out), INT64_MIN, INT64_MAX);
    assert_int_equal(timeline->count, count);
    assert_memory_equal(timeline->ts_ms, ts_ms, count * sizeof *ts_ms);
    assert_int_equal(timeline->spans[0].min_ts_ms, ts_ms[0]);
    assert_int_equal(timeline->spans[timeline->chunk_count - 1].max_ts_ms, ts_ms[count - 1]);
    timeline_release(timeline);
    size_t step = out.len / 100 + 1;
    for (size_t cut = 0; cut < out.len; cut += step)
        expect_status(
            timeline_open((struct bytes){out.ptr, cut}, INT64_MIN, INT64_MAX, &timeline, &err),
            STATUS_CORRUPT);
    buffer_append_byte(&out, 0);
    expect_status(timeline_open(buffer_bytes(&out), INT64_MIN, INT64_MAX, &timeline, &err),
                  STATUS_CORRUPT);
    buffer_deinit(&out);
}

/* Scrapes every 15 s with jitter, and holes. */
static int64_t *jittery(struct random *random, size_t count)
{
    int64_t *ts_ms = mem_alloc(count * sizeof *ts_ms), ts = 1700000000000;
    for (size_t i = 0; i < count; i++) {
        ts += 14995 + (int64_t)random_below(random, 10);
        ts += random_below(random, 50) == 0 ? 45000 : 0;
        ts_ms[i] = ts;
    }
    return ts_ms;
}

TEST(timestamps_of_any_number_come_back)
{
    struct random random;
    random_init_seeded(&random, test_seed(41));
    static const size_t counts[] = {1, 2, 239, 240, 241, 479, 480, 481, 5760, 20001};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        int64_t *ts_ms = jittery(&random, counts[i]);
        expect_round_trip(ts_ms, counts[i]);
        mem_free(ts_ms);
    }
}

TEST(timestamps_may_be_any_int64)
{
    const int64_t extremes[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    expect_round_trip(extremes, 7);
    expect_round_trip(extremes, 1);
    expect_round_trip(extremes + 6, 1);
    int64_t wide[500];
    for (int64_t i = 0; i < 500; i++)
        wide[i] = (i - 250) * (INT64_MAX / 250);
    expect_round_trip(wide, 500);
}

TEST(only_the_chunks_that_touch_the_range_are_decoded)
{
    int64_t ts_ms[600];
    for (int64_t i = 0; i < 600; i++)
        ts_ms[i] = i * 10;
    struct buffer out;
    buffer_init(&out, SIZE_MAX);
    encode(&out, ts_ms, 600); /* three chunks of 200: 0-1990, 2000-3990, 4000-5990 */
    static const struct {
        int64_t min_ts_ms, max_ts_ms;
        size_t first, end;
    } cases[] = {{INT64_MIN, INT64_MAX, 0, 3}, {0, 1990, 0, 1},      {1990, 2000, 0, 2},
                 {1991, 1999, 1, 1},           {2500, 2500, 1, 2},   {4000, 9999, 2, 3},
                 {5991, INT64_MAX, 3, 3},      {INT64_MIN, -1, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct timeline *timeline =
            open_range(buffer_bytes(&out), cases[i].min_ts_ms, cases[i].max_ts_ms);
        assert_int_equal(timeline->first_chunk, cases[i].first);
        assert_int_equal(timeline->end_chunk, cases[i].end);
        for (size_t chunk = cases[i].first; chunk < cases[i].end; chunk++)
            assert_int_equal(*timeline_chunk_ts_ms(timeline, chunk), (int64_t)chunk * 2000);
        timeline_release(timeline);
    }
    buffer_deinit(&out);
}

TEST(any_bytes_are_refused_or_give_increasing_timestamps)
{
    struct random random;
    random_init_seeded(&random, test_seed(42));
    int64_t *ts_ms = jittery(&random, 700);
    struct buffer out;
    buffer_init(&out, SIZE_MAX);
    encode(&out, ts_ms, 700);
    for (size_t round = 0; round < 20000; round++) {
        struct error err;
        struct timeline *timeline;
        size_t at = random_below(&random, round % 2 == 0 ? 20 : out.len);
        uint8_t kept = out.ptr[at];
        out.ptr[at] = (uint8_t)random_u64(&random);
        if (timeline_open(buffer_bytes(&out), INT64_MIN, INT64_MAX, &timeline, &err) == STATUS_OK) {
            for (size_t i = 1; i < timeline->count; i++)
                assert_true(timeline->ts_ms[i - 1] < timeline->ts_ms[i]);
            timeline_release(timeline);
        }
        out.ptr[at] = kept;
    }
    buffer_deinit(&out);
    mem_free(ts_ms);
}

/* ---- the set ---- */

static void keep(struct timeline_set *set, const int64_t *ts_ms, size_t count, uint32_t number)
{
    struct buffer out;
    uint32_t found;
    buffer_init(&out, SIZE_MAX);
    encode(&out, ts_ms, count);
    assert_false(timeline_set_find(set, ts_ms, count, &found));
    timeline_set_add(set, ts_ms, count, buffer_bytes(&out), number);
    assert_true(timeline_set_find(set, ts_ms, count, &found));
    assert_int_equal(found, number);
    buffer_deinit(&out);
}

TEST(a_set_finds_timelines_by_all_of_their_timestamps)
{
    struct random random;
    struct timeline_set set;
    uint32_t found;
    random_init_seeded(&random, test_seed(43));
    int64_t *ts_ms = jittery(&random, 1000);
    timeline_set_init(&set);
    for (size_t count = 1; count <= 1000; count += 37) /* each is the beginning of the next */
        keep(&set, ts_ms, count, (uint32_t)count);
    for (size_t count = 1; count <= 1000; count++)
        assert_int_equal(timeline_set_find(&set, ts_ms, count, &found), count % 37 == 1);
    for (size_t i = 500; i < 520; i++) {
        ts_ms[i]++;
        assert_false(timeline_set_find(&set, ts_ms, 963, &found));
    }
    timeline_set_reset(&set);
    assert_false(timeline_set_find(&set, ts_ms, 1, &found));
    timeline_set_deinit(&set);
    mem_free(ts_ms);
}

TEST(a_set_compares_when_hashes_are_the_same)
{
    hash_set_bits(1);
    a_set_finds_timelines_by_all_of_their_timestamps(NULL);
    hash_set_bits(64);
}

TEST(a_set_forgets_rather_than_grow_without_end)
{
    enum { COUNT = 20000 };
    struct timeline_set set;
    uint32_t found;
    int64_t *ts_ms = mem_alloc(COUNT * sizeof *ts_ms), ts = 0;
    struct random random;
    random_init_seeded(&random, 44);
    for (size_t i = 0; i < COUNT; i++)
        ts_ms[i] = ts += 1 + (int64_t)(random_u64(&random) >> 20);
    timeline_set_init(&set);
    keep(&set, ts_ms, COUNT, 0);
    size_t each = set.bytes.len;
    for (uint32_t i = 1; i <= TIMELINE_SET_BYTES_MAX / each + 1; i++) {
        ts_ms[COUNT - 1]++;
        keep(&set, ts_ms, COUNT, i);
        assert_true(set.bytes.len <= TIMELINE_SET_BYTES_MAX);
    }
    ts_ms[COUNT - 1] -= (int64_t)(TIMELINE_SET_BYTES_MAX / each) + 1;
    assert_false(timeline_set_find(&set, ts_ms, COUNT, &found));
    timeline_set_deinit(&set);
    mem_free(ts_ms);
}

/* ---- the cache ---- */

static const struct block *block_at(uintptr_t address)
{
    return (const struct block *)address; /* a key only */
}

static struct timeline *new_timeline(size_t count)
{
    struct buffer out;
    int64_t *ts_ms = mem_alloc(count * sizeof *ts_ms);
    for (size_t i = 0; i < count; i++)
        ts_ms[i] = (int64_t)i;
    buffer_init(&out, SIZE_MAX);
    encode(&out, ts_ms, count);
    struct timeline *timeline = open_range(buffer_bytes(&out), INT64_MIN, INT64_MAX);
    buffer_deinit(&out);
    mem_free(ts_ms);
    return timeline;
}

static void put_new(struct timeline_cache *cache, struct timeline_key key, size_t count)
{
    struct timeline *timeline = new_timeline(count);
    timeline_cache_put(cache, &key, timeline);
    timeline_release(timeline);
}

/* 0 when there is none. */
static size_t count_of(struct timeline_cache *cache, struct timeline_key key)
{
    struct timeline *timeline = timeline_cache_get(cache, &key);
    size_t count = timeline == NULL ? 0 : timeline->count;
    timeline_release(timeline);
    return count;
}

TEST(a_cache_gives_what_was_put_last_under_the_whole_key)
{
    struct timeline_cache cache;
    struct timeline_key a = {block_at(64), 1, 2}, b = {block_at(128), 1, 2};
    struct timeline_key c = {block_at(64), 2, 2}, d = {block_at(64), 1, 3};
    timeline_cache_init(&cache);
    put_new(&cache, a, 10);
    assert_int_equal(count_of(&cache, b), 0);
    assert_int_equal(count_of(&cache, c), 0);
    assert_int_equal(count_of(&cache, d), 0);
    put_new(&cache, b, 20);
    put_new(&cache, a, 30);
    assert_int_equal(count_of(&cache, a), 30);
    assert_int_equal(count_of(&cache, b), 20);
    struct timeline *held = timeline_cache_get(&cache, &a);
    timeline_cache_deinit(&cache);
    assert_int_equal(held->count, 30); /* a reference outlives the cache */
    timeline_release(held);
}

TEST(a_cache_keeps_no_more_than_it_may)
{
    enum { COUNT = 100000 };
    struct timeline_cache cache;
    timeline_cache_init(&cache);
    for (uint32_t i = 0; i < 30; i++) {
        put_new(&cache, (struct timeline_key){block_at(64), 0, i}, COUNT);
        assert_true(cache.bytes <= TIMELINE_CACHE_BYTES_MAX);
        assert_int_equal(count_of(&cache, (struct timeline_key){block_at(64), 0, i}), COUNT);
    }
    assert_int_equal(count_of(&cache, (struct timeline_key){block_at(64), 0, 0}), 0);
    put_new(&cache, (struct timeline_key){block_at(64), 0, 99}, TIMELINE_CACHE_BYTES_MAX / 8 + 1);
    assert_int_equal(count_of(&cache, (struct timeline_key){block_at(64), 0, 99}), 0);
    timeline_cache_deinit(&cache);
}

TEST_MAIN(RUN(timestamps_of_any_number_come_back), RUN(timestamps_may_be_any_int64),
          RUN(only_the_chunks_that_touch_the_range_are_decoded),
          RUN(any_bytes_are_refused_or_give_increasing_timestamps),
          RUN(a_set_finds_timelines_by_all_of_their_timestamps),
          RUN(a_set_compares_when_hashes_are_the_same),
          RUN(a_set_forgets_rather_than_grow_without_end),
          RUN(a_cache_gives_what_was_put_last_under_the_whole_key),
          RUN(a_cache_keeps_no_more_than_it_may))
