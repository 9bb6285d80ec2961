/*
 * A disk whose n-th call fails, once or from then on, or that is full at any point: the store goes
 * on reading, never acknowledges what is not durable, and writes again by itself when the disk
 * does.
 */
#include <inttypes.h>
#include <stdio.h>

#include "tests/fault/fault_scene.h"

enum { REQUESTS = 60, WORKLOAD_SEED = 3, FULL_POINTS = 150 };

static const uint64_t no_limit_bytes = UINT64_C(1) << 40;

static void run_requests(struct scene *s, int count)
{
    for (int i = 0; i < count; i++)
        workload_step(&s->work);
    workload_settle(&s->work);
}

/* The disk is well again: so is the store, without a restart; and after one. */
static void expect_recovered(struct scene *s, enum power_cut cut, const char *where,
                             uint64_t operation)
{
    struct error err = {0};
    expect_ok(box_commit(&s->box, &err));
    journal_expect_all(s->journal, &s->box, where, operation);
    expect_verified(&s->box, where, operation);
    uint64_t refused = s->work.refused;
    run_requests(s, 5);
    assert_int_equal(s->work.refused, refused);
    expect_ok(box_flush(&s->box, &err));
    run_requests(s, 5);
    workload_crash(&s->work, cut);
    expect_ok(store_box_open(&s->box, &err));
    journal_expect_all(s->journal, &s->box, where, operation);
    expect_verified(&s->box, where, operation);
}

/* False when the workload has no operation of that number. */
static bool fail_once(uint64_t operation, enum status status, enum power_cut cut)
{
    struct scene s;
    scene_open(&s, operation + 1, WORKLOAD_SEED);
    uint64_t failing = sim_disk_operation_count(s.box.sim) + operation;
    sim_disk_fail_at(s.box.sim, failing, status);
    run_requests(&s, REQUESTS);
    bool is_reached = sim_disk_operation_count(s.box.sim) > failing;
    sim_disk_fail_at(s.box.sim, UINT64_MAX, status);
    assert_true(is_reached || s.work.refused == 0);
    expect_recovered(&s, cut, "failed operation", operation);
    scene_close(&s);
    return is_reached;
}

TEST(an_operation_that_fails_once_costs_no_acknowledged_sample)
{
    uint64_t operation = 0;
    while (fail_once(operation, STATUS_IO, POWER_CUT_DROP_ALL) &&
           fail_once(operation, STATUS_UNAVAILABLE, POWER_CUT_KEEP_SOME))
        operation++;
    printf("%" PRIu64 " operations\n", operation);
    assert_true(operation > 100);
}

/* Right after the failure the power goes as well. */
static bool fail_and_crash(uint64_t operation, enum power_cut cut)
{
    struct scene s;
    struct error err = {0};
    scene_open(&s, operation + 1, WORKLOAD_SEED);
    uint64_t failing = sim_disk_operation_count(s.box.sim) + operation;
    sim_disk_fail_at(s.box.sim, failing, STATUS_IO);
    for (int i = 0; i < REQUESTS && sim_disk_operation_count(s.box.sim) <= failing; i++)
        workload_step(&s.work);
    bool is_reached = sim_disk_operation_count(s.box.sim) > failing;
    workload_crash(&s.work, cut);
    sim_disk_fail_at(s.box.sim, UINT64_MAX, STATUS_IO);
    expect_ok(store_box_open(&s.box, &err));
    journal_expect_all(s.journal, &s.box, "failure and crash at operation", operation);
    expect_verified(&s.box, "failure and crash at operation", operation);
    run_requests(&s, 5);
    workload_crash(&s.work, POWER_CUT_DROP_ALL);
    expect_ok(store_box_open(&s.box, &err));
    journal_expect_all(s.journal, &s.box, "after failure and crash at operation", operation);
    expect_verified(&s.box, "after failure and crash at operation", operation);
    scene_close(&s);
    return is_reached;
}

TEST(a_crash_after_a_failure_costs_no_acknowledged_sample)
{
    static const enum power_cut cuts[] = {POWER_CUT_DROP_ALL, POWER_CUT_KEEP_SOME,
                                          POWER_CUT_TORN_TAIL};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        for (uint64_t operation = 0; fail_and_crash(operation, cuts[i]); operation++)
            continue;
    }
}

/* From one operation on nothing works any more, until the store is started on a disk that does. */
static void fail_for_good(uint64_t operation, enum power_cut cut)
{
    struct scene s;
    struct error err = {0};
    scene_open(&s, operation + 1, WORKLOAD_SEED);
    sim_disk_cut_power_at(s.box.sim, sim_disk_operation_count(s.box.sim) + operation);
    while (!sim_disk_is_cut(s.box.sim))
        workload_step(&s.work);
    workload_settle(&s.work);
    uint64_t acknowledged = s.work.acknowledged;
    run_requests(&s, 5);
    assert_int_equal(s.work.acknowledged, acknowledged);
    journal_expect_all(s.journal, &s.box, "while the disk is gone, from operation", operation);
    workload_crash(&s.work, cut);
    expect_ok(store_box_open(&s.box, &err));
    journal_expect_all(s.journal, &s.box, "after a disk that was gone from operation", operation);
    expect_verified(&s.box, "after a disk that was gone from operation", operation);
    scene_close(&s);
}

