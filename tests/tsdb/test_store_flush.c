/* A flush moves the head to blocks: nothing is lost, doubled or replayed twice. */
#include "tests/support/store_box.h"

enum { BOX_SEED = 7 };

TEST(a_flush_moves_the_samples_to_blocks_and_drops_the_log)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    box_put(&box, "d", "up", BOX_START_MS, 2);
    assert_true(box_file_count(&box, ".log") > 0);
    expect_flush(&box);
    assert_int_equal(box_file_count(&box, ".log"), 0);
    assert_int_equal(box_file_count(&box, ".tmp"), 0);
    assert_int_equal(box_block_count(&box), 2);
    expect_series(&box, "a", "up 1700000000000:1\n");
    store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
    assert_int_equal(store_replay_report(box.store)->samples, 0);
    expect_series(&box, "a", "up 1700000000000:1\n");
    expect_series(&box, "d", "up 1700000000000:2\n");
    store_box_deinit(&box);
}

TEST(a_flush_of_nothing_writes_nothing)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    expect_flush(&box);
    uint64_t operations = sim_disk_operation_count(box.sim);
    expect_flush(&box);
    assert_int_equal(sim_disk_operation_count(box.sim), operations);
    store_box_deinit(&box);
}

/* Samples of three UTC days, midnight on both sides. */
static void put_three_days(struct store_box *box)
{
    int64_t midnight_ms = BOX_START_MS - BOX_START_MS % BOX_DAY_MS;
    box_put(box, "a", "up", midnight_ms - BOX_DAY_MS - 1, 1);
    box_put(box, "a", "up", midnight_ms - BOX_DAY_MS, 2);
    box_put(box, "a", "up", midnight_ms - 1, 3);
    box_put(box, "a", "up", midnight_ms, 4);
    box_put(box, "a", "down", midnight_ms, 5);
    box_put(box, "d", "up", midnight_ms - 1, 6);
}

static const char three_days[] =
    "down 1699920000000:5\nup 1699833599999:1 1699833600000:2 1699919999999:3 1699920000000:4\n";

TEST(a_flush_makes_one_block_for_each_utc_day)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    put_three_days(&box);
    expect_flush(&box);
    struct block **blocks;
    size_t count;
    uint32_t shard = box_shard_of(&box, "a");
    store_blocks(box.store, shard, &box.arena, &blocks, &count);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        const struct block_meta *meta = block_meta(blocks[i]);
        assert_int_equal(meta->min_ts_ms / BOX_DAY_MS, meta->max_ts_ms / BOX_DAY_MS);
        block_release(blocks[i]);
    }
    expect_series(&box, "a", three_days);
    expect_series(&box, "d", "up 1699919999999:6\n");
    store_box_restart(&box);
    expect_series(&box, "a", three_days);
    store_box_deinit(&box);
}

TEST(a_flush_of_very_many_days_makes_a_block_for_each)
{
    enum { DAYS = 200 };
    struct store_box box;
    struct error err = {0};
    store_box_init(&box, BOX_SEED);
    box.options.retention_ms = 3000 * BOX_DAY_MS;
    box.options.shard_count = 1;
    expect_ok(store_box_open(&box, &err));
    for (int day = 0; day < DAYS; day++)
        box_put(&box, "a", "up", BOX_START_MS - (day * 5 + day / 60 * 100) * BOX_DAY_MS, day);
    expect_flush(&box);
    assert_int_equal(box_block_count(&box), DAYS);
    store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
    assert_int_equal(store_replay_report(box.store)->samples, 0);
    const struct box_query query = {.tenants = "a"};
    struct str got;
    expect_ok(box_select(&box, &query, &got, &err));
    size_t count = 0;
    for (size_t at = str_find(got, ':', 0); at < got.len; at = str_find(got, ':', at + 1))
        count++;
    assert_int_equal(count, DAYS);
    store_box_deinit(&box);
}

/* Cuts the power at each operation of a flush: whatever is left, nothing is lost, doubled or
   replayed twice. */
