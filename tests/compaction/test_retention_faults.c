/*
 * A day in the life of retention on a failing disk: a block that has expired, a tenant whose part
 * of a block has, deleted series, a day to be finished and a head to be flushed, all at once; each
 * call fails once, and the disk is full at any byte. Queries are answered right all the time, and
 * when the trouble is over everything that was to go has gone.
 */
#include "compaction/compactor.h"
#include "compaction/maintenance.h"
#include "tests/support/store_box.h"

#define HOUR_MS INT64_C(3600000)
/* A day before the first samples expire. */
#define RECENT_MS (BOX_START_MS + BOX_RETENTION_MS - BOX_DAY_MS)

enum { OPERATIONS_MAX = 1000, KEPT_SAMPLES = 4 };

struct scene {
    struct store_box box;
    struct maintenance *maintenance;
    struct compactor *compactor;
};

static void start(struct scene *s)
{
    static const struct plan_limits limits = {.flush_after_ms = HOUR_MS,
                                              .flush_memory_bytes = UINT64_MAX,
                                              .flush_samples = UINT64_MAX,
                                              .flush_wal_bytes = UINT64_MAX};
    struct error err = {0};
    expect_ok(store_box_open(&s->box, &err));
    s->maintenance = maintenance_new(s->box.store, &limits);
    const struct compactor_options options = {
        .store = s->box.store, .rules = merge_rules_default(), .cpu_share_percent = 100};
    s->compactor = compactor_new(&options);
    struct tenant_limits defaults = tenant_limits_default(), own = defaults;
    struct tenant_id id = {.len = 5, .text = "brief"};
    own.max[LIMIT_HARD][TENANT_LIMIT_RETENTION] = (uint64_t)(BOX_DAY_MS / 2);
    tenant_table_set_limits(store_tenants(s->box.store), &defaults, &id, &own, 1);
}

static void stop(struct scene *s)
{
    compactor_close(s->compactor);
    maintenance_close(s->maintenance);
}

static void begin(struct scene *s)
{
    struct error err = {0};
    store_box_init(&s->box, 17);
    s->box.options.shard_count = 1;
    start(s);
    for (int i = 0; i < 3; i++)
        box_put(&s->box, "a", "old", BOX_START_MS + i, i);
    expect_ok(box_flush(&s->box, &err));
    sim_clock_advance(&s->box.clock, RECENT_MS - BOX_START_MS);
    box_put(&s->box, "a", "up", RECENT_MS, 0);
    box_put(&s->box, "brief", "up", RECENT_MS, 1);
    box_put(&s->box, "d", "up kind=kept", RECENT_MS, 2);
    expect_ok(box_flush(&s->box, &err));
    box_put(&s->box, "a", "up", RECENT_MS + 1, 3);
    box_put(&s->box, "d", "up kind=gone", RECENT_MS, 4);
    const struct box_query gone = {.tenants = "d", .matchers = "kind=gone"};
    expect_ok(box_delete(&s->box, &gone, &err));
    box_put(&s->box, "a", "up", RECENT_MS + 2, 5);
    sim_clock_advance(&s->box.clock, BOX_DAY_MS + 6 * HOUR_MS);
}

static void end(struct scene *s)
{
    stop(s);
    store_box_deinit(&s->box);
}

static void expect_answers(struct scene *s)
{
    expect_series(&s->box, "a", "up 1702505600000:0 1702505600001:3 1702505600002:5\n");
    expect_series(&s->box, "brief", "");
    expect_series(&s->box, "d", "up{kind=\"kept\"} 1702505600000:2\n");
    arena_reset(&s->box.arena);
}

/* What the threads do within some seconds. */
static void take_turns(struct scene *s)
{
    for (int i = 0; i < 3; i++) {
        maintenance_step(s->maintenance);
        expect_answers(s);
        compactor_step(s->compactor);
        expect_answers(s);
    }
}

static uint64_t failures(const struct scene *s)
{
    const struct maintenance_counters *counters = maintenance_counters(s->maintenance);
    return counter_get(&counters->flush_failures) + counter_get(&counters->drop_failures) +
           counter_get(&compactor_counters(s->compactor)->failures);
}

static uint64_t stored_samples(struct scene *s)
{
    struct block **blocks;
    size_t count;
    uint64_t samples = 0;
    store_blocks(s->box.store, 0, &s->box.arena, &blocks, &count);
    for (size_t i = 0; i < count; i++) {
        samples += block_meta(blocks[i])->sample_count;
        block_release(blocks[i]);
    }
    return samples;
}

/* Nobody is held back any more, also not by a start in doubt of its clock, and nothing fails. */
static void expect_all_gone(struct scene *s)
{
    struct error err = {0};
    sim_clock_advance(&s->box.clock, BOX_DAY_MS + 2 * HOUR_MS);
    take_turns(s);
    assert_int_equal(stored_samples(s), KEPT_SAMPLES);
    expect_ok(box_verify(&s->box, &err));
}

static void restart_after(struct scene *s, enum power_cut cut)
{
    stop(s);
    store_box_crash(&s->box, cut);
    start(s);
    expect_answers(s);
}

static bool fail_at(uint64_t after, enum status failure)
{
    struct scene s;
    begin(&s);
    uint64_t failing = sim_disk_operation_count(s.box.sim) + after;
    sim_disk_fail_at(s.box.sim, failing, failure);
    take_turns(&s);
    bool is_over = sim_disk_operation_count(s.box.sim) <= failing;
    sim_disk_fail_at(s.box.sim, UINT64_MAX, failure);
    if (after % 2 == 1)
        restart_after(&s, POWER_CUT_KEEP_SOME);
    expect_all_gone(&s);
    restart_after(&s, POWER_CUT_DROP_ALL);
    end(&s);
    return is_over;
}

TEST(whichever_call_fails_answers_are_right_and_in_the_end_all_has_gone)
{
    static const enum status failing[] = {STATUS_IO, STATUS_UNAVAILABLE};
    for (size_t i = 0; i < 2; i++) {
        uint64_t after = 0;
        while (!fail_at(after, failing[i]))
            assert_true(++after < OPERATIONS_MAX);
        assert_true(after > 20);
    }
}

/* `room`: bytes that are free. */
static bool fill_up(uint64_t room)
{
    struct scene s;
    struct error err = {0};
    uint64_t free_bytes;
    begin(&s);
    expect_ok(disk_free_bytes(s.box.disk, &free_bytes, &err));
    sim_disk_set_capacity(s.box.sim, (UINT64_C(1) << 40) - free_bytes + room);
    take_turns(&s);
    /* this needs no room */
    assert_int_equal(counter_get(&maintenance_counters(s.maintenance)->blocks_expired), 1);
    bool is_over = failures(&s) == 0;
    sim_disk_set_capacity(s.box.sim, UINT64_C(1) << 40);
    expect_all_gone(&s);
    restart_after(&s, POWER_CUT_DROP_ALL);
    end(&s);
    return is_over;
}

TEST(however_full_the_disk_is_what_has_expired_goes_and_answers_are_right)
{
    uint64_t room = 0;
    while (!fill_up(room))
        assert_true((room += 97) < 100000);
    assert_true(room > 0);
}

TEST_MAIN(RUN(whichever_call_fails_answers_are_right_and_in_the_end_all_has_gone),
          RUN(however_full_the_disk_is_what_has_expired_goes_and_answers_are_right))
