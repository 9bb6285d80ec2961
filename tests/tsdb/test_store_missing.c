/* Files that should be there and are not: the store starts, says what is gone, and
   goes on saying it. */
#include "tests/support/store_box.h"

#include <stdio.h>

#include "tsdb/files/layout.h"
#include "tsdb/model/tenant.h"

enum { BOX_SEED = 5 };

/* ---- words of this file ---- */

/* The folder of the shard of tenant "a", and a file in it. */
static void path_in_shard(struct store_box *box, char *path, const char *file)
{
    uint32_t shard = tenant_table_find(store_tenants(box->store), STR("a"))->shard;
    snprintf(path, DISK_PATH_MAX, "shard-%04u/%s", shard, file);
}

static void remove_file(struct store_box *box, const char *path)
{
    struct error err;
    struct disk *disk = sim_disk_disk(box->sim);
    expect_ok(disk_unlink(disk, path, &err));
    disk_close(disk);
}

static void rename_file(struct store_box *box, const char *from, const char *to)
{
    struct error err;
    struct disk *disk = sim_disk_disk(box->sim);
    expect_ok(disk_rename(disk, from, to, &err));
    disk_close(disk);
}

static void open_again(struct store_box *box)
{
    struct error err = {0};
    expect_ok(store_box_open(box, &err));
}

static void flush_sample(struct store_box *box, int64_t ts_ms)
{
    struct error err = {0};
    box_put(box, "a", "up", ts_ms, 1);
    expect_ok(box_flush(box, &err));
}

static void expect_missing(struct store_box *box, uint64_t want)
{
    assert_int_equal(store_replay_report(box->store)->missing_files, want);
}

static void expect_wrong(struct store_box *box, const char *path, const char *want)
{
    struct error err = {0};
    expect_status(box_verify(box, &err), STATUS_CORRUPT);
    if (strstr(err.text, path) == NULL || strstr(err.text, want) == NULL)
        fail_msg("%s", err.text);
}

static void expect_clean(struct store_box *box)
{
    struct error err = {0};
    expect_ok(box_verify(box, &err));
}

/* ---- blocks ---- */

TEST(a_block_that_is_gone_is_missed_at_every_start_until_it_has_expired)
{
    struct store_box box;
    char path[DISK_PATH_MAX];
    store_box_start(&box, BOX_SEED);
    flush_sample(&box, BOX_START_MS);
    flush_sample(&box, BOX_START_MS + 1);
    path_in_shard(&box, path, "blocks/0000000000.block");
    store_box_close(&box);
    remove_file(&box, path);
    expect_wrong(&box, path, "gone, and with it 1 samples");
    for (int i = 0; i < 2; i++) {
        open_again(&box);
        expect_missing(&box, 1);
        expect_series(&box, "a", "up 1700000000001:1\n");
        expect_wrong(&box, path, "gone");
        store_box_close(&box);
    }
    sim_clock_advance(&box.clock, BOX_RETENTION_MS + 1);
    open_again(&box);
    expect_missing(&box, 0);
    expect_clean(&box);
    store_box_deinit(&box);
}

TEST(a_block_that_comes_back_is_missed_no_longer)
{
    struct store_box box;
    char path[DISK_PATH_MAX], aside[DISK_PATH_MAX];
    store_box_start(&box, BOX_SEED);
    flush_sample(&box, BOX_START_MS);
    path_in_shard(&box, path, "blocks/0000000000.block");
    path_in_shard(&box, aside, "block");
    store_box_close(&box);
    rename_file(&box, path, aside);
    open_again(&box);
    expect_missing(&box, 1);
    flush_sample(&box, BOX_START_MS + 1); /* under a sequence of its own */
    store_box_close(&box);
    rename_file(&box, aside, path);
    open_again(&box);
    expect_missing(&box, 0);
    expect_series(&box, "a", "up 1700000000000:1 1700000000001:1\n");
    expect_clean(&box);
    store_box_deinit(&box);
}

