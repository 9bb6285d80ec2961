/* What a block is written from, and what is read back of it. */
#include "tests/support/test.h"

#include "tests/tsdb/block_scene.h"
#include "tsdb/block/block_index.h"

/* ---- the format ---- */

/* The example of docs/format/block.md. */
static const uint8_t golden[] = {
    0x43, 0x52, 0x4f, 0x46, 0x54, 0x42, 0x4c, 0x4b, 0x06, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
    0x0c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xa2, 0x37, 0x1f, 0xae,
    0x03, 0x03, 0x09, 0x80, 0xa0, 0xab, 0xfe, 0xf9, 0x62, 0xb0, 0xea, 0x01, 0x00, 0x80, 0xa0, 0xab,
    0xfe, 0xf9, 0x62, 0x98, 0x75, 0x04, 0x00, 0x02, 0xf0, 0x3f, 0x05, 0x01, 0x00, 0x00, 0x01, 0x05,
    0x05, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
    0x0f, 0x00, 0x00, 0x00, 0x18, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x00, 0x00,
    0x0d, 0x00, 0x00, 0x00, 0x0f, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x03, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
    0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
    0x02, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x18, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x15, 0x00, 0x00, 0x00, 0x59, 0x40, 0xef, 0x27, 0x00, 0x68, 0xe5, 0xcf,
    0x8b, 0x01, 0x00, 0x00, 0x30, 0xdd, 0xe5, 0xcf, 0x8b, 0x01, 0x00, 0x00, 0x5f, 0x5f, 0x6e, 0x61,
    0x6d, 0x65, 0x5f, 0x5f, 0x61, 0x62, 0x6a, 0x6f, 0x62, 0x75, 0x70, 0x02, 0x00, 0x00, 0x01, 0x00,
    0x00, 0x15, 0x05, 0x99, 0xb2, 0x75, 0x40, 0x02, 0x00, 0x00, 0x01, 0x01, 0x00, 0x1a, 0x06, 0xec,
    0x58, 0xbb, 0x8e, 0x01, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x20,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc7,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xb9, 0x06, 0xe6, 0xf6, 0x02, 0x00, 0x00, 0x00, 0x06,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x68, 0xe5, 0xcf, 0x8b, 0x01, 0x00, 0x00, 0x30,
    0xdd, 0xe5, 0xcf, 0x8b, 0x01, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0a,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x61, 0x63, 0x6d, 0x65, 0x07, 0x01, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x54, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1b, 0x1a, 0x48, 0x1c, 0x01,
    0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x06, 0x00, 0x00, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x00, 0x68, 0xe5, 0xcf, 0x8b,
    0x01, 0x00, 0x00, 0x30, 0xdd, 0xe5, 0xcf, 0x8b, 0x01, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xcb, 0x01, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x43, 0x42, 0x4c, 0x4b, 0x98, 0x47, 0x94, 0xd3,
};

static struct columns example_samples(int64_t *ts_ms, double *values)
{
    for (int64_t i = 0; i < 3; i++) {
        ts_ms[i] = 1700000000000 + i * 15000;
        values[i] = 1;
    }
    return (struct columns){.ts_ms = ts_ms, .values = values, .count = 3, .capacity = 3};
}

static void write_example(struct disk *disk)
{
    struct error err;
    struct block_writer *writer;
    struct block_meta meta = {
        .shard = 3, .sequence = 12, .rank = 9, .level = 1, .covered_epoch = 7};
    struct tenant_id acme = {.len = 4, .text = "acme"};
    struct label a[] = {{LABEL_METRIC_NAME, STR("up")}, {STR("job"), STR("a")}};
    struct label b[] = {{LABEL_METRIC_NAME, STR("up")}, {STR("job"), STR("b")}};
    int64_t ts_ms[3];
    double values[3];
    struct columns samples = example_samples(ts_ms, values);
    char path[DISK_PATH_MAX];
    expect_ok(block_writer_open(disk, MODEL_FOLDER, &meta, &writer, &err));
    expect_ok(block_writer_tenant(writer, &acme, &err));
    expect_ok(block_writer_series(writer, (struct labels){a, 2}, &samples, &err));
    values[1] = 0;
    expect_ok(block_writer_series(writer, (struct labels){b, 2}, &samples, &err));
    block_writer_replaces(writer, 9);
    block_writer_replaces(writer, 10);
    expect_ok(block_writer_finish(writer, path, &err));
}

