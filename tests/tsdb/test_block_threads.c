#include "tests/support/test.h"

#include "base/thread.h"
#include "tests/tsdb/block_scene.h"

struct reading_thread {
    const struct block_model *model;
    struct block *block;
    struct thread thread;
};

static void run_reader(void *context)
{
    struct reading_thread *reader = context;
    for (size_t i = 0; i < reader->model->count; i++) {
        struct error err;
        expect_ok(block_model_check_tenant(reader->model, reader->block, i, &err));
    }
    block_release(reader->block);
}

TEST(many_threads_may_be_the_first_to_use_a_tenant)
{
    enum { READERS = 4 };
    struct random random;
    struct block_scene scene;
    random_init_seeded(&random, test_seed(25));
    block_scene_open(&scene, &random, (struct model_size){50, 10, 30});
    struct reading_thread readers[READERS] = {0};
    for (size_t i = 0; i < READERS; i++) {
        block_acquire(scene.block);
        readers[i].model = &scene.model;
        readers[i].block = scene.block;
        thread_start(&readers[i].thread, "reader", run_reader, &readers[i]);
    }
    block_release(scene.block);
    scene.block = NULL; /* the last reader closes it */
    for (size_t i = 0; i < READERS; i++)
        thread_join(&readers[i].thread);
    block_scene_close(&scene);
}

struct sharing_thread {
    const struct model_tenant *tenant;
    struct block *block;
    struct timeline_cache *timelines;
    uint64_t seed;
    struct thread thread;
};

/* Random series, whole or in part. */
static void run_sharing_reader(void *context)
{
    struct sharing_thread *reader = context;
    struct random random;
    struct columns samples;
    random_init_seeded(&random, reader->seed);
    columns_init(&samples);
    for (size_t i = 0; i < 3000; i++) {
        struct error err;
        uint32_t series = (uint32_t)random_below(&random, reader->tenant->count);
        const struct columns *want = &reader->tenant->series[series].samples;
        size_t from = i % 2 == 0 ? 0 : random_below(&random, want->count);
        struct block_range range = {want->ts_ms[from], INT64_MAX, reader->timelines};
        columns_reset(&samples);
        expect_ok(block_read(reader->block, 0, series, &range, &samples, &err));
        assert_int_equal(samples.count, want->count - from);
        assert_memory_equal(samples.ts_ms, want->ts_ms + from, samples.count * sizeof(int64_t));
        assert_memory_equal(samples.values, want->values + from, samples.count * sizeof(double));
    }
    columns_deinit(&samples);
}

TEST(many_threads_may_read_through_one_cache)
{
    enum { READERS = 4 };
    struct random random;
    struct block_scene scene;
    struct timeline_cache timelines;
    random_init_seeded(&random, test_seed(26));
    block_scene_open(&scene, &random, (struct model_size){1, 40, 2000});
    struct block *block = scene.block;
    struct sharing_thread readers[READERS] = {0};
    timeline_cache_init(&timelines);
    for (size_t i = 0; i < READERS; i++) {
        readers[i] = (struct sharing_thread){
            .tenant = &scene.model.tenants[0], .block = block, .timelines = &timelines, .seed = i};
        thread_start(&readers[i].thread, "reader", run_sharing_reader, &readers[i]);
    }
    for (size_t i = 0; i < READERS; i++)
        thread_join(&readers[i].thread);
    timeline_cache_deinit(&timelines);
    block_scene_close(&scene);
}

TEST_MAIN(RUN(many_threads_may_be_the_first_to_use_a_tenant),
          RUN(many_threads_may_read_through_one_cache))