TEST(a_block_in_quarantine_is_not_gone)
{
    struct store_box box;
    char path[DISK_PATH_MAX];
    store_box_start(&box, BOX_SEED);
    flush_sample(&box, BOX_START_MS);
    path_in_shard(&box, path, "blocks/0000000000.block");
    store_box_close(&box);
    box.is_damaged = true; /* what is in quarantine is on the list */
    sim_disk_flip(box.sim, path, 0, 1);
    for (int i = 0; i < 2; i++) {
        open_again(&box);
        expect_missing(&box, 0);
        expect_wrong(&box, "quarantine/", "found before");
        store_box_close(&box);
    }
    store_box_deinit(&box);
}

TEST(a_block_under_the_name_of_another_goes_to_quarantine)
{
    struct store_box box;
    char path[DISK_PATH_MAX], renamed[DISK_PATH_MAX];
    store_box_start(&box, BOX_SEED);
    flush_sample(&box, BOX_START_MS);
    flush_sample(&box, BOX_START_MS + 1);
    path_in_shard(&box, path, "blocks/0000000000.block");
    path_in_shard(&box, renamed, "blocks/0000000099.block");
    store_box_close(&box);
    box.is_damaged = true; /* what is in quarantine is on the list */
    rename_file(&box, path, renamed);
    expect_wrong(&box, renamed, "got sequence 0, want that of the name");
    open_again(&box);
    assert_int_equal(store_replay_report(box.store)->quarantined_blocks, 1);
    expect_missing(&box, 1);
    expect_series(&box, "a", "up 1700000000001:1\n");
    store_box_deinit(&box);
}

/* ---- segments of the log ---- */

TEST(a_segment_that_is_gone_is_missed_at_every_start_until_blocks_cover_its_epoch)
{
    struct store_box box;
    char path[DISK_PATH_MAX];
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    path_in_shard(&box, path, "wal/0000000001-000001.log");
    store_box_crash(&box, POWER_CUT_DROP_ALL);
    remove_file(&box, path);
    expect_wrong(&box, path, "gone, and with it samples");
    for (int i = 0; i < 2; i++) {
        open_again(&box);
        expect_missing(&box, 1);
        box_put(&box, "a", "up", BOX_START_MS + 1, 1);
        assert_int_equal(box_file_count(&box, path), 0); /* its name stays free */
        expect_wrong(&box, path, "gone");
        store_box_close(&box);
    }
    open_again(&box);
    expect_flush(&box);
    store_box_restart(&box);
    expect_missing(&box, 0);
    expect_clean(&box);
    store_box_deinit(&box);
}

TEST(a_segment_that_comes_back_is_missed_no_longer)
{
    struct store_box box;
    char path[DISK_PATH_MAX], aside[DISK_PATH_MAX];
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    path_in_shard(&box, path, "wal/0000000001-000001.log");
    path_in_shard(&box, aside, "segment");
    store_box_crash(&box, POWER_CUT_DROP_ALL);
    rename_file(&box, path, aside);
    open_again(&box);
    expect_missing(&box, 1);
    box_put(&box, "a", "up", BOX_START_MS + 1, 1);
    store_box_crash(&box, POWER_CUT_DROP_ALL);
    rename_file(&box, aside, path);
    open_again(&box);
    expect_missing(&box, 0);
    expect_series(&box, "a", "up 1700000000000:1 1700000000001:1\n");
    store_box_deinit(&box);
}