TEST(a_flush_that_is_cut_anywhere_loses_and_doubles_nothing)
{
    for (enum power_cut cut = 0; cut < POWER_CUT_COUNT; cut++) {
        for (uint64_t after = 0;; after++) {
            struct store_box box;
            struct error err = {0};
            store_box_start(&box, BOX_SEED);
            put_three_days(&box);
            sim_disk_cut_power_at(box.sim, sim_disk_operation_count(box.sim) + after);
            bool is_clean = box_flush(&box, &err) == STATUS_OK;
            store_box_crash_and_restart(&box, cut);
            expect_series(&box, "a", three_days);
            expect_series(&box, "d", "up 1699919999999:6\n");
            expect_flush(&box);
            store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
            assert_int_equal(store_replay_report(box.store)->samples, 0);
            expect_series(&box, "a", three_days);
            store_box_deinit(&box);
            if (is_clean)
                break;
            assert_true(after < 1000);
        }
    }
}

/* A flush whose n-th call fails, then a power cut; POWER_CUT_COUNT for none. */
static bool flush_with_failure(uint64_t after, enum status failure, enum power_cut cut,
                               uint64_t seed)
{
    struct store_box box;
    struct error err = {0};
    store_box_init(&box, seed);
    expect_ok(store_box_open(&box, &err));
    put_three_days(&box);
    uint64_t failing = sim_disk_operation_count(box.sim) + after;
    sim_disk_fail_at(box.sim, failing, failure);
    bool is_flushed = box_flush(&box, &err) == STATUS_OK;
    bool is_clean = sim_disk_operation_count(box.sim) <= failing;
    sim_disk_fail_at(box.sim, UINT64_MAX, failure);
    assert_true(is_flushed || !is_clean);
    expect_series(&box, "a", three_days);
    box_put(&box, "a", "later", BOX_START_MS, 9);
    if (cut < POWER_CUT_COUNT) {
        store_box_crash_and_restart(&box, cut);
        const struct box_query query = {.tenants = "a", .matchers = "__name__!=later"};
        struct str got;
        expect_ok(box_select(&box, &query, &got, &err));
        expect_str(got, three_days);
    }
    expect_flush(&box);
    store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
    assert_int_equal(store_replay_report(box.store)->samples, 0);
    const struct box_query later = {.tenants = "a", .matchers = "__name__=later"};
    struct str got;
    expect_ok(box_select(&box, &later, &got, &err));
    expect_str(got, "later 1700000000000:9\n");
    expect_series(&box, "d", "up 1699919999999:6\n");
    store_box_deinit(&box);
    return is_clean;
}

TEST(a_flush_that_fails_anywhere_loses_nothing_and_a_later_one_succeeds)
{
    enum { SEEDS = 4 };
    for (enum power_cut cut = 0; cut <= POWER_CUT_COUNT; cut++) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            uint64_t after = 0;
            while (!flush_with_failure(after, after % 2 == 0 ? STATUS_IO : STATUS_UNAVAILABLE, cut,
                                       seed))
                assert_true(++after < 1000);
        }
    }
}

/* One call of a flush fails, and the power goes while it is undone or soon after. */
static bool flush_with_failure_and_cut(uint64_t failing, uint64_t after, uint64_t seed)
{
    struct store_box box;
    struct error err = {0};
    store_box_init(&box, seed);
    expect_ok(store_box_open(&box, &err));
    put_three_days(&box);
    uint64_t first = sim_disk_operation_count(box.sim);
    sim_disk_fail_at(box.sim, first + failing, STATUS_IO);
    sim_disk_cut_power_at(box.sim, first + failing + 1 + after);
    enum status status = box_flush(&box, &err);
    bool is_clean = status == STATUS_OK && sim_disk_operation_count(box.sim) <= first + failing;
    sim_disk_fail_at(box.sim, UINT64_MAX, STATUS_IO);
    store_box_crash_and_restart(&box, POWER_CUT_KEEP_SOME);
    expect_series(&box, "a", three_days);
    expect_series(&box, "d", "up 1699919999999:6\n");
    store_box_deinit(&box);
    return is_clean;
}

