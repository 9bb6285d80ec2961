/*
 * Deleting on a disk that is full, fails at any operation, or loses its power.
 */
#include <stdio.h>

#include "tests/compaction/compactor_rig.h"
#include "tsdb/files/filenames.h"

enum { BOX_SEED = 21, MINUTE_MS = 60 * 1000 };

/* ---- a full disk ---- */

TEST(on_a_full_disk_a_deletion_works_and_writes_go_on_when_it_has_made_room)
{
    enum { CAPACITY_BYTES = 60000, RESERVE_BYTES = 20000, SAMPLES = 3000 };
    struct rig rig;
    struct error err = {0};
    rig_init(&rig, BOX_SEED);
    rig.box.options.shard_count = 1;
    rig.box.options.reserve_bytes = RESERVE_BYTES;
    rig.box.options.wal_segment_bytes = 2000; /* what it reserves is little */
    rig_open(&rig);
    sim_disk_set_capacity(rig.box.sim, CAPACITY_BYTES);
    enum status status = STATUS_OK;
    for (int i = 0; i < SAMPLES && status == STATUS_OK; i++) {
        char series[64];
        struct write_result result;
        snprintf(series, sizeof series, "up n=%d", i % 10);
        const struct box_sample sample = {"a", series, BOX_START_MS + i, i};
        status = box_write(&rig.box, &sample, 1, &result, &err);
    }
    expect_status(status, STATUS_UNAVAILABLE);
    assert_true(str_starts_with(str_from(err.text), STR("store: the disk is nearly full")));
    expect_ok(rig_delete(&rig, "a", NULL, INT64_MIN, INT64_MAX, &err));
    expect_series(&rig.box, "a", "");
    rig_clean(&rig);
    assert_int_equal(box_block_samples(&rig.box), 0);
    store_check_reserve(rig.box.store);
    rig_put(&rig, "up", BOX_START_MS, 7);
    expect_series(&rig.box, "a", "up 1700000000000:7\n");
    rig_close(&rig);
}

/* A quarter of its reserve of 40,000 bytes is held unless 64 times as much is free. */
static void open_on_disk(struct rig *rig, uint64_t capacity_bytes)
{
    rig_init(rig, BOX_SEED);
    rig->box.options.shard_count = 1;
    rig->box.options.reserve_bytes = 40000;
    rig->box.options.wal_segment_bytes = 2000; /* what it reserves is little */
    sim_disk_set_capacity(rig->box.sim, capacity_bytes);
    rig_open(rig);
}

/* All of the disk but one part in `parts`, or all with 0. */
static struct file *fill_but(struct rig *rig, uint64_t parts)
{
    struct error err = {0};
    uint64_t free_bytes;
    struct file *filler;
    expect_ok(disk_free_bytes(rig->box.disk, &free_bytes, &err));
    expect_ok(disk_create(rig->box.disk, "filler", &filler, &err));
    expect_ok(file_reserve(filler, free_bytes - (parts == 0 ? 0 : free_bytes / parts), &err));
    return filler;
}

static struct file *fill(struct rig *rig)
{
    return fill_but(rig, 0);
}

/* As maintenance does each second. */
static void adjust_reserve(struct rig *rig)
{
    store_check_reserve(rig->box.store);
    store_adjust_reserve(rig->box.store);
}

static void unfill(struct rig *rig, struct file *filler)
{
    struct error err = {0};
    file_close(filler);
    expect_ok(disk_unlink(rig->box.disk, "filler", &err));
}

static void make_room(struct rig *rig, struct file *filler)
{
    unfill(rig, filler);
    adjust_reserve(rig);
}

TEST(a_deletion_works_on_a_disk_that_others_have_filled)
{
    struct rig rig;
    struct error err = {0};
    open_on_disk(&rig, 200000);
    for (int i = 0; i < 3; i++) {
        rig_put(&rig, "up", BOX_START_MS + i, i);
        struct file *filler = fill(&rig);
        expect_ok(rig_delete(&rig, "a", NULL, INT64_MIN, INT64_MAX, &err));
        expect_series(&rig.box, "a", "");
        rig_clean(&rig);
        assert_int_equal(box_block_samples(&rig.box), 0);
        make_room(&rig, filler);
    }
    rig_close(&rig);
}