/* The log is cut at `left_bytes`, perhaps with zeros behind it. */
static void expect_end_missed(uint64_t left_bytes, bool has_zeros)
{
    enum { SAMPLES = 3, ZEROS_END = 300 };
    struct store_box box;
    char path[DISK_PATH_MAX], proof[DISK_PATH_MAX];
    store_box_start(&box, BOX_SEED);
    for (int i = 0; i < SAMPLES; i++)
        box_put(&box, "a", "up", BOX_START_MS + i, i);
    path_in_shard(&box, path, "wal/0000000001-000001.log");
    path_in_shard(&box, proof, "wal/0000000001-000002.log");
    store_box_close(&box);
    box.is_damaged = true;
    remove_file(&box, proof); /* it was not synced */
    sim_disk_truncate(box.sim, path, left_bytes);
    if (has_zeros)
        sim_disk_truncate(box.sim, path, ZEROS_END);
    expect_wrong(&box, path, "damaged places");
    open_again(&box);
    assert_true(store_replay_report(box.store)->damaged_frames > 0);
    box_put(&box, "a", "up", BOX_START_MS + SAMPLES, 1);
    expect_flush(&box);
    assert_int_equal(box_file_count(&box, "quarantine/0000000001-000001.log"), 1);
    store_box_deinit(&box);
}

TEST(an_end_of_the_log_that_was_there_at_a_stop_and_is_gone_is_damage)
{
    enum { HEADER = 48, IN_FIRST_COMMIT = 100, IN_SECOND_COMMIT = 140 };
    expect_end_missed(0, false);
    expect_end_missed(0, true);
    expect_end_missed(HEADER, false);
    expect_end_missed(HEADER, true);
    expect_end_missed(IN_FIRST_COMMIT, false);
    expect_end_missed(IN_FIRST_COMMIT, true);
    expect_end_missed(IN_SECOND_COMMIT, false);
    expect_end_missed(IN_SECOND_COMMIT, true);
}

TEST(an_end_of_the_log_that_a_start_has_read_and_is_gone_is_damage)
{
    enum { SAMPLES = 3, IN_SECOND_COMMIT = 140 };
    struct store_box box;
    char path[DISK_PATH_MAX];
    store_box_start(&box, BOX_SEED);
    for (int i = 0; i < SAMPLES; i++)
        box_put(&box, "a", "up", BOX_START_MS + i, i);
    path_in_shard(&box, path, "wal/0000000001-000001.log");
    store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
    store_box_crash(&box, POWER_CUT_DROP_ALL);
    box.is_damaged = true;
    sim_disk_truncate(box.sim, path, IN_SECOND_COMMIT);
    expect_wrong(&box, path, "damaged places");
    open_again(&box);
    assert_true(store_replay_report(box.store)->damaged_frames > 0);
    store_box_deinit(&box);
}

/* ---- shards ---- */

TEST(a_shard_that_is_gone_is_missed_when_another_holds_something)
{
    struct store_box box;
    char path[DISK_PATH_MAX];
    store_box_start(&box, BOX_SEED);
    store_box_close(&box);
    remove_file(&box, "shard-0000/quarantine");
    open_again(&box);
    expect_missing(&box, 0); /* as after a first start that was cut off */
    box_put(&box, "a", "up", BOX_START_MS, 1);
    path_in_shard(&box, path, "");
    const char *other = path[9] == '0' ? "shard-0001/quarantine" : "shard-0000/quarantine";
    for (int i = 0; i < 2; i++) { /* in the log, in a block */
        store_box_close(&box);
        remove_file(&box, other);
        open_again(&box);
        expect_missing(&box, 1);
        expect_series(&box, "a", "up 1700000000000:1\n");
        expect_flush(&box);
    }
    store_box_restart(&box);
    expect_missing(&box, 0);
    store_box_deinit(&box);
}

/* ---- deletions ---- */

static void delete_something(struct store_box *box)
{
    struct error err = {0};
    flush_sample(box, BOX_START_MS);
    expect_ok(
        box_delete(box, &(struct box_query){.tenants = "a", .matchers = "__name__=up"}, &err));
    expect_series(box, "a", "");
}