TEST(a_cut_while_a_failed_flush_is_undone_loses_nothing)
{
    enum { SEEDS = 10, CUTS = 10 };
    bool is_clean = false;
    for (uint64_t failing = 0; !is_clean; failing++) {
        assert_true(failing < 1000);
        for (uint64_t after = 0; after < CUTS; after++) {
            for (uint64_t seed = 1; seed <= SEEDS; seed++)
                is_clean = flush_with_failure_and_cut(failing, after, seed);
        }
    }
}

/* A block that is written cannot be opened, and the power goes at some operation of the flush. */
static bool flush_with_failed_read_and_cut(uint64_t read, uint64_t operation)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, 1 + operation);
    put_three_days(&box);
    sim_disk_fail_read_at(box.sim, sim_disk_read_count(box.sim) + read);
    sim_disk_cut_power_at(box.sim, sim_disk_operation_count(box.sim) + operation);
    enum status status = box_flush(&box, &err);
    bool is_cut = sim_disk_is_cut(box.sim);
    sim_disk_fail_read_at(box.sim, UINT64_MAX);
    assert_true(is_cut || status == STATUS_IO);
    store_box_crash_and_restart(&box, POWER_CUT_KEEP_SOME);
    expect_series(&box, "a", three_days);
    expect_series(&box, "d", "up 1699919999999:6\n");
    store_box_deinit(&box);
    return is_cut;
}

static uint64_t count_reads_of_flush(void)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    put_three_days(&box);
    uint64_t before = sim_disk_read_count(box.sim);
    expect_flush(&box);
    uint64_t count = sim_disk_read_count(box.sim) - before;
    store_box_deinit(&box);
    return count;
}

TEST(a_cut_while_a_flush_is_undone_whose_block_cannot_be_opened_loses_nothing)
{
    uint64_t reads = count_reads_of_flush();
    assert_in_range(reads, 8, 100); /* of four blocks: open and map */
    for (uint64_t read = 0; read < reads; read++) {
        for (uint64_t operation = 0; flush_with_failed_read_and_cut(read, operation); operation++)
            assert_true(operation < 1000);
    }
}

/* The same for a flush: its block may have a name that only the kernel's memory knows. */
TEST(what_a_dead_process_flushed_without_sync_does_not_cost_the_log)
{
    for (uint64_t after = 0;; after++) {
        struct store_box box;
        struct error err = {0};
        store_box_start(&box, BOX_SEED);
        box_put(&box, "a", "up", BOX_START_MS, 1);
        sim_disk_cut_power_at(box.sim, sim_disk_operation_count(box.sim) + after);
        bool is_clean = box_flush(&box, &err) == STATUS_OK;
        store_box_crash(&box, POWER_CUT_PROCESS_ONLY);
        expect_ok(store_box_open(&box, &err));
        store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
        expect_series(&box, "a", "up 1700000000000:1\n");
        store_box_deinit(&box);
        if (is_clean)
            break;
        assert_true(after < 100);
    }
}

TEST_MAIN(RUN(a_flush_moves_the_samples_to_blocks_and_drops_the_log),
          RUN(a_flush_of_nothing_writes_nothing), RUN(a_flush_makes_one_block_for_each_utc_day),
          RUN(a_flush_of_very_many_days_makes_a_block_for_each),
          RUN(a_flush_that_is_cut_anywhere_loses_and_doubles_nothing),
          RUN(a_flush_that_fails_anywhere_loses_nothing_and_a_later_one_succeeds),
          RUN(a_cut_while_a_failed_flush_is_undone_loses_nothing),
          RUN(a_cut_while_a_flush_is_undone_whose_block_cannot_be_opened_loses_nothing),
          RUN(what_a_dead_process_flushed_without_sync_does_not_cost_the_log))