TEST(a_disk_that_fails_for_good_still_lets_read_and_acknowledges_nothing)
{
    for (uint64_t operation = 0; operation < 160; operation++)
        fail_for_good(operation, operation % 2 == 0 ? POWER_CUT_DROP_ALL : POWER_CUT_PROCESS_ONLY);
}

/* ---- a full disk ---- */

static uint64_t used_bytes(struct scene *s)
{
    struct error err = {0};
    uint64_t free_bytes;
    expect_ok(disk_free_bytes(s->box.disk, &free_bytes, &err));
    return no_limit_bytes - free_bytes;
}

/* True when the workload never noticed. */
static bool fill_up_at(uint64_t capacity_bytes)
{
    struct scene s;
    struct error err = {0};
    scene_open(&s, capacity_bytes + 1, WORKLOAD_SEED);
    sim_disk_set_capacity(s.box.sim, capacity_bytes);
    run_requests(&s, REQUESTS);
    journal_expect_all(s.journal, &s.box, "full at", capacity_bytes);
    expect_verified(&s.box, "full at", capacity_bytes);
    bool is_clean = s.work.refused == 0;
    if (capacity_bytes % 2 == 0) { /* and a restart before there is space again */
        workload_crash(&s.work, POWER_CUT_DROP_ALL);
        expect_ok(store_box_open(&s.box, &err));
        journal_expect_all(s.journal, &s.box, "full and restarted at", capacity_bytes);
        expect_verified(&s.box, "full and restarted at", capacity_bytes);
    }
    sim_disk_set_capacity(s.box.sim, no_limit_bytes);
    expect_recovered(&s, POWER_CUT_KEEP_SOME, "full at", capacity_bytes);
    scene_close(&s);
    return is_clean;
}

TEST(a_disk_that_is_full_at_any_point_costs_no_acknowledged_sample)
{
    struct scene s;
    scene_open(&s, 1, WORKLOAD_SEED);
    uint64_t empty = used_bytes(&s);
    run_requests(&s, REQUESTS);
    uint64_t most = used_bytes(&s) + 8192; /* what flushes hold for a while */
    scene_close(&s);
    size_t clean = 0;
    for (uint64_t i = 0; i <= FULL_POINTS; i++)
        clean += fill_up_at(empty + i * i * most / (FULL_POINTS * FULL_POINTS));
    assert_true(clean > 0);
    assert_true(clean < FULL_POINTS);
}

/* At first there is `room` for more; with none, not even what is deleted makes any. */
static void restart_on_full_disk(uint64_t room, uint64_t seed)
{
    enum { RESTARTS = 20 };
    static const enum power_cut cuts[] = {POWER_CUT_PROCESS_ONLY, POWER_CUT_DROP_ALL,
                                          POWER_CUT_KEEP_SOME, POWER_CUT_TORN_TAIL};
    struct scene s;
    struct error err = {0};
    scene_open(&s, seed, WORKLOAD_SEED);
    run_requests(&s, REQUESTS);
    expect_ok(box_flush(&s.box, &err));
    run_requests(&s, REQUESTS / 4);
    uint64_t blocks = box_block_count(&s.box);
    assert_true(blocks > 0);
    sim_disk_set_capacity(s.box.sim, room == 0 ? 1 : used_bytes(&s) + room);
    for (uint64_t i = 0; i < RESTARTS; i++) {
        if (i % 3 == 0)
            store_box_close(&s.box);
        else
            workload_crash(&s.work, cuts[i % 4]);
        expect_ok(store_box_open(&s.box, &err));
        journal_expect_all(s.journal, &s.box, "full disk, restart", i);
        expect_verified(&s.box, "full disk, restart", i);
        assert_true(box_block_count(&s.box) >= blocks);
        run_requests(&s, 3);
    }
    sim_disk_set_capacity(s.box.sim, no_limit_bytes);
    expect_recovered(&s, POWER_CUT_KEEP_SOME, "full disk, room", room);
    scene_close(&s);
}

TEST(twenty_restarts_on_a_full_disk_cost_no_sample_and_no_block)
{
    for (uint64_t room = 0, seed = 1; room < 40000; room += 1 + room / 2, seed++)
        restart_on_full_disk(room, seed);
}

TEST_MAIN(RUN(an_operation_that_fails_once_costs_no_acknowledged_sample),
          RUN(a_crash_after_a_failure_costs_no_acknowledged_sample),
          RUN(a_disk_that_fails_for_good_still_lets_read_and_acknowledges_nothing),
          RUN(a_disk_that_is_full_at_any_point_costs_no_acknowledged_sample),
          RUN(twenty_restarts_on_a_full_disk_cost_no_sample_and_no_block))
