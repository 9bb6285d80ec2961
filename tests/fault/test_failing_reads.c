/*
 * A disk whose n-th read fails once, be it for a bad sector or because the process has no
 * descriptor or memory left: a start fails and leaves everything as it was, or goes well; what a
 * running store could not do it does later. Nothing is lost, moved away or taken for damaged.
 */
#include <inttypes.h>
#include <stdio.h>

#include "compaction/compactor.h"
#include "tests/fault/fault_scene.h"

#define HOUR_MS INT64_C(3600000)

enum { REQUESTS = 60, WORKLOAD_SEED = 5, READS_MAX = 20000 };

static void run_requests(struct scene *s, int count)
{
    for (int i = 0; i < count; i++)
        workload_step(&s->work);
    workload_settle(&s->work);
}

static void delete_one_kind(struct scene *s)
{
    struct error err = {0};
    const struct box_query query = {.tenants = journal_tenant(0), .matchers = "kind=k0"};
    struct journal_deletion deletion = {.min_ms = INT64_MIN, .max_ms = INT64_MAX};
    deletion.is_certain = box_delete(&s->box, &query, &err) == STATUS_OK;
    journal_note_deleted(s->journal, &deletion);
}

/* Blocks, a deletion that they have not seen yet, and a log. */
static void live(struct scene *s)
{
    run_requests(s, REQUESTS);
    delete_one_kind(s);
    run_requests(s, REQUESTS / 2);
}

/* Merges, and removes what was deleted. */
static enum status clean(struct scene *s, struct error *err)
{
    const struct compactor_options options = {
        .store = s->box.store,
        .rules = {.fan_in = 3, .finish_after_ms = HOUR_MS, .stagger_ms = HOUR_MS},
        .cpu_share_percent = 100};
    struct compactor *compactor = compactor_new(&options);
    compactor_step(compactor);
    enum status status = compactor_settle(compactor, SETTLE_CLEAN, err);
    if (status == STATUS_OK)
        status = compactor_settle(compactor, SETTLE_COMPACT, err);
    compactor_close(compactor);
    return status;
}

static void expect_all(struct scene *s, const char *where, uint64_t number)
{
    journal_expect_all(s->journal, &s->box, where, number);
    expect_verified(&s->box, where, number);
    const struct store_replay_report *report = store_replay_report(s->box.store);
    assert_int_equal(report->damaged_frames + report->quarantined_blocks + report->missing_files,
                     0);
    assert_int_equal(box_file_count(&s->box, "quarantine/"), 0);
}

/* ---- a start ---- */

/* False when a start has no read of that number. */
static bool start_with_failing_read(uint64_t read, enum power_cut cut)
{
    struct scene s;
    struct error err = {0};
    scene_open(&s, read + 1, WORKLOAD_SEED);
    live(&s);
    workload_crash(&s.work, POWER_CUT_DROP_ALL);
    uint64_t failing = sim_disk_read_count(s.box.sim) + read;
    sim_disk_fail_read_at(s.box.sim, failing);
    enum status status = store_box_open(&s.box, &err);
    bool is_reached = sim_disk_read_count(s.box.sim) > failing;
    sim_disk_fail_read_at(s.box.sim, UINT64_MAX);
    assert_true(is_reached || status == STATUS_OK);
    if (status == STATUS_OK)
        expect_all(&s, "failed read of a start", read);
    else
        expect_status(status, STATUS_IO);
    workload_crash(&s.work, cut);
    expect_ok(store_box_open(&s.box, &err));
    expect_all(&s, "after a failed read of a start", read);
    scene_close(&s);
    return is_reached;
}

TEST(a_start_whose_read_fails_leaves_all_to_the_next)
{
    uint64_t read = 0;
    while (start_with_failing_read(read, POWER_CUT_DROP_ALL) &&
           start_with_failing_read(read, POWER_CUT_PROCESS_ONLY))
        assert_true(++read < READS_MAX);
    printf("%" PRIu64 " reads\n", read);
    assert_true(read > 20);
}

/* ---- a running store ---- */

static bool fail_once(uint64_t read)
{
    struct scene s;
    struct error err = {0};
    scene_open(&s, read + 1, WORKLOAD_SEED);
    uint64_t failing = sim_disk_read_count(s.box.sim) + read;
    sim_disk_fail_read_at(s.box.sim, failing);
    live(&s);
    enum status status = clean(&s, &err);
    bool is_reached = sim_disk_read_count(s.box.sim) > failing;
    sim_disk_fail_read_at(s.box.sim, UINT64_MAX);
    assert_true(is_reached || status == STATUS_OK);
    if (read % 2 == 0) {
        workload_crash(&s.work, POWER_CUT_DROP_ALL);
        expect_ok(store_box_open(&s.box, &err));
    }
    expect_all(&s, "failed read", read);
    run_requests(&s, 5);
    expect_ok(clean(&s, &err));
    expect_all(&s, "after a failed read", read);
    scene_close(&s);
    return is_reached;
}

TEST(a_read_that_fails_once_costs_nothing)
{
    uint64_t read = 0;
    while (fail_once(read))
        assert_true(++read < READS_MAX);
    printf("%" PRIu64 " reads\n", read);
    assert_true(read > 20);
}

TEST_MAIN(RUN(a_start_whose_read_fails_leaves_all_to_the_next),
          RUN(a_read_that_fails_once_costs_nothing))
