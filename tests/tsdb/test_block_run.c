#include "tests/support/test.h"

#include "base/random.h"
#include "tsdb/block/block_run.h"

enum { DAY = 5760 };

/* A run of `count` values, and a timeline for it. */
struct scene {
    struct columns want;
    struct columns got;
    struct buffer run;
    struct buffer chunks;
    struct timeline *timeline;
};

static void scene_init(struct scene *scene, size_t count)
{
    struct error err;
    columns_init(&scene->want);
    columns_init(&scene->got);
    buffer_init(&scene->run, SIZE_MAX);
    buffer_init(&scene->chunks, SIZE_MAX);
    for (size_t i = 0; i < count; i++)
        columns_append(&scene->want, 1700000000000 + (int64_t)i * 15000, 0);
    assert_true(timeline_encode(&scene->run, &scene->chunks, scene->want.ts_ms, count));
    expect_ok(
        timeline_open(buffer_bytes(&scene->run), INT64_MIN, INT64_MAX, &scene->timeline, &err));
}

static void scene_deinit(struct scene *scene)
{
    timeline_release(scene->timeline);
    buffer_deinit(&scene->run);
    buffer_deinit(&scene->chunks);
    columns_deinit(&scene->want);
    columns_deinit(&scene->got);
}

static enum status decode(struct scene *scene, struct bytes run, struct error *err)
{
    columns_reset(&scene->got);
    return run_decode(run, scene->timeline, INT64_MIN, INT64_MAX, &scene->got, err);
}

/* Also in part, and not when it is cut. */
static void expect_round_trip(struct scene *scene)
{
    struct error err;
    size_t count = scene->want.count;
    assert_true(run_encode(&scene->run, &scene->chunks, scene->want.values, count));
    struct bytes run = buffer_bytes(&scene->run);
    expect_ok(decode(scene, run, &err));
    assert_int_equal(scene->got.count, count);
    assert_memory_equal(scene->got.ts_ms, scene->want.ts_ms, count * sizeof(int64_t));
    assert_memory_equal(scene->got.values, scene->want.values, count * sizeof(double));
    columns_reset(&scene->got);
    int64_t middle_ms = scene->want.ts_ms[count / 2];
    expect_ok(run_decode(run, scene->timeline, middle_ms, middle_ms, &scene->got, &err));
    size_t per_chunk = scene->timeline->per_chunk;
    assert_memory_equal(scene->got.values, scene->want.values + count / 2 / per_chunk * per_chunk,
                        scene->got.count * sizeof(double));
    for (size_t cut = 0; cut < run.len; cut += 1 + run.len / 100)
        expect_status(decode(scene, (struct bytes){run.ptr, cut}, &err), STATUS_CORRUPT);
}

static void expect_bytes(const struct scene *scene, const char *want, size_t len)
{
    assert_int_equal(scene->run.len, len);
    assert_memory_equal(scene->run.ptr, want, len);
}
#define EXPECT_BYTES(scene, literal) expect_bytes(scene, literal, sizeof(literal) - 1)

TEST(a_day_of_one_value_is_one_chunk)
{
    struct scene scene;
    scene_init(&scene, DAY);
    for (size_t i = 0; i < DAY; i++)
        scene.want.values[i] = 1;
    expect_round_trip(&scene);
    EXPECT_BYTES(&scene, "\x04\x00\x17\x00\x02\xf0\x3f");
    scene_deinit(&scene);
}

TEST(a_chunk_that_is_shorter_repeats_as_well)
{
    struct scene scene;
    scene_init(&scene, 481); /* 161, 161 and 159 */
    expect_round_trip(&scene);
    EXPECT_BYTES(&scene, "\x02\x00\x02\x00\x00");
    scene.want.values[200] = 0.5;
    expect_round_trip(&scene);
    scene_deinit(&scene);
}

TEST(any_chunks_repeat_any_number_of_times)
{
    struct random random;
    random_init_seeded(&random, test_seed(61));
    for (size_t round = 0; round < 200; round++) {
        struct scene scene;
        scene_init(&scene, 1 + random_below(&random, DAY));
        size_t per_chunk = scene.timeline->per_chunk;
        uint64_t kind = 0;
        for (size_t i = 0; i < scene.want.count; i++) {
            if (i % per_chunk == 0 && random_below(&random, 3) == 0)
                kind = random_below(&random, 4);
            uint64_t within = i % per_chunk;
            scene.want.values[i] = (double)(kind == 3 ? random_below(&random, 9) : kind * within);
        }
        expect_round_trip(&scene);
        scene_deinit(&scene);
    }
}

#define BYTES_OF(literal) ((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1})
#define EXPECT_REFUSED(scene, literal)                                                             \
    expect_status(decode(scene, BYTES_OF(literal), &err), STATUS_CORRUPT)

TEST(broken_lengths_are_refused)
{
    struct error err;
    struct scene scene;
    scene_init(&scene, 720);
    expect_ok(decode(&scene, BYTES_OF("\x02\x00\x02\x00\x00"), &err));
    EXPECT_REFUSED(&scene, "\x00\x03\x00\x00");             /* repeats of nothing */
    EXPECT_REFUSED(&scene, "\x02\x00\x03\x00\x00");         /* four chunks of three */
    EXPECT_REFUSED(&scene, "\x02\x00\x00\x00\x02\x00\x00"); /* no repeats */
    EXPECT_REFUSED(&scene, "\x02\x00\x01\x00\x00");         /* two chunks of three */
    EXPECT_REFUSED(&scene, "\x02\x00\x02\x00\x00\x00");     /* a byte behind them */
    EXPECT_REFUSED(&scene, "\x02\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00");
    scene_deinit(&scene);
}

TEST_MAIN(RUN(a_day_of_one_value_is_one_chunk), RUN(a_chunk_that_is_shorter_repeats_as_well),
          RUN(any_chunks_repeat_any_number_of_times), RUN(broken_lengths_are_refused))
