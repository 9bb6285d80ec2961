#include "compaction/maintenance.h"

#include "compaction/compactor.h"
#include "tests/support/store_box.h"

enum { BOX_SEED = 13, MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

static const struct plan_limits limits = {.flush_after_ms = 30 * MINUTE_MS,
                                          .flush_memory_bytes = UINT64_MAX,
                                          .flush_samples = UINT64_MAX,
                                          .flush_wal_bytes = UINT64_MAX};

struct scene {
    struct store_box box;
    struct maintenance *maintenance;
};

static void open_scene(struct scene *s)
{
    struct error err = {0};
    store_box_init(&s->box, BOX_SEED);
    expect_ok(store_box_open(&s->box, &err));
    s->maintenance = maintenance_new(s->box.store, &limits);
}

static void close_scene(struct scene *s)
{
    maintenance_close(s->maintenance);
    store_box_deinit(&s->box);
}

static uint64_t count(const struct counter *counter)
{
    return counter_get(counter);
}

static uint64_t block_count(struct scene *s)
{
    uint64_t blocks = 0;
    for (uint32_t i = 0; i < store_shard_count(s->box.store); i++) {
        struct shard_status status;
        store_shard_status(s->box.store, i, &status);
        blocks += status.block_count;
    }
    return blocks;
}

/* Steps every minute, as the thread does every second. */
static void run_for(struct scene *s, int64_t ms)
{
    for (int64_t at = 0; at < ms; at += MINUTE_MS) {
        sim_clock_advance(&s->box.clock, MINUTE_MS);
        maintenance_step(s->maintenance);
    }
}

/* So that the next step has none of its own to write. */
static void note_hour(struct scene *s)
{
    store_note_time(s->box.store, clock_now_ms(&s->box.clock.base));
}

TEST(heads_are_flushed_in_their_time)
{
    struct scene s;
    open_scene(&s);
    box_put(&s.box, "a", "up", BOX_START_MS, 1);
    box_put(&s.box, "d", "up", BOX_START_MS, 2);
    run_for(&s, 29 * MINUTE_MS);
    assert_int_equal(block_count(&s), 0);
    run_for(&s, MINUTE_MS);
    assert_int_equal(block_count(&s), 1); /* the other shard's turn is later */
    run_for(&s, 8 * MINUTE_MS);
    assert_int_equal(block_count(&s), 2);
    assert_int_equal(count(&maintenance_counters(s.maintenance)->flushes), 2);
    run_for(&s, 2 * HOUR_MS);
    assert_int_equal(count(&maintenance_counters(s.maintenance)->flushes), 2);
    expect_series(&s.box, "a", "up 1700000000000:1\n");
    close_scene(&s);
}

TEST(a_failed_flush_waits_and_does_not_stop_the_other_shard)
{
    struct scene s;
    open_scene(&s);
    box_put(&s.box, "a", "up", BOX_START_MS, 1);
    box_put(&s.box, "d", "up", BOX_START_MS, 2);
    sim_clock_advance(&s.box.clock, 40 * MINUTE_MS);
    note_hour(&s);
    sim_disk_fail_at(s.box.sim, sim_disk_operation_count(s.box.sim) + 2, STATUS_UNAVAILABLE);
    maintenance_step(s.maintenance);
    const struct maintenance_counters *counters = maintenance_counters(s.maintenance);
    assert_int_equal(count(&counters->flush_failures), 1);
    assert_int_equal(count(&counters->flushes), 1);
    maintenance_step(s.maintenance); /* too early */
    assert_int_equal(count(&counters->flushes), 1);
    expect_series(&s.box, "a|d",
                  "up{tenant_id=\"a\"} 1700000000000:1\n"
                  "up{tenant_id=\"d\"} 1700000000000:2\n");
    run_for(&s, HOUR_MS);
    assert_int_equal(count(&counters->flush_failures), 1);
    assert_int_equal(count(&counters->flushes), 2);
    close_scene(&s);
}

TEST(expired_blocks_go)
{
    struct scene s;
    struct error err = {0};
    open_scene(&s);
    box_put(&s.box, "a", "old", BOX_START_MS, 1);
    expect_ok(box_flush(&s.box, &err));
    sim_clock_advance(&s.box.clock, BOX_DAY_MS);
    box_put(&s.box, "a", "young", BOX_START_MS + BOX_DAY_MS, 2);
    expect_ok(box_flush(&s.box, &err));
    maintenance_step(s.maintenance);
    assert_int_equal(block_count(&s), 2);
    sim_clock_advance(&s.box.clock, BOX_RETENTION_MS - BOX_DAY_MS);
    maintenance_step(s.maintenance);
    assert_int_equal(block_count(&s), 2);
    run_for(&s, 2 * MINUTE_MS);
    assert_int_equal(block_count(&s), 1);
    assert_int_equal(count(&maintenance_counters(s.maintenance)->blocks_expired), 1);
    expect_series(&s.box, "a", "young 1700086400000:2\n");
    close_scene(&s);
}

TEST(a_clock_that_leaps_ahead_deletes_nothing_for_a_day)
{
    struct scene s;
    struct error err = {0};
    open_scene(&s);
    box_put(&s.box, "a", "up", BOX_START_MS, 1);
    expect_ok(box_flush(&s.box, &err));
    sim_clock_jump(&s.box.clock, BOX_START_MS + 2 * BOX_RETENTION_MS);
    run_for(&s, HOUR_MS);
    assert_int_equal(block_count(&s), 1);
    sim_clock_jump(&s.box.clock, BOX_START_MS + HOUR_MS);
    run_for(&s, HOUR_MS);
    assert_int_equal(block_count(&s), 1);
    expect_series(&s.box, "a", "up 1700000000000:1\n");
    close_scene(&s);
}

TEST(a_start_with_a_clock_far_ahead_deletes_nothing_for_a_day)
{
    struct scene s;
    struct error err = {0};
    open_scene(&s);
    box_put(&s.box, "a", "flushed", BOX_START_MS, 1);
    expect_ok(box_flush(&s.box, &err));
    box_put(&s.box, "a", "logged", BOX_START_MS, 2);
    maintenance_close(s.maintenance);
    store_box_close(&s.box);
    sim_clock_jump(&s.box.clock, BOX_START_MS + 2 * BOX_RETENTION_MS);
    expect_ok(store_box_open(&s.box, &err));
    s.maintenance = maintenance_new(s.box.store, &limits);
    run_for(&s, 23 * HOUR_MS);
    assert_int_equal(block_count(&s), 2);
    sim_clock_jump(&s.box.clock, BOX_START_MS + BOX_DAY_MS);
    expect_series(&s.box, "a", "flushed 1700000000000:1\nlogged 1700000000000:2\n");
    sim_clock_jump(&s.box.clock, BOX_START_MS + 2 * BOX_RETENTION_MS);
    run_for(&s, 2 * HOUR_MS);
    assert_int_equal(block_count(&s), 0);
    close_scene(&s);
}

/* Whatever happens to the process and is sent to it meanwhile. */
TEST(samples_of_a_wrong_time_do_not_prove_it_at_the_next_start)
{
    struct scene s;
    struct error err = {0};
    const int64_t wrong_ms = BOX_START_MS + 2 * BOX_RETENTION_MS;
    open_scene(&s);
    box_put(&s.box, "a", "up", BOX_START_MS, 1);
    expect_ok(box_flush(&s.box, &err));
    run_for(&s, HOUR_MS);
    for (int start = 0; start < 3; start++) {
        maintenance_close(s.maintenance);
        store_box_crash(&s.box, POWER_CUT_DROP_ALL);
        sim_clock_jump(&s.box.clock, wrong_ms + start * HOUR_MS);
        expect_ok(store_box_open(&s.box, &err));
        s.maintenance = maintenance_new(s.box.store, &limits);
        struct compactor *compactor = compactor_new(
            &(struct compactor_options){.store = s.box.store, .rules = merge_rules_default()});
        for (int day = -20; day <= 0; day++) /* as of a life until now */
            box_put(&s.box, "a", "up", wrong_ms + day * BOX_DAY_MS + start, 2);
        expect_ok(box_flush(&s.box, &err));
        run_for(&s, 50 * MINUTE_MS);
        expect_ok(compactor_settle(compactor, SETTLE_CLEAN, &err));
        compactor_close(compactor);
    }
    sim_clock_jump(&s.box.clock, BOX_START_MS + BOX_DAY_MS);
    struct str got;
    expect_ok(box_select(
        &s.box, &(struct box_query){.tenants = "a", .max_ts_ms = BOX_START_MS + BOX_DAY_MS}, &got,
        &err));
    expect_str(got, "up 1700000000000:1\n");
    close_scene(&s);
}

TEST(expired_blocks_go_on_a_full_disk_and_make_room_for_a_flush)
{
    struct scene s;
    struct error err = {0};
    uint64_t free_bytes;
    open_scene(&s);
    for (int i = 0; i < 200; i++)
        box_put(&s.box, "a", "old", BOX_START_MS - i, i / 7.0);
    expect_ok(box_flush(&s.box, &err));
    sim_clock_advance(&s.box.clock, BOX_RETENTION_MS + 1);
    box_put(&s.box, "a", "young", clock_now_ms(&s.box.clock.base), 2);
    sim_clock_advance(&s.box.clock, HOUR_MS);
    expect_ok(disk_free_bytes(s.box.disk, &free_bytes, &err));
    sim_disk_set_capacity(s.box.sim, (UINT64_C(1) << 40) - free_bytes);
    maintenance_step(s.maintenance);
    assert_int_equal(count(&maintenance_counters(s.maintenance)->blocks_expired), 1);
    assert_int_equal(count(&maintenance_counters(s.maintenance)->flushes), 1);
    assert_int_equal(count(&maintenance_counters(s.maintenance)->flush_failures), 0);
    close_scene(&s);
}

TEST(a_block_that_could_not_be_deleted_is_tried_again)
{
    struct scene s;
    struct error err = {0};
    open_scene(&s);
    box_put(&s.box, "a", "old", BOX_START_MS, 1);
    expect_ok(box_flush(&s.box, &err));
    sim_clock_advance(&s.box.clock, BOX_RETENTION_MS + 1);
    note_hour(&s);
    sim_disk_fail_at(s.box.sim, sim_disk_operation_count(s.box.sim), STATUS_IO);
    maintenance_step(s.maintenance);
    assert_int_equal(count(&maintenance_counters(s.maintenance)->drop_failures), 1);
    assert_int_equal(block_count(&s), 1);
    run_for(&s, 2 * MINUTE_MS);
    assert_int_equal(count(&maintenance_counters(s.maintenance)->blocks_expired), 1);
    assert_int_equal(block_count(&s), 0);
    close_scene(&s);
}

TEST(series_go_idle)
{
    struct scene s;
    open_scene(&s);
    box_put(&s.box, "a", "up", BOX_START_MS, 1);
    struct tenant *tenant = tenant_table_find(store_tenants(s.box.store), STR("a"));
    run_for(&s, 28 * MINUTE_MS);
    assert_int_equal(counter_get(&tenant->active_series), 1);
    run_for(&s, 4 * MINUTE_MS);
    assert_int_equal(counter_get(&tenant->active_series), 0);
    close_scene(&s);
}

TEST(a_clock_that_is_set_back_stops_nothing)
{
    struct scene s;
    open_scene(&s);
    maintenance_step(s.maintenance);
    box_put(&s.box, "a", "up", BOX_START_MS, 1);
    sim_clock_jump(&s.box.clock, BOX_START_MS - 20 * BOX_DAY_MS);
    run_for(&s, HOUR_MS);
    struct tenant *tenant = tenant_table_find(store_tenants(s.box.store), STR("a"));
    assert_int_equal(count(&maintenance_counters(s.maintenance)->flushes), 1);
    assert_int_equal(counter_get(&tenant->active_series), 0);
    expect_series(&s.box, "a", "up 1700000000000:1\n");
    close_scene(&s);
}

TEST(the_thread_starts_and_stops)
{
    struct store_box box;
    struct error err = {0};
    store_box_init(&box, BOX_SEED);
    box.options.is_manual = false;
    expect_ok(store_box_open(&box, &err));
    struct maintenance *maintenance = maintenance_open(box.store, &limits);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    maintenance_close(maintenance);
    expect_series(&box, "a", "up 1700000000000:1\n");
    store_box_deinit(&box);
}

TEST_MAIN(RUN(heads_are_flushed_in_their_time),
          RUN(a_failed_flush_waits_and_does_not_stop_the_other_shard), RUN(expired_blocks_go),
          RUN(a_clock_that_leaps_ahead_deletes_nothing_for_a_day),
          RUN(a_start_with_a_clock_far_ahead_deletes_nothing_for_a_day),
          RUN(samples_of_a_wrong_time_do_not_prove_it_at_the_next_start),
          RUN(expired_blocks_go_on_a_full_disk_and_make_room_for_a_flush),
          RUN(a_block_that_could_not_be_deleted_is_tried_again), RUN(series_go_idle),
          RUN(a_clock_that_is_set_back_stops_nothing), RUN(the_thread_starts_and_stops))