static void expect_example(struct disk *disk)
{
    struct error err;
    struct arena arena;
    struct labels labels;
    struct columns samples;
    struct block *block = open_model_block(disk);
    expect_ok(block_verify(block, &err));
    arena_init(&arena, SIZE_MAX);
    columns_init(&samples);
    assert_int_equal(block_meta(block)->rank, 9);
    assert_true(block_replaces(block, 9));
    assert_true(block_replaces(block, 10));
    assert_false(block_replaces(block, 11));
    expect_str(block_tenant(block, 0), "acme");
    expect_ok(block_labels(block, 0, 0, &arena, &labels, &err));
    assert_int_equal(labels.count, 2);
    expect_str(labels_get(labels, STR("__name__")), "up");
    expect_str(labels_get(labels, STR("job")), "a");
    expect_ok(block_read(block, 0, 0, &block_all_time, &samples, &err));
    assert_int_equal(samples.count, 3);
    assert_int_equal(samples.ts_ms[2], 1700000030000);
    assert_true(samples.values[1] == 1);
    columns_reset(&samples);
    expect_ok(block_read(block, 0, 1, &block_all_time, &samples, &err));
    assert_int_equal(samples.count, 3);
    assert_int_equal(samples.ts_ms[2], 1700000030000);
    assert_true(samples.values[1] == 0);
    columns_deinit(&samples);
    arena_deinit(&arena);
    block_release(block);
}

TEST(the_example_of_the_format_page_reads_and_writes_the_same_bytes)
{
    struct error err;
    struct file *file;
    uint8_t bytes[1024];
    size_t len;
    struct sim_disk *sim = model_disk(1);
    struct disk *disk = sim_disk_disk(sim);
    write_example(disk);
    expect_ok(disk_open(disk, MODEL_PATH, &file, &err));
    expect_ok(file_read(file, 0, bytes, sizeof bytes, &len, &err));
    file_close(file);
    assert_int_equal(len, sizeof golden);
    assert_memory_equal(bytes, golden, len);

    expect_ok(disk_unlink(disk, MODEL_PATH, &err));
    expect_ok(disk_create(disk, MODEL_PATH, &file, &err));
    expect_ok(file_append(file, (struct bytes){golden, sizeof golden}, &err));
    file_close(file);
    expect_example(disk);
    disk_close(disk);
    sim_disk_free(sim);
}

/* ---- round trip ---- */

static void expect_round_trip(struct random *random, struct model_size size)
{
    struct block_scene scene;
    block_scene_open(&scene, random, size);
    expect_str(str_from(block_path(scene.block)), MODEL_PATH);
    block_model_expect(&scene.model, scene.block);
    block_scene_close(&scene);
}

TEST(everything_that_was_written_is_read_back)
{
    struct random random;
    random_init_seeded(&random, test_seed(21));
    for (size_t i = 0; i < 10; i++)
        expect_round_trip(&random, (struct model_size){1 + i % 4, 1 + 40 * i, 700});
    expect_round_trip(&random, (struct model_size){1, 1, 50000});
    expect_round_trip(&random, (struct model_size){200, 3, 3});
}

static const struct block_index *index_of(struct block *block)
{
    struct error err;
    const struct block_index *index;
    expect_ok(block_tenant_index(block, 0, &index, &err));
    return index;
}

TEST(a_thousand_series_of_one_scrape_store_their_timestamps_once)
{
    enum { SERIES = 1000, SAMPLES = 500 };
    struct error err;
    struct block_scene scene;
    struct tenant_id id = {.len = 1, .text = "a"};
    struct columns samples;
    columns_init(&samples);
    for (int64_t i = 0; i < SAMPLES; i++)
        columns_append(&samples, 1700000000000 + i * 15000 + i * i % 7, 0);
    struct block_writer *writer = block_scene_begin(&scene);
    expect_ok(block_writer_tenant(writer, &id, &err));
    for (int i = 0; i < SERIES; i++)
        write_scrape(writer, i, &samples);
    samples.count--; /* one that missed the last scrape */
    write_scrape(writer, SERIES, &samples);
    struct block *block = block_scene_finish(&scene, writer);
    assert_int_equal(index_of(block)->timeline_count, 2);
    assert_in_range(block_size_bytes(block), 1, 2 * SAMPLES + SERIES * 70);
    expect_ok(block_verify(block, &err));
    columns_deinit(&samples);
    block_scene_close(&scene);
}

TEST(a_block_of_nobody_is_a_block)
{
    struct random random;
    random_init_seeded(&random, 1);
    expect_round_trip(&random, (struct model_size){0, 1, 1});
}

TEST(tenants_without_series_leave_no_trace)
{
    struct error err;
    struct block_scene scene;
    struct tenant_id a = {.len = 1, .text = "a"}, b = {.len = 1, .text = "b"};
    struct block_writer *writer = block_scene_begin(&scene);
    expect_ok(block_writer_tenant(writer, &a, &err));
    expect_ok(block_writer_tenant(writer, &b, &err));
    struct block *block = block_scene_finish(&scene, writer);
    assert_int_equal(block_tenant_count(block), 0);
    expect_ok(block_verify(block, &err));
    block_scene_close(&scene);
}

