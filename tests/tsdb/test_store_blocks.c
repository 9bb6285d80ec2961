/* Blocks that are damaged, dropped, or cannot be dropped. */
#include "tests/support/store_box.h"

#include <stdio.h>

#include "tsdb/model/sample.h"

enum { BOX_SEED = 7 };

TEST(a_damaged_block_is_quarantined_and_the_rest_is_served)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    expect_flush(&box);
    box_put(&box, "a", "up", BOX_START_MS + 1, 2);
    expect_flush(&box);
    uint32_t shard = box_shard_of(&box, "a");
    struct block **blocks;
    size_t count;
    char path[DISK_PATH_MAX];
    store_blocks(box.store, shard, &box.arena, &blocks, &count);
    assert_int_equal(count, 2);
    snprintf(path, sizeof path, "%s", block_path(blocks[1]));
    for (size_t i = 0; i < count; i++)
        block_release(blocks[i]);
    store_box_close(&box);
    box.is_damaged = true;
    sim_disk_flip(box.sim, path, 4, 0xff);
    struct error err = {0};
    expect_ok(store_box_open(&box, &err));
    assert_int_equal(store_replay_report(box.store)->quarantined_blocks, 1);
    assert_int_equal(box_file_count(&box, "/quarantine/"), 1);
    expect_series(&box, "a", "up 1700000000000:1\n");
    /* the next one gets another name, so that it could go there as well */
    box_put(&box, "a", "up", BOX_START_MS + 2, 3);
    expect_flush(&box);
    store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
    assert_int_equal(store_replay_report(box.store)->quarantined_blocks, 0);
    expect_series(&box, "a", "up 1700000000000:1 1700000000002:3\n");
    store_blocks(box.store, shard, &box.arena, &blocks, &count);
    assert_int_equal(count, 2);
    assert_string_not_equal(block_path(blocks[1]), path);
    for (size_t i = 0; i < count; i++)
        block_release(blocks[i]);
    store_box_deinit(&box);
}

TEST(a_dropped_block_is_gone_for_good_and_its_readers_go_on)
{
    for (enum power_cut cut = 0; cut < POWER_CUT_COUNT; cut++) {
        struct store_box box;
        struct error err = {0};
        store_box_start(&box, BOX_SEED);
        box_put(&box, "a", "up", BOX_START_MS, 1);
        expect_flush(&box);
        uint32_t shard = box_shard_of(&box, "a");
        struct scope scope = box_scope(&box.arena, "a");
        const struct select_options options = {
            .scope = &scope, .min_ts_ms = INT64_MIN, .max_ts_ms = INT64_MAX};
        struct selection *selection;
        expect_ok(select_open(box.store, &options, &selection, &err));
        struct block **blocks;
        size_t count;
        store_blocks(box.store, shard, &box.arena, &blocks, &count);
        assert_int_equal(count, 1);
        expect_ok(store_drop_block(box.store, shard, blocks[0], &err));
        expect_status(store_drop_block(box.store, shard, blocks[0], &err), STATUS_NOT_FOUND);
        block_release(blocks[0]);
        expect_series(&box, "a", "");
        struct columns samples;
        columns_init(&samples);
        expect_ok(select_read(selection, 0, INT64_MIN, INT64_MAX, &samples, &err));
        assert_int_equal(samples.count, 1);
        columns_deinit(&samples);
        select_close(selection);
        store_box_crash_and_restart(&box, cut);
        expect_series(&box, "a", "");
        assert_int_equal(box_file_count(&box, ".block"), 0);
        store_box_deinit(&box);
    }
}

TEST(a_block_that_cannot_be_deleted_stays_and_can_be_dropped_again)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    expect_flush(&box);
    uint32_t shard = box_shard_of(&box, "a");
    struct block **blocks;
    size_t count;
    store_blocks(box.store, shard, &box.arena, &blocks, &count);
    sim_disk_fail_at(box.sim, sim_disk_operation_count(box.sim), STATUS_IO);
    expect_status(store_drop_block(box.store, shard, blocks[0], &err), STATUS_IO);
    expect_series(&box, "a", "up 1700000000000:1\n");
    expect_ok(store_drop_block(box.store, shard, blocks[0], &err));
    expect_series(&box, "a", "");
    block_release(blocks[0]);
    store_box_deinit(&box);
}

static void drop_only_block(struct store_box *box)
{
    struct error err = {0};
    uint32_t shard = box_shard_of(box, "a");
    struct block **blocks;
    size_t count;
    store_blocks(box->store, shard, &box->arena, &blocks, &count);
    assert_int_equal(count, 1);
    expect_ok(store_drop_block(box->store, shard, blocks[0], &err));
    block_release(blocks[0]);
}

/* A flush covers one sample of the log and one that waits to be logged; a call of it fails.
   True when none did. */
static bool flush_with_failure_and_drop(uint64_t after)
{
    struct store_box box;
    struct error err = {0};
    struct box_write waiting;
    const struct box_sample sample = {"a", "up", BOX_START_MS + 1, 2};
    store_box_start(&box, BOX_SEED);
    box.options.wal_segment_bytes = 1; /* each commit begins a segment: none is open and gone */
    store_box_restart(&box);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    expect_ok(box_write_begin(&box, &waiting, &sample, 1, &err));
    uint64_t failing = sim_disk_operation_count(box.sim) + after;
    sim_disk_fail_at(box.sim, failing, STATUS_IO);
    enum status status = box_flush(&box, &err);
    bool is_clean = status == STATUS_OK && sim_disk_operation_count(box.sim) <= failing;
    sim_disk_fail_at(box.sim, UINT64_MAX, STATUS_IO);
    bool has_block = box_block_count(&box) > 0;
    if (has_block)
        drop_only_block(&box);
    expect_ok(box_commit(&box, &err));
    box_write_end(&waiting);
    box_put(&box, "a", "up", BOX_START_MS + 2, 3);
    store_box_restart(&box);
    expect_ok(box_verify(&box, &err));
    expect_series(&box, "a",
                  has_block ? "up 1700000000002:3\n"
                            : "up 1700000000000:1 1700000000001:2 1700000000002:3\n");
    store_box_deinit(&box);
    return is_clean;
}

/* Also when its epoch could not be committed: that would be logged behind what is dropped. */
TEST(the_log_has_nothing_of_a_dropped_block_whatever_failed_in_its_flush)
{
    uint64_t after = 0;
    while (!flush_with_failure_and_drop(after))
        assert_true(++after < 1000);
}

TEST_MAIN(RUN(a_damaged_block_is_quarantined_and_the_rest_is_served),
          RUN(a_dropped_block_is_gone_for_good_and_its_readers_go_on),
          RUN(a_block_that_cannot_be_deleted_stays_and_can_be_dropped_again),
          RUN(the_log_has_nothing_of_a_dropped_block_whatever_failed_in_its_flush))
