/* Segments of the log that are damaged: they outlive the flush of what could be read of them. */
#include "tests/support/store_box.h"

#include <stdio.h>

enum { BOX_SEED = 7, COMMITS = 6, FIRST_FRAME = 48, TORN_END = 400 };

/* ---- words of this file ---- */

/* A log of several segments, a commit each, that a process left without a flush. */
static void leave_log(struct store_box *box)
{
    store_box_init(box, BOX_SEED);
    box->options.wal_segment_bytes = 1;
    struct error err = {0};
    expect_ok(store_box_open(box, &err));
    for (int i = 0; i < COMMITS; i++)
        box_put(box, "a", "up", BOX_START_MS + i, i);
    store_box_close(box);
    box->is_damaged = true; /* it will be */
}

/* Of tenant "a", by its number. */
static void segment_of_a(struct store_box *box, uint32_t epoch, uint32_t number, char *path)
{
    struct tenant_id id = {.len = 1, .text = "a"};
    snprintf(path, DISK_PATH_MAX, "shard-%04u/wal/%010u-%06u.log",
             tenant_id_shard(&id, box->options.shard_count), epoch, number);
}

static void damage_segment(struct store_box *box, uint32_t number)
{
    char path[DISK_PATH_MAX];
    segment_of_a(box, 1, number, path);
    sim_disk_flip(box->sim, path, FIRST_FRAME + 30, 1);
}

static void open_again(struct store_box *box)
{
    struct error err = {0};
    expect_ok(store_box_open(box, &err));
}

static void expect_wrong(struct store_box *box, const char *want)
{
    struct error err = {0};
    expect_status(box_verify(box, &err), STATUS_CORRUPT);
    if (strstr(err.text, want) == NULL)
        fail_msg("%s", err.text);
}

/* ---- cases ---- */

TEST(a_damaged_segment_goes_to_quarantine_with_its_epoch_and_no_other_does)
{
    struct store_box box;
    leave_log(&box);
    damage_segment(&box, 3);
    open_again(&box);
    expect_wrong(&box, "wal/0000000001-000003.log: log: 1 damaged places");
    assert_int_equal(box_file_count(&box, "quarantine/"), 0); /* the next start needs it as well */
    expect_flush(&box);
    assert_int_equal(box_file_count(&box, "/wal/"), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(box_file_count(&box, "quarantine/0000000001-000003.log"), 1);
        assert_int_equal(box_file_count(&box, "quarantine/"), 1);
        assert_int_equal(store_quarantine_file_count(box.store), 1);
        expect_wrong(&box, "quarantine/0000000001-000003.log: damage that was found before");
        expect_series(&box, "a",
                      "up 1700000000000:0 1700000000001:1 1700000000003:3 1700000000004:4 "
                      "1700000000005:5\n");
        store_box_restart(&box);
    }
    store_box_deinit(&box);
}

TEST(segments_whose_series_were_declared_in_a_lost_one_go_to_quarantine_as_well)
{
    for (int is_gone = 0; is_gone < 2; is_gone++) {
        struct store_box box;
        struct error err = {0};
        char path[DISK_PATH_MAX];
        leave_log(&box);
        damage_segment(&box, 1);
        segment_of_a(&box, 1, 1, path);
        struct disk *disk = sim_disk_disk(box.sim);
        if (is_gone)
            expect_ok(disk_unlink(disk, path, &err));
        disk_close(disk);
        open_again(&box);
        assert_int_equal(store_replay_report(box.store)->lost_samples, COMMITS - 1);
        expect_series(&box, "a", "");
        box_put(&box, "a", "up", BOX_START_MS + COMMITS, 1);
        expect_flush(&box);
        assert_int_equal(box_file_count(&box, "/wal/"), 0);
        assert_int_equal(box_file_count(&box, "quarantine/"), (size_t)(COMMITS - is_gone));
        store_box_deinit(&box);
    }
}