TEST(ten_thousand_tenants_are_found_by_name)
{
    struct error err;
    struct random random;
    struct block_scene scene;
    random_init_seeded(&random, test_seed(22));
    block_scene_open(&scene, &random, (struct model_size){10000, 5, 2});
    struct block *block = scene.block;
    assert_int_equal(block_tenant_count(block), 10000);
    for (size_t i = 0; i < 10000; i++) {
        size_t tenant;
        expect_ok(
            block_find_tenant(block, tenant_id_str(&scene.model.tenants[i].id), &tenant, &err));
        assert_int_equal(tenant, i);
        if (i % 100 == 0)
            expect_ok(block_model_check_tenant(&scene.model, block, i, &err));
    }
    size_t tenant;
    expect_status(block_find_tenant(block, STR(""), &tenant, &err), STATUS_NOT_FOUND);
    expect_status(block_find_tenant(block, STR("tenant-00000"), &tenant, &err), STATUS_NOT_FOUND);
    expect_status(block_find_tenant(block, STR("tenant-0000000"), &tenant, &err), STATUS_NOT_FOUND);
    expect_status(block_find_tenant(block, STR("z"), &tenant, &err), STATUS_NOT_FOUND);
    block_scene_close(&scene);
}

/* ---- reading ---- */

static void expect_range(const struct model_series *want, struct block *block,
                         struct block_range range)
{
    struct error err;
    struct columns samples;
    columns_init(&samples);
    expect_ok(block_read(block, 0, 0, &range, &samples, &err));
    size_t expected = 0;
    for (size_t i = 0; i < want->samples.count; i++) {
        if (want->samples.ts_ms[i] < range.min_ts_ms || want->samples.ts_ms[i] > range.max_ts_ms)
            continue;
        assert_true(expected < samples.count);
        assert_int_equal(samples.ts_ms[expected], want->samples.ts_ms[i]);
        assert_true(samples.values[expected] == want->samples.values[i]);
        expected++;
    }
    assert_int_equal(samples.count, expected);
    columns_deinit(&samples);
}

TEST(a_range_gives_the_samples_within_it_both_ends_included)
{
    struct random random;
    struct block_scene scene;
    random_init_seeded(&random, test_seed(24));
    block_scene_open(&scene, &random, (struct model_size){1, 1, 3000});
    while (scene.model.tenants[0].series[0].samples.count < 1000) {
        block_scene_close(&scene);
        block_scene_open(&scene, &random, (struct model_size){1, 1, 3000});
    }
    struct block *block = scene.block;
    const struct model_series *series = &scene.model.tenants[0].series[0];
    struct timeline_cache timelines;
    timeline_cache_init(&timelines);
    for (size_t round = 0; round < 500; round++) {
        int64_t first = series->samples.ts_ms[random_below(&random, series->samples.count)];
        int64_t last = series->samples.ts_ms[random_below(&random, series->samples.count)];
        int64_t nudge = (int64_t)random_below(&random, 3) - 1;
        if (round % 50 == 49) { /* so that the first range is often a smaller one */
            timeline_cache_deinit(&timelines);
            timeline_cache_init(&timelines);
        }
        expect_range(series, block, (struct block_range){first + nudge, last - nudge, NULL});
        expect_range(series, block, (struct block_range){first + nudge, last - nudge, &timelines});
    }
    timeline_cache_deinit(&timelines);
    expect_range(series, block,
                 (struct block_range){INT64_MIN, series->samples.ts_ms[0] - 1, NULL});
    expect_range(series, block, (struct block_range){INT64_MIN, series->samples.ts_ms[0], NULL});
    expect_range(series, block, (struct block_range){INT64_MAX, INT64_MAX, NULL});
    expect_range(series, block, (struct block_range){INT64_MIN, INT64_MIN, NULL});
    block_scene_close(&scene);
}

TEST(samples_join_those_that_are_there_already)
{
    struct error err;
    struct sim_disk *sim = model_disk(1);
    struct disk *disk = sim_disk_disk(sim);
    write_example(disk);
    struct block *block = open_model_block(disk);
    struct columns samples;
    columns_init(&samples);
    columns_append(&samples, 1700000007000, 7);
    columns_append(&samples, 1700000015000, 9);
    columns_append(&samples, 1700000099000, 8);
    expect_ok(block_read(block, 0, 0, &block_all_time, &samples, &err));
    assert_int_equal(samples.count, 5);
    assert_int_equal(samples.ts_ms[0], 1700000000000);
    assert_true(samples.values[2] == 9); /* what was there stays */
    assert_int_equal(samples.ts_ms[4], 1700000099000);
    columns_deinit(&samples);
    block_release(block);
    disk_close(disk);
    sim_disk_free(sim);
}

TEST_MAIN(RUN(the_example_of_the_format_page_reads_and_writes_the_same_bytes),
          RUN(everything_that_was_written_is_read_back),
          RUN(a_thousand_series_of_one_scrape_store_their_timestamps_once),
          RUN(a_block_of_nobody_is_a_block), RUN(tenants_without_series_leave_no_trace),
          RUN(ten_thousand_tenants_are_found_by_name),
          RUN(a_range_gives_the_samples_within_it_both_ends_included),
          RUN(samples_join_those_that_are_there_already))