TEST(a_file_of_deletions_that_is_gone_is_missed_once)
{
    struct store_box box;
    char path[DISK_PATH_MAX];
    store_box_start(&box, BOX_SEED);
    delete_something(&box);
    expect_clean(&box);
    path_in_shard(&box, path, "deletions");
    store_box_close(&box);
    remove_file(&box, path);
    expect_wrong(&box, path, "gone");
    open_again(&box);
    expect_missing(&box, 1);
    expect_series(&box, "a", "up 1700000000000:1\n");
    store_box_restart(&box);
    expect_missing(&box, 0);
    expect_clean(&box);
    store_box_deinit(&box);
}

TEST(deletions_that_have_done_their_work_are_not_missed)
{
    struct store_box box;
    struct error err = {0};
    struct block **blocks;
    size_t count;
    store_box_start(&box, BOX_SEED);
    delete_something(&box);
    uint32_t shard = tenant_table_find(store_tenants(box.store), STR("a"))->shard;
    store_blocks(box.store, shard, &box.arena, &blocks, &count);
    assert_int_equal(count, 1);
    expect_ok(store_drop_block(box.store, shard, blocks[0], &err));
    block_release(blocks[0]);
    expect_ok(store_forget_deletions(box.store, shard, &err));
    expect_clean(&box);
    store_box_restart(&box);
    expect_missing(&box, 0);
    expect_clean(&box);
    store_box_deinit(&box);
}

TEST(a_damaged_copy_of_the_deletions_is_found_and_written_anew)
{
    struct store_box box;
    char path[DISK_PATH_MAX];
    store_box_start(&box, BOX_SEED);
    delete_something(&box);
    path_in_shard(&box, path, "deletions");
    store_box_close(&box);
    sim_disk_flip(box.sim, path, 40, 1);
    expect_wrong(&box, path, "one of the two copies");
    open_again(&box);
    expect_series(&box, "a", "");
    expect_clean(&box);
    store_box_deinit(&box);
}

TEST(a_second_damaged_file_of_deletions_does_not_replace_the_first_in_quarantine)
{
    struct store_box box;
    struct error err = {0};
    char path[DISK_PATH_MAX];
    store_box_start(&box, BOX_SEED);
    box.is_damaged = true; /* what is in quarantine is on the list */
    for (int i = 0; i < 3; i++) {
        flush_sample(&box, BOX_START_MS + i);
        expect_ok(
            box_delete(&box, &(struct box_query){.tenants = "a", .matchers = "__name__=up"}, &err));
        path_in_shard(&box, path, "deletions");
        store_box_close(&box);
        sim_disk_truncate(box.sim, path, (uint64_t)i + 1);
        open_again(&box);
        assert_int_equal(store_replay_report(box.store)->quarantined_blocks, 1);
        assert_int_equal(box_file_count(&box, "quarantine/deletions"), (size_t)i + 1);
    }
    assert_int_equal(box_file_count(&box, "quarantine/deletions.2"), 1);
    store_box_deinit(&box);
}

/* ---- the manifest itself ---- */

TEST(a_manifest_that_is_damaged_or_gone_is_missed_once_and_made_anew)
{
    for (int is_gone = 0; is_gone < 2; is_gone++) {
        struct store_box box;
        char path[DISK_PATH_MAX];
        store_box_start(&box, BOX_SEED);
        flush_sample(&box, BOX_START_MS);
        path_in_shard(&box, path, "manifest");
        store_box_close(&box);
        if (is_gone)
            remove_file(&box, path);
        else
            sim_disk_truncate(box.sim, path, 0);
        expect_wrong(&box, path, is_gone ? "gone" : "got 0 bytes");
        open_again(&box);
        expect_missing(&box, 1);
        expect_series(&box, "a", "up 1700000000000:1\n");
        expect_clean(&box);
        store_box_restart(&box);
        expect_missing(&box, 0);
        store_box_deinit(&box);
    }
}