TEST(a_torn_tail_is_deleted_with_its_epoch)
{
    struct store_box box;
    char path[DISK_PATH_MAX];
    leave_log(&box);
    segment_of_a(&box, 1, COMMITS + 1, path); /* the proof that a stop leaves */
    sim_disk_truncate(box.sim, path, 0);
    segment_of_a(&box, 1, COMMITS, path);
    sim_disk_truncate(box.sim, path, TORN_END);
    sim_disk_flip(box.sim, path, TORN_END - 1, 1);
    open_again(&box);
    assert_true(store_replay_report(box.store)->torn_tail_bytes > 0);
    expect_flush(&box);
    assert_int_equal(box_file_count(&box, "/wal/"), 0);
    assert_int_equal(box_file_count(&box, "quarantine/"), 0);
    store_box_deinit(&box);
}

static size_t damaged_segments(struct store_box *box)
{
    return box_file_count(box, "0000000001-000003.log") +
           box_file_count(box, "0000000001-000004.log");
}

/* Two, whose flush is cut off at an operation; what the next process finds it flushes as well. */
static bool cut_flush(uint64_t operation, enum power_cut cut)
{
    struct store_box box;
    struct error err = {0};
    leave_log(&box);
    damage_segment(&box, 3);
    damage_segment(&box, 4);
    open_again(&box);
    sim_disk_cut_power_at(box.sim, sim_disk_operation_count(box.sim) + operation);
    enum status status = box_flush(&box, &err);
    store_box_crash_and_restart(&box, cut);
    expect_flush(&box);
    box_put(&box, "a", "up", BOX_START_MS + COMMITS, 1);
    expect_flush(&box);
    if (damaged_segments(&box) != 2 || box_file_count(&box, "quarantine/") != 2)
        fail_msg("cut %d at operation %d: %zu are left, %zu in quarantine", (int)cut,
                 (int)operation, damaged_segments(&box), box_file_count(&box, "quarantine/"));
    store_box_deinit(&box);
    return status != STATUS_OK;
}

TEST(a_flush_that_is_cut_anywhere_deletes_no_damaged_segment)
{
    for (enum power_cut cut = 0; cut < POWER_CUT_COUNT; cut++) {
        uint64_t operation = 0;
        while (cut_flush(operation, cut))
            operation++;
        assert_true(operation > 10);
    }
}

TEST(a_segment_in_quarantine_is_never_replaced_by_another)
{
    struct store_box box;
    struct error err = {0};
    struct block **blocks;
    size_t count;
    leave_log(&box);
    damage_segment(&box, 3);
    open_again(&box);
    expect_flush(&box);
    store_blocks(box.store, box_shard_of(&box, "a"), &box.arena, &blocks, &count);
    assert_int_equal(count, 1);
    expect_ok(store_drop_block(box.store, box_shard_of(&box, "a"), blocks[0], &err));
    block_release(blocks[0]);
    store_box_restart(&box); /* nothing but the quarantine tells of epoch 1 */
    box_put(&box, "a", "up", BOX_START_MS, 1);
    assert_int_equal(box_file_count(&box, "wal/0000000002-000001.log"), 1);
    store_box_deinit(&box);
}

TEST(a_quarantine_that_was_removed_is_made_again)
{
    struct store_box box;
    struct error err = {0};
    char path[DISK_PATH_MAX];
    leave_log(&box);
    damage_segment(&box, 3);
    open_again(&box);
    snprintf(path, sizeof path, "shard-%04u/quarantine", box_shard_of(&box, "a"));
    expect_ok(disk_unlink(box.disk, path, &err));
    expect_flush(&box);
    assert_int_equal(box_file_count(&box, "quarantine/"), 1);
    assert_int_equal(box_file_count(&box, "/wal/"), 0);
    store_box_deinit(&box);
}

TEST_MAIN(RUN(a_damaged_segment_goes_to_quarantine_with_its_epoch_and_no_other_does),
          RUN(segments_whose_series_were_declared_in_a_lost_one_go_to_quarantine_as_well),
          RUN(a_torn_tail_is_deleted_with_its_epoch),
          RUN(a_flush_that_is_cut_anywhere_deletes_no_damaged_segment),
          RUN(a_segment_in_quarantine_is_never_replaced_by_another),
          RUN(a_quarantine_that_was_removed_is_made_again))
