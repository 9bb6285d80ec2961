/* Bytes of a block that are wrong or missing on the disk. */
#include "tests/support/test.h"

#include "tests/tsdb/block_scene.h"
#include "tsdb/block/block_index.h"

static const struct model_size small = {3, 4, 40};

/* One byte is wrong. Answers are right or errors, at most one tenant is hit, and the proof
   fails. */
static void expect_honest(const struct block_model *model, struct sim_disk *sim)
{
    struct error err;
    struct block *block;
    struct disk *disk = sim_disk_disk(sim);
    enum status status = block_open(disk, MODEL_PATH, &block, &err);
    disk_close(disk);
    if (status != STATUS_OK) {
        assert_int_equal(status, STATUS_CORRUPT);
        return;
    }
    size_t damaged = 0;
    for (size_t i = 0; i < model->count; i++) {
        status = block_model_check_tenant(model, block, i, &err);
        assert_true(status == STATUS_OK || status == STATUS_CORRUPT);
        damaged += status != STATUS_OK;
    }
    assert_int_equal(damaged, 1);
    expect_status(block_verify(block, &err), STATUS_CORRUPT);
    block_release(block);
}

TEST(a_flipped_byte_is_an_error_of_one_tenant_never_a_wrong_answer)
{
    struct block_model model;
    block_model_init_seeded(&model, test_seed(35), small);
    struct sim_disk *sim = write_model_block(&model);
    uint64_t len = model_block_len(&model);
    for (uint64_t offset = 0; offset < len; offset++) {
        uint8_t mask = (uint8_t)(1U << offset % 8);
        sim_disk_flip(sim, MODEL_PATH, offset, mask);
        expect_honest(&model, sim);
        sim_disk_flip(sim, MODEL_PATH, offset, mask);
    }
    expect_model_block(&model, sim);
    sim_disk_free(sim);
    block_model_deinit(&model);
}

static struct block_place place_of(struct block *block, uint32_t series)
{
    struct error err;
    const struct block_index *index;
    struct block_place place;
    expect_ok(block_tenant_index(block, 0, &index, &err));
    expect_ok(block_index_place(index, series, &place, &err));
    return place;
}

static uint64_t timeline_offset(struct block *block, uint32_t number)
{
    struct error err;
    const struct block_index *index;
    expect_ok(block_tenant_index(block, 0, &index, &err));
    return block_index_timeline(index, number).offset;
}

/* The first series that shares its timeline with a later one. */
static uint32_t find_sharing(struct block *block)
{
    uint32_t count = (uint32_t)block_series_count(block, 0);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = i + 1; j < count; j++) {
            if (place_of(block, i).timeline == place_of(block, j).timeline)
                return i;
        }
    }
    fail_msg("%s", "no two series share a timeline");
    return 0;
}

static void expect_unreadable(struct block *block, uint32_t series)
{
    struct error err;
    struct columns samples;
    columns_init(&samples);
    columns_append(&samples, 5, 5);
    expect_status(block_read(block, 0, series, &block_all_time, &samples, &err), STATUS_CORRUPT);
    assert_int_equal(samples.count, 1);
    /* who asks for another time needs neither values nor timestamps */
    const struct block_range other = {.min_ts_ms = 0, .max_ts_ms = 1000};
    expect_ok(block_read(block, 0, series, &other, &samples, &err));
    columns_deinit(&samples);
}

static void expect_readable(const struct block_model *model, struct block *block, uint32_t series)
{
    struct error err;
    struct columns samples;
    columns_init(&samples);
    expect_ok(block_read(block, 0, series, &block_all_time, &samples, &err));
    assert_int_equal(samples.count, model->tenants[0].series[series].samples.count);
    columns_deinit(&samples);
}

/* Damages values or timestamps of a series that shares those; returns how many cannot be read. */
static size_t count_unreadable(bool is_timeline)
{
    struct block_model model;
    size_t unreadable = 0;
    block_model_init_seeded(&model, 36, (struct model_size){1, 30, 40});
    struct sim_disk *sim = write_model_block(&model);
    struct disk *disk = sim_disk_disk(sim);
    struct block *block = open_model_block(disk);
    uint32_t hit = find_sharing(block);
    struct block_place place = place_of(block, hit);
    uint64_t offset = is_timeline ? timeline_offset(block, place.timeline) : place.run_offset;
    sim_disk_flip(sim, MODEL_PATH, block_tenant_section(block, 0).runs_offset + offset + 3, 0x20);
    for (uint32_t i = 0; i < model.tenants[0].count; i++) {
        if (i == hit || (is_timeline && place_of(block, i).timeline == place.timeline)) {
            expect_unreadable(block, i);
            unreadable++;
        } else {
            expect_readable(&model, block, i);
        }
    }
    block_release(block);
    disk_close(disk);
    sim_disk_free(sim);
    block_model_deinit(&model);
    return unreadable;
}

TEST(damaged_values_cost_one_series_and_damaged_timestamps_those_that_share_them)
{
    assert_int_equal(count_unreadable(false), 1);
    assert_in_range(count_unreadable(true), 2, 29);
}

TEST(a_block_cut_at_any_byte_does_not_open)
{
    struct block_model model;
    struct error err;
    struct block *block;
    block_model_init_seeded(&model, test_seed(37), (struct model_size){2, 2, 5});
    uint64_t len = model_block_len(&model);
    for (uint64_t cut = 0; cut < len; cut++) {
        struct sim_disk *sim = write_model_block(&model);
        sim_disk_truncate(sim, MODEL_PATH, cut);
        struct disk *disk = sim_disk_disk(sim);
        expect_status(block_open(disk, MODEL_PATH, &block, &err), STATUS_CORRUPT);
        disk_close(disk);
        sim_disk_free(sim);
    }
    block_model_deinit(&model);
}

TEST(a_block_that_is_not_there_is_not_found)
{
    struct error err;
    struct block *block;
    struct sim_disk *sim = model_disk(1);
    struct disk *disk = sim_disk_disk(sim);
    expect_status(block_open(disk, MODEL_PATH, &block, &err), STATUS_NOT_FOUND);
    disk_close(disk);
    sim_disk_free(sim);
}

TEST_MAIN(RUN(a_flipped_byte_is_an_error_of_one_tenant_never_a_wrong_answer),
          RUN(damaged_values_cost_one_series_and_damaged_timestamps_those_that_share_them),
          RUN(a_block_cut_at_any_byte_does_not_open), RUN(a_block_that_is_not_there_is_not_found))