TEST(a_start_on_a_full_disk_has_the_reserve_of_the_process_before)
{
    struct rig rig;
    struct error err = {0};
    open_on_disk(&rig, 200000);
    rig_put(&rig, "up", BOX_START_MS, 1);
    struct file *filler = fill(&rig);
    file_close(filler);
    rig_crash(&rig, POWER_CUT_PROCESS_ONLY);
    expect_ok(rig_delete(&rig, "a", NULL, INT64_MIN, INT64_MAX, &err));
    expect_series(&rig.box, "a", "");
    expect_ok(disk_unlink(rig.box.disk, "filler", &err));
    rig_close(&rig);
}

static bool is_space_held(struct rig *rig)
{
    struct error err;
    struct file *file;
    enum status status = disk_open(rig->box.disk, RESERVE_FILE, &file, &err);
    if (status == STATUS_OK)
        file_close(file);
    return status == STATUS_OK;
}

/* Roomy, until somebody fills half of it. */
enum { ROOMY_DISK_BYTES = 64 * 10000 + 20000 };

TEST(a_roomy_disk_holds_nothing_for_deletions)
{
    struct rig rig;
    open_on_disk(&rig, ROOMY_DISK_BYTES);
    assert_false(is_space_held(&rig));
    struct file *filler = fill_but(&rig, 2);
    adjust_reserve(&rig);
    assert_true(is_space_held(&rig));
    make_room(&rig, filler);
    assert_false(is_space_held(&rig));
    rig_close(&rig);
}

TEST(space_that_could_not_be_given_back_to_a_roomy_disk_is_given_back_later)
{
    struct rig rig;
    open_on_disk(&rig, ROOMY_DISK_BYTES);
    struct file *filler = fill_but(&rig, 2);
    adjust_reserve(&rig);
    unfill(&rig, filler);
    sim_disk_fail_at(rig.box.sim, sim_disk_operation_count(rig.box.sim), STATUS_IO);
    adjust_reserve(&rig);
    assert_true(is_space_held(&rig));
    adjust_reserve(&rig);
    assert_false(is_space_held(&rig));
    rig_close(&rig);
}

/* The block would not fit twice; what is left of it does. */
TEST(on_a_nearly_full_disk_a_deletion_needs_room_for_what_it_keeps)
{
    struct rig rig;
    struct error err = {0};
    rig_start_single(&rig, BOX_SEED);
    for (int i = 0; i < 2000; i++)
        box_put(&rig.box, "a", "up", BOX_START_MS + i, i / 7.0);
    box_put(&rig.box, "b", "up", BOX_START_MS, 1);
    expect_ok(box_flush(&rig.box, &err));
    struct shard_status status;
    store_shard_status(rig.box.store, 0, &status);
    expect_ok(rig_delete(&rig, "a", NULL, INT64_MIN, INT64_MAX, &err));
    sim_disk_set_capacity(rig.box.sim, box_used_bytes(&rig.box) + status.block_bytes);
    rig_clean(&rig);
    assert_int_equal(box_block_samples(&rig.box), 1);
    expect_series(&rig.box, "b", "up 1700000000000:1\n");
    rig_close(&rig);
}

/* Two blocks of it, and one of today: a day is finished when another has begun. */
static void flush_yesterday(struct rig *rig)
{
    struct error err = {0};
    rig_put(rig, "up", BOX_START_MS - BOX_DAY_MS, 1);
    expect_ok(box_flush(&rig->box, &err));
    rig_put(rig, "up", BOX_START_MS - BOX_DAY_MS + 1, 2);
    expect_ok(box_flush(&rig->box, &err));
    rig_put(rig, "up", BOX_START_MS, 3);
    expect_ok(box_flush(&rig->box, &err));
}

