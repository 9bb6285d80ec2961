/*
 * A merge that is cut or fails: nothing acknowledged is lost, nothing comes twice, and the next try
 * succeeds.
 */
#include "tests/compaction/compactor_rig.h"

#define HOUR_MS INT64_C(3600000)

enum { OPERATIONS_MAX = 1000 };

/* Two tenants in two shards; the day before as well; a sample that repeats another's time. */
static void put_much(struct store_box *box)
{
    struct error err = {0};
    for (int i = 0; i < 3; i++) {
        box_put(box, "a", "cpu", BOX_START_MS + i, i);
        box_put(box, "a", "up", BOX_START_MS, 0);
        box_put(box, "a", "up", BOX_START_MS - BOX_DAY_MS + i, i);
        box_put(box, "d", "up", BOX_START_MS + i, i);
        if (i < 2) /* the last are the settling's to flush */
            expect_ok(box_flush(box, &err));
    }
}

static const char much_of_a[] = "cpu 1700000000000:0 1700000000001:1 1700000000002:2\n"
                                "up 1699913600000:0 1699913600001:1 1699913600002:2 "
                                "1700000000000:0\n";
static const char much_of_d[] = "up 1700000000000:0 1700000000001:1 1700000000002:2\n";

static void expect_much(struct store_box *box)
{
    expect_series(box, "a", much_of_a);
    expect_series(box, "d", much_of_d);
}

static enum status settle(struct store_box *box, struct error *err)
{
    struct compactor *compactor = rig_compactor(box);
    enum status status = compactor_settle(compactor, SETTLE_COMPACT, err);
    compactor_close(compactor);
    return status;
}

static void verify_blocks(struct store_box *box)
{
    for (uint32_t shard = 0; shard < store_shard_count(box->store); shard++) {
        struct error err = {0};
        struct block **blocks;
        size_t count;
        store_blocks(box->store, shard, &box->arena, &blocks, &count);
        for (size_t i = 0; i < count; i++) {
            expect_ok(block_verify(blocks[i], &err));
            block_release(blocks[i]);
        }
    }
}

/* After whatever happened, the store comes to rest with three blocks: two days of a, one of d. */
static void expect_rest(struct store_box *box)
{
    struct error err = {0};
    expect_ok(settle(box, &err));
    expect_much(box);
    assert_int_equal(box_file_count(box, ".tmp"), 0);
    assert_int_equal(box_file_count(box, ".block"), 3);
    verify_blocks(box);
}

/* ---- a power cut at every operation ---- */

/* What a merge has replaced is not there any more: blocks hold no more than was written. */
static void expect_no_leftovers(struct store_box *box)
{
    enum { WRITTEN = 12 };
    assert_in_range(box_block_samples(box), 0, WRITTEN);
}

static bool cut_after(uint64_t after, enum power_cut cut, uint64_t seed)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, seed);
    put_much(&box);
    sim_disk_cut_power_at(box.sim, sim_disk_operation_count(box.sim) + after);
    bool is_clean = settle(&box, &err) == STATUS_OK && !sim_disk_is_cut(box.sim);
    store_box_crash(&box, cut);
    expect_ok(store_box_open(&box, &err));
    expect_much(&box);
    expect_no_leftovers(&box);
    store_box_crash(&box, POWER_CUT_DROP_ALL); /* what a start does must itself be durable */
    expect_ok(store_box_open(&box, &err));
    expect_much(&box);
    expect_rest(&box);
    store_box_deinit(&box);
    return is_clean;
}

TEST(flush_and_merge_that_are_cut_anywhere_lose_and_double_nothing)
{
    for (enum power_cut cut = 0; cut < POWER_CUT_COUNT; cut++) {
        uint64_t after = 0;
        while (!cut_after(after, cut, 1 + after))
            assert_true(++after < OPERATIONS_MAX);
    }
}

/* ---- a disk that fails once, at every operation ---- */

static bool fail_after(uint64_t after, enum status failure)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, 1 + after);
    put_much(&box);
    uint64_t failing = sim_disk_operation_count(box.sim) + after;
    sim_disk_fail_at(box.sim, failing, failure);
    bool is_settled = settle(&box, &err) == STATUS_OK;
    bool is_clean = sim_disk_operation_count(box.sim) <= failing;
    sim_disk_fail_at(box.sim, UINT64_MAX, failure);
    assert_true(is_settled || !is_clean);
    expect_much(&box);
    if (after % 2 == 0) {
        store_box_crash(&box, POWER_CUT_KEEP_SOME);
        expect_ok(store_box_open(&box, &err));
        expect_much(&box);
    }
    sim_clock_advance(&box.clock, HOUR_MS / 2);
    expect_rest(&box);
    store_box_deinit(&box);
    return is_clean;
}