/* As a version left it that knew no manifests. */
TEST(a_store_that_never_had_manifests_misses_none)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    flush_sample(&box, BOX_START_MS);
    store_box_close(&box);
    remove_file(&box, "shard-0000/manifest");
    remove_file(&box, "shard-0001/manifest");
    struct disk *disk = sim_disk_disk(box.sim);
    expect_ok(layout_write(disk, &(struct layout){.shard_count = 2}, &err));
    disk_close(disk);
    expect_clean(&box);
    open_again(&box);
    expect_missing(&box, 0);
    store_box_close(&box);
    remove_file(&box, "shard-0000/manifest");
    open_again(&box);
    expect_missing(&box, 1);
    store_box_deinit(&box);
}

/* A first start, a flush, a commit, a stop and a second start: whether all of it went well. */
static bool live(struct store_box *box)
{
    struct error err = {0};
    const struct box_sample sample = {"a", "up", BOX_START_MS, 1};
    const struct box_sample in_log = {"a", "up", BOX_START_MS + 1, 1};
    struct write_result result;
    if (store_box_open(box, &err) != STATUS_OK)
        return false;
    bool is_well = box_write(box, &sample, 1, &result, &err) == STATUS_OK &&
                   box_flush(box, &err) == STATUS_OK &&
                   box_write(box, &in_log, 1, &result, &err) == STATUS_OK;
    store_box_close(box);
    if (store_box_open(box, &err) != STATUS_OK)
        return false;
    expect_missing(box, 0);
    return is_well;
}

/* With the power cut at an operation, or that failing; whether there is one more. */
static bool disturb_life(uint64_t operation, enum power_cut cut)
{
    struct store_box box;
    bool is_cut = cut < POWER_CUT_COUNT;
    store_box_init(&box, operation);
    sim_disk_cut_power_at(box.sim, is_cut ? operation : UINT64_MAX);
    sim_disk_fail_at(box.sim, is_cut ? UINT64_MAX : operation, STATUS_UNAVAILABLE);
    bool is_well = live(&box) && !sim_disk_is_cut(box.sim);
    bool has_next = !is_well || operation < sim_disk_operation_count(box.sim);
    store_box_crash(&box, is_cut ? cut : POWER_CUT_DROP_ALL);
    sim_disk_fail_at(box.sim, UINT64_MAX, STATUS_IO);
    for (int i = 0; i < 2; i++) {
        open_again(&box);
        expect_missing(&box, 0);
        expect_clean(&box);
        store_box_close(&box);
    }
    store_box_deinit(&box);
    return has_next;
}

TEST(a_life_that_is_cut_or_fails_anywhere_misses_nothing)
{
    for (enum power_cut cut = 0; cut <= POWER_CUT_COUNT; cut++) {
        uint64_t operation = 0;
        while (disturb_life(operation, cut))
            operation++;
        assert_true(operation > 50);
    }
}

TEST_MAIN(RUN(a_block_that_is_gone_is_missed_at_every_start_until_it_has_expired),
          RUN(a_block_that_comes_back_is_missed_no_longer), RUN(a_block_in_quarantine_is_not_gone),
          RUN(a_block_under_the_name_of_another_goes_to_quarantine),
          RUN(a_segment_that_is_gone_is_missed_at_every_start_until_blocks_cover_its_epoch),
          RUN(a_segment_that_comes_back_is_missed_no_longer),
          RUN(an_end_of_the_log_that_was_there_at_a_stop_and_is_gone_is_damage),
          RUN(an_end_of_the_log_that_a_start_has_read_and_is_gone_is_damage),
          RUN(a_shard_that_is_gone_is_missed_when_another_holds_something),
          RUN(a_file_of_deletions_that_is_gone_is_missed_once),
          RUN(deletions_that_have_done_their_work_are_not_missed),
          RUN(a_second_damaged_file_of_deletions_does_not_replace_the_first_in_quarantine),
          RUN(a_damaged_copy_of_the_deletions_is_found_and_written_anew),
          RUN(a_manifest_that_is_damaged_or_gone_is_missed_once_and_made_anew),
          RUN(a_store_that_never_had_manifests_misses_none),
          RUN(a_life_that_is_cut_or_fails_anywhere_misses_nothing))