TEST(a_block_of_which_nothing_is_left_goes_though_its_day_waits)
{
    struct rig rig;
    rig_start(&rig, BOX_SEED);
    flush_yesterday(&rig);
    const struct counter *failures = &compactor_counters(rig.compactor)->failures;
    for (uint64_t i = 1; i <= 2; i++) {
        sim_clock_advance(&rig.box.clock, MINUTE_MS);
        /* the first removes a file of that name that is not there, the second creates it */
        sim_disk_fail_at(rig.box.sim, sim_disk_operation_count(rig.box.sim) + 1,
                         STATUS_UNAVAILABLE);
        compactor_step(rig.compactor);
        assert_int_equal(counter_get(failures), i);
    }
    expect_deleted(&rig, NULL, INT64_MIN, INT64_MAX);
    sim_clock_advance(&rig.box.clock, MINUTE_MS + 1); /* half of the day's wait */
    compactor_step(rig.compactor);
    assert_int_equal(box_block_samples(&rig.box), 0);
    rig_close(&rig);
}

TEST(a_block_that_cannot_be_deleted_does_not_stop_a_merge)
{
    struct rig rig;
    rig_start_single(&rig, BOX_SEED);
    flush_yesterday(&rig);
    rig_put(&rig, "gone", BOX_START_MS, 1);
    expect_deleted(&rig, "__name__=gone", INT64_MIN, INT64_MAX);
    sim_clock_advance(&rig.box.clock, MINUTE_MS + 1);
    sim_disk_fail_at(rig.box.sim, sim_disk_operation_count(rig.box.sim), STATUS_IO);
    compactor_step(rig.compactor);
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->failures), 1);
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->merges), 1);
    assert_int_equal(box_block_samples(&rig.box), 4);
    compactor_step(rig.compactor);
    assert_int_equal(box_block_samples(&rig.box), 3);
    rig_close(&rig);
}

TEST(a_block_that_a_merge_has_replaced_and_cannot_be_deleted_does_not_stop_a_deletion)
{
    struct rig rig;
    rig_start_single(&rig, BOX_SEED);
    flush_yesterday(&rig);
    sim_disk_break_paths(rig.box.sim, "shard-0000/blocks/0000000000.block");
    compactor_step(rig.compactor);
    const struct compactor_counters *counters = compactor_counters(rig.compactor);
    assert_int_equal(counter_get(&counters->merges), 1);
    assert_int_equal(box_file_count(&rig.box, "0000000000.block"), 1);
    rig_put(&rig, "gone", BOX_START_MS, 1);
    expect_deleted(&rig, "__name__=gone", INT64_MIN, INT64_MAX);
    sim_clock_advance(&rig.box.clock, MINUTE_MS + 1);
    compactor_step(rig.compactor);
    assert_int_equal(counter_get(&counters->failures), 1);
    assert_int_equal(box_block_samples(&rig.box), 3);
    rig_close(&rig);
}

/* ---- a fault at any operation ---- */

/* Deletes, cleans, and says whether both were answered with success. */
static bool delete_and_clean(struct rig *rig)
{
    struct error err;
    bool is_clean = rig_delete(rig, "a", "job=a", INT64_MIN, INT64_MAX, &err) == STATUS_OK;
    return is_clean && compactor_settle(rig->compactor, SETTLE_CLEAN, &err) == STATUS_OK;
}

static const char *const before = "cpu{mode=\"x\"} 1700000000000:3\nup{job=\"a\"} 1700000000000:1\n"
                                  "up{job=\"b\"} 1700000000000:2\n";
static const char *const after_it =
    "cpu{mode=\"x\"} 1700000000000:3\nup{job=\"b\"} 1700000000000:2\n";

static struct str answer(struct rig *rig)
{
    struct error err = {0};
    struct str got;
    const struct box_query query = {.tenants = "a"};
    expect_ok(box_select(&rig->box, &query, &got, &err));
    return got;
}