TEST(flush_and_merge_that_fail_anywhere_lose_nothing_and_later_ones_succeed)
{
    static const enum status failures[] = {STATUS_IO, STATUS_UNAVAILABLE};
    for (size_t i = 0; i < 2; i++) {
        uint64_t after = 0;
        while (!fail_after(after, failures[i]))
            assert_true(++after < OPERATIONS_MAX);
    }
}

/* ---- waiting after a failure ---- */

TEST(a_merge_that_failed_waits_longer_each_time)
{
    struct store_box box;
    store_box_start(&box, 3);
    flush_times(&box, "a", 4);
    struct compactor *compactor = rig_compactor(&box);
    const struct counter *failures = &compactor_counters(compactor)->failures;
    for (uint64_t i = 1; i <= 3; i++) {
        /* the first removes a file of that name that is not there, the second creates it */
        sim_disk_fail_at(box.sim, sim_disk_operation_count(box.sim) + 1, STATUS_IO);
        compactor_step(compactor);
        assert_int_equal(counter_get(failures), i);
        sim_clock_advance(&box.clock, (INT64_C(60000) << (i - 1)) - 1);
        compactor_step(compactor);
        assert_int_equal(shard_block_count(&box, "a"), 4);
        sim_clock_advance(&box.clock, 1);
    }
    compactor_step(compactor);
    assert_int_equal(counter_get(failures), 3);
    assert_int_equal(shard_block_count(&box, "a"), 1);
    compactor_close(compactor);
    store_box_deinit(&box);
}

TEST(one_shards_trouble_does_not_stop_another)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, 3);
    flush_times(&box, "a", 4);
    flush_times(&box, "d", 4);
    assert_int_not_equal(box_shard_of(&box, "a"), box_shard_of(&box, "d"));
    const char *first = box_shard_of(&box, "a") == 0 ? "a" : "d";
    const char *second = box_shard_of(&box, "a") == 0 ? "d" : "a";
    struct compactor *compactor = rig_compactor(&box);
    /* a file of the first shard that is not there is removed, then created */
    sim_disk_fail_at(box.sim, sim_disk_operation_count(box.sim) + 1, STATUS_IO);
    expect_status(compactor_settle(compactor, SETTLE_COMPACT, &err), STATUS_IO);
    assert_int_equal(shard_block_count(&box, first), 4);
    assert_int_equal(shard_block_count(&box, second), 1);
    compactor_close(compactor);
    store_box_deinit(&box);
}

/* ---- space ---- */

TEST(no_merge_begins_that_could_fill_the_disk)
{
    struct store_box box;
    struct error err = {0};
    struct write_result result;
    store_box_start(&box, 3);
    flush_times(&box, "a", 4);
    struct shard_status status;
    store_shard_status(box.store, box_shard_of(&box, "a"), &status);
    uint64_t used = box_used_bytes(&box);
    sim_disk_set_capacity(box.sim, used + 2 * status.block_bytes - 1);
    struct compactor *compactor = rig_compactor(&box);
    compactor_step(compactor);
    assert_int_equal(counter_get(&compactor_counters(compactor)->failures), 1);
    assert_int_equal(shard_block_count(&box, "a"), 4);
    const struct box_sample sample = {"a", "other", BOX_START_MS, 1};
    expect_ok(box_write(&box, &sample, 1, &result, &err));
    sim_disk_set_capacity(box.sim, UINT64_C(1) << 40);
    sim_clock_advance(&box.clock, HOUR_MS / 4);
    compactor_step(compactor);
    assert_int_equal(shard_block_count(&box, "a"), 1);
    compactor_close(compactor);
    store_box_deinit(&box);
}

TEST(replaced_files_that_could_not_be_deleted_go_with_the_next_step)
{
    struct store_box box;
    store_box_start(&box, 3);
    flush_times(&box, "a", 4);
    uint64_t begin = sim_disk_operation_count(box.sim);
    struct compactor *compactor = rig_compactor(&box);
    /* unlink of the name, create, append, sync, rename, sync of the folder; then the first
       unlink */
    sim_disk_fail_at(box.sim, begin + 6, STATUS_IO);
    compactor_step(compactor);
    assert_int_equal(shard_block_count(&box, "a"), 1);
    assert_int_equal(box_file_count(&box, ".block"), 1 + 4);
    compactor_step(compactor);
    assert_int_equal(box_file_count(&box, ".block"), 1);
    compactor_close(compactor);
    store_box_deinit(&box);
}

TEST_MAIN(RUN(flush_and_merge_that_are_cut_anywhere_lose_and_double_nothing),
          RUN(flush_and_merge_that_fail_anywhere_lose_nothing_and_later_ones_succeed),
          RUN(a_merge_that_failed_waits_longer_each_time),
          RUN(one_shards_trouble_does_not_stop_another),
          RUN(no_merge_begins_that_could_fill_the_disk),
          RUN(replaced_files_that_could_not_be_deleted_go_with_the_next_step))
