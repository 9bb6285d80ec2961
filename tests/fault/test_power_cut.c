/*
 * Cuts the power at every operation of a workload of 200 requests, starts again, and holds what is
 * there against what was acknowledged; then cuts it again while the store starts.
 *
 * CROFT_FAULT_FULL=1 tries every way of losing power with several seeds at every operation; without
 * it each operation gets the plain cut and one of the others in turn.
 */
#include <inttypes.h>
#include <stdio.h>

#include "tests/fault/fault_scene.h"

enum { REQUESTS = 200, SEEDS_FULL = 5, WORKLOAD_SEED = 42 };

static void run_requests(struct scene *s)
{
    for (int i = 0; i < REQUESTS && !sim_disk_is_cut(s->box.sim); i++)
        workload_step(&s->work);
    if (!sim_disk_is_cut(s->box.sim))
        workload_settle(&s->work);
}

/* Operations of the workload, the opening of the store not counted. */
static uint64_t count_operations(void)
{
    struct scene s;
    scene_open(&s, 1, WORKLOAD_SEED);
    uint64_t before = sim_disk_operation_count(s.box.sim);
    run_requests(&s);
    uint64_t count = sim_disk_operation_count(s.box.sim) - before;
    assert_int_equal(s.work.refused, 0);
    journal_expect_all(s.journal, &s.box, "no cut", 0);
    expect_verified(&s.box, "no cut", 0);
    scene_close(&s);
    return count;
}

/* The store starts again; the power is cut once more at operation number `after` of that, if it has
   so many. */
static void start_with_second_cut(struct scene *s, uint64_t after, enum power_cut cut)
{
    struct error err = {0};
    sim_disk_cut_power_at(s->box.sim, sim_disk_operation_count(s->box.sim) + after);
    if (store_box_open(&s->box, &err) != STATUS_OK)
        assert_true(sim_disk_is_cut(s->box.sim));
    workload_crash(&s->work, cut);
    expect_ok(store_box_open(&s->box, &err));
}

static void cut_at(uint64_t operation, enum power_cut cut, uint64_t disk_seed)
{
    struct scene s;
    scene_open(&s, disk_seed, WORKLOAD_SEED);
    sim_disk_cut_power_at(s.box.sim, sim_disk_operation_count(s.box.sim) + operation);
    run_requests(&s);
    workload_crash(&s.work, cut);
    start_with_second_cut(&s, operation % 17, cut);
    journal_expect_all(s.journal, &s.box, "cut at operation", operation);
    expect_verified(&s.box, "cut at operation", operation);
    /* life goes on: old and new samples, and one more restart */
    for (int i = 0; i < 10; i++)
        workload_step(&s.work);
    workload_settle(&s.work);
    workload_crash(&s.work, POWER_CUT_DROP_ALL);
    struct error err = {0};
    expect_ok(store_box_open(&s.box, &err));
    journal_expect_all(s.journal, &s.box, "after a cut at operation", operation);
    expect_verified(&s.box, "after a cut at operation", operation);
    scene_close(&s);
}

TEST(a_power_cut_at_any_operation_loses_and_invents_nothing)
{
    static const enum power_cut cuts[] = {POWER_CUT_KEEP_SOME, POWER_CUT_TORN_TAIL,
                                          POWER_CUT_PROCESS_ONLY};
    enum { CUTS = sizeof cuts / sizeof *cuts };
    uint64_t operations = count_operations();
    printf("%" PRIu64 " operations\n", operations);
    for (uint64_t operation = 0; operation <= operations; operation++) {
        cut_at(operation, POWER_CUT_DROP_ALL, 1);
        for (uint64_t i = 0; i < CUTS; i++) {
            uint64_t seeds = fault_is_full() ? SEEDS_FULL : operation % CUTS == i;
            for (uint64_t seed = 1; seed <= seeds; seed++)
                cut_at(operation, cuts[i], fault_is_full() ? seed : operation);
        }
    }
}

TEST_MAIN(RUN(a_power_cut_at_any_operation_loses_and_invents_nothing))