static bool cut_at(uint64_t after, enum power_cut cut)
{
    struct rig rig;
    struct error err = {0};
    rig_start(&rig, BOX_SEED);
    rig_put(&rig, "up job=a", BOX_START_MS, 1);
    rig_put(&rig, "up job=b", BOX_START_MS, 2);
    expect_ok(box_flush(&rig.box, &err));
    rig_put(&rig, "cpu mode=x", BOX_START_MS, 3);
    sim_disk_cut_power_at(rig.box.sim, sim_disk_operation_count(rig.box.sim) + after);
    bool is_deleted = rig_delete(&rig, "a", "job=a", INT64_MIN, INT64_MAX, &err) == STATUS_OK;
    bool is_over = is_deleted && compactor_settle(rig.compactor, SETTLE_CLEAN, &err) == STATUS_OK;
    rig_crash(&rig, cut);
    if (is_deleted || !str_eq(answer(&rig), str_from(before)))
        expect_series(&rig.box, "a", after_it);
    expect_deleted(&rig, "job=a", INT64_MIN, INT64_MAX);
    rig_clean(&rig);
    expect_series(&rig.box, "a", after_it);
    rig_crash(&rig, POWER_CUT_DROP_ALL);
    expect_series(&rig.box, "a", after_it);
    expect_ok(box_verify(&rig.box, &err));
    rig_close(&rig);
    return is_over;
}

TEST(a_deletion_that_is_cut_anywhere_is_there_or_is_not_and_stays_when_it_was_answered)
{
    for (enum power_cut cut = 0; cut < POWER_CUT_COUNT; cut++) {
        uint64_t after = 0;
        while (!cut_at(after, cut))
            assert_true(++after < 1000);
    }
}

static bool fail_at(uint64_t after, enum status failure)
{
    struct rig rig;
    struct error err = {0};
    rig_start(&rig, BOX_SEED);
    rig_put_three(&rig);
    sim_disk_fail_at(rig.box.sim, sim_disk_operation_count(rig.box.sim) + after, failure);
    bool is_clean = delete_and_clean(&rig);
    sim_disk_fail_at(rig.box.sim, UINT64_MAX, STATUS_IO);
    sim_clock_advance(&rig.box.clock, 90 * MINUTE_MS); /* nobody is held back any more */
    bool is_clean_now = delete_and_clean(&rig);
    assert_true(is_clean_now);
    expect_series(&rig.box, "a", after_it);
    rig_crash(&rig, POWER_CUT_DROP_ALL);
    expect_series(&rig.box, "a", after_it);
    rig_clean(&rig);
    expect_series(&rig.box, "a", after_it);
    assert_int_equal(box_block_samples(&rig.box), 2);
    expect_ok(box_verify(&rig.box, &err));
    rig_close(&rig);
    return is_clean;
}

TEST(a_deletion_that_fails_anywhere_succeeds_the_next_time)
{
    static const enum status failures[] = {STATUS_IO, STATUS_UNAVAILABLE};
    for (size_t i = 0; i < 2; i++) {
        uint64_t after = 0;
        while (!fail_at(after, failures[i]))
            assert_true(++after < 1000);
    }
}

TEST_MAIN(RUN(on_a_full_disk_a_deletion_works_and_writes_go_on_when_it_has_made_room),
          RUN(a_deletion_works_on_a_disk_that_others_have_filled),
          RUN(a_start_on_a_full_disk_has_the_reserve_of_the_process_before),
          RUN(a_roomy_disk_holds_nothing_for_deletions),
          RUN(space_that_could_not_be_given_back_to_a_roomy_disk_is_given_back_later),
          RUN(on_a_nearly_full_disk_a_deletion_needs_room_for_what_it_keeps),
          RUN(a_block_of_which_nothing_is_left_goes_though_its_day_waits),
          RUN(a_block_that_cannot_be_deleted_does_not_stop_a_merge),
          RUN(a_block_that_a_merge_has_replaced_and_cannot_be_deleted_does_not_stop_a_deletion),
          RUN(a_deletion_that_is_cut_anywhere_is_there_or_is_not_and_stays_when_it_was_answered),
          RUN(a_deletion_that_fails_anywhere_succeeds_the_next_time))
