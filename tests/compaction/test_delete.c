/*
 * Deleting: invisible to every read at once and for good, bytes back when blocks are written anew,
 * and what comes later for the same times is there.
 */
#include "compaction/compactor.h"

#include <stdio.h>

#include "tests/support/store_box.h"
#include "tsdb/store/deletions.h"
#include "tsdb/store/verify.h"

enum { BOX_SEED = 21, MINUTE_MS = 60 * 1000 };

struct rig {
    struct store_box box;
    struct compactor *compactor;
};

static void start(struct rig *rig)
{
    struct error err = {0};
    expect_ok(store_box_open(&rig->box, &err));
    const struct compactor_options options = {
        .store = rig->box.store, .rules = merge_rules_default(), .cpu_share_percent = 100};
    rig->compactor = compactor_new(&options);
}

static void rig_open(struct rig *rig)
{
    store_box_init(&rig->box, BOX_SEED);
    start(rig);
}

static void rig_close(struct rig *rig)
{
    compactor_close(rig->compactor);
    store_box_deinit(&rig->box);
}

static void reopen(struct rig *rig)
{
    compactor_close(rig->compactor);
    store_box_close(&rig->box);
    start(rig);
}

static void crash(struct rig *rig, enum power_cut cut)
{
    compactor_close(rig->compactor);
    store_box_crash(&rig->box, cut);
    start(rig);
}

static void put(struct rig *rig, const char *series, int64_t ts_ms, double value)
{
    box_put(&rig->box, "a", series, ts_ms, value);
}

static enum status delete_some(struct rig *rig, const char *tenants, const char *matchers,
                               int64_t min_ts_ms, int64_t max_ts_ms, struct error *err)
{
    const struct box_query query = {tenants, matchers, min_ts_ms, max_ts_ms};
    return box_delete(&rig->box, &query, err);
}

#define expect_deleted(rig, matchers, min_ts_ms, max_ts_ms)                                        \
    expect_ok(delete_some(rig, "a", matchers, min_ts_ms, max_ts_ms, &err))

static void clean(struct rig *rig)
{
    struct error err = {0};
    expect_ok(compactor_settle(rig->compactor, SETTLE_CLEAN, &err));
}

static size_t pending(struct rig *rig)
{
    size_t count = 0;
    for (uint32_t i = 0; i < store_shard_count(rig->box.store); i++) {
        struct deletions *deletions = store_deletions(rig->box.store, i);
        count += deletions->count;
        deletions_release(deletions);
    }
    return count;
}

static uint64_t block_samples(struct rig *rig)
{
    uint64_t samples = 0;
    for (uint32_t shard = 0; shard < store_shard_count(rig->box.store); shard++) {
        struct block **blocks;
        size_t count;
        store_blocks(rig->box.store, shard, &rig->box.arena, &blocks, &count);
        for (size_t i = 0; i < count; i++) {
            samples += block_meta(blocks[i])->sample_count;
            block_release(blocks[i]);
        }
    }
    return samples;
}

static void expect_labels(struct rig *rig, const char *name, const char *want)
{
    struct error err = {0};
    struct str got;
    const struct box_query query = {.tenants = "a"};
    expect_ok(box_label_list(&rig->box, &query, name, &got, &err));
    expect_str(got, want);
}

static void put_three(struct rig *rig)
{
    put(rig, "up job=a", BOX_START_MS, 1);
    put(rig, "up job=b", BOX_START_MS, 2);
    put(rig, "cpu mode=x", BOX_START_MS, 3);
}

TEST(what_is_deleted_is_invisible_at_once_to_every_read)
{
    struct rig rig;
    struct error err = {0};
    rig_open(&rig);
    put_three(&rig);
    struct tenant *tenant = tenant_table_find(store_tenants(rig.box.store), STR("a"));
    expect_deleted(&rig, "__name__=up job=a", INT64_MIN, INT64_MAX);
    expect_series(&rig.box, "a",
                  "cpu{mode=\"x\"} 1700000000000:3\nup{job=\"b\"} 1700000000000:2\n");
    expect_labels(&rig, "job", "b");
    expect_deleted(&rig, "job=b", INT64_MIN, INT64_MAX);
    expect_labels(&rig, NULL, "__name__ mode");
    expect_labels(&rig, "__name__", "cpu");
    struct tenant_usage usage;
    store_tenant_usage(rig.box.store, tenant, &usage);
    assert_int_equal(usage.series, 1);
    assert_int_equal(counter_get(&tenant->active_series), 1);
    struct label_count_list labels;
    store_label_counts(rig.box.store, tenant, &rig.box.arena, &labels);
    assert_int_equal(labels.count, 2);
    reopen(&rig);
    expect_series(&rig.box, "a", "cpu{mode=\"x\"} 1700000000000:3\n");
    crash(&rig, POWER_CUT_DROP_ALL);
    expect_series(&rig.box, "a", "cpu{mode=\"x\"} 1700000000000:3\n");
    expect_labels(&rig, NULL, "__name__ mode");
    rig_close(&rig);
}

TEST(only_the_range_of_time_goes)
{
    struct rig rig;
    struct error err = {0};
    rig_open(&rig);
    for (int i = 0; i < 10; i++)
        put(&rig, "up", BOX_START_MS + i, i);
    expect_deleted(&rig, "__name__=up", BOX_START_MS + 2, BOX_START_MS + 4);
    expect_deleted(&rig, "__name__=up", BOX_START_MS + 4, BOX_START_MS + 5);
    expect_deleted(&rig, "__name__=up", BOX_START_MS + 9, BOX_START_MS + 100);
    expect_deleted(&rig, "__name__=up", BOX_START_MS + 8, BOX_START_MS + 7); /* nothing */
    const char *want = "up 1700000000000:0 1700000000001:1 1700000000006:6 1700000000007:7 "
                       "1700000000008:8\n";
    expect_series(&rig.box, "a", want);
    clean(&rig);
    assert_int_equal(pending(&rig), 0);
    assert_int_equal(block_samples(&rig), 5);
    expect_series(&rig.box, "a", want);
    reopen(&rig);
    expect_series(&rig.box, "a", want);
    rig_close(&rig);
}

/* With time between them in which it has no samples. */
TEST(a_series_that_several_deletions_empty_is_in_no_list)
{
    struct rig rig;
    struct error err = {0};
    rig_open(&rig);
    for (int i = 0; i < 3; i++)
        put(&rig, "up job=b", BOX_START_MS + i * MINUTE_MS, i);
    put(&rig, "up job=a", BOX_START_MS, 0);
    put(&rig, "up job=a", BOX_START_MS + 2 * MINUTE_MS, 2);
    expect_deleted(&rig, "__name__=up", BOX_START_MS, BOX_START_MS);
    expect_labels(&rig, "job", "a b");
    expect_deleted(&rig, "__name__=up", BOX_START_MS + 2 * MINUTE_MS, INT64_MAX);
    expect_labels(&rig, "job", "b");
    expect_series(&rig.box, "a", "up{job=\"b\"} 1700000060000:1\n");
    clean(&rig);
    expect_labels(&rig, "job", "b");
    rig_close(&rig);
}

/* Neither of which would do it alone. */
TEST(a_series_that_retention_and_a_deletion_empty_is_in_no_list)
{
    struct rig rig;
    struct error err = {0};
    rig_open(&rig);
    put(&rig, "up job=a", BOX_START_MS - 60 * MINUTE_MS, 1);
    put(&rig, "up job=a", BOX_START_MS, 2);
    put(&rig, "up job=b", BOX_START_MS, 3);
    struct tenant *tenant = tenant_table_find(store_tenants(rig.box.store), STR("a"));
    counter_set(&tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_RETENTION], 120 * MINUTE_MS);
    expect_deleted(&rig, "job=a", BOX_START_MS, INT64_MAX);
    expect_labels(&rig, "job", "a b");
    sim_clock_advance(&rig.box.clock, 61 * MINUTE_MS);
    expect_labels(&rig, "job", "b");
    expect_series(&rig.box, "a", "up{job=\"b\"} 1700000000000:3\n");
    clean(&rig);
    assert_int_equal(block_samples(&rig), 1);
    rig_close(&rig);
}

/* Which only a look at the samples tells. */
TEST(a_block_that_several_deletions_empty_goes)
{
    struct rig rig;
    struct error err = {0};
    rig_open(&rig);
    for (int i = 0; i < 3; i++) {
        put(&rig, "up", BOX_START_MS + i * MINUTE_MS, i);
        expect_deleted(&rig, NULL, BOX_START_MS + i * MINUTE_MS, BOX_START_MS + i * MINUTE_MS);
    }
    put(&rig, "up", BOX_START_MS, 4);
    put(&rig, "up", BOX_START_MS + MINUTE_MS, 5);
    expect_ok(box_flush(&rig.box, &err));
    expect_deleted(&rig, NULL, BOX_START_MS, BOX_START_MS);
    expect_deleted(&rig, NULL, BOX_START_MS + MINUTE_MS, BOX_START_MS + MINUTE_MS);
    expect_series(&rig.box, "a", "");
    clean(&rig);
    assert_int_equal(block_samples(&rig), 0);
    assert_int_equal(pending(&rig), 0);
    reopen(&rig);
    expect_series(&rig.box, "a", "");
    rig_close(&rig);
}

TEST(other_tenants_keep_theirs)
{
    struct rig rig;
    struct error err = {0};
    rig_open(&rig);
    box_put(&rig.box, "a", "up", BOX_START_MS, 1);
    box_put(&rig.box, "b", "up", BOX_START_MS, 2);
    box_put(&rig.box, "d", "up", BOX_START_MS, 3);
    expect_ok(delete_some(&rig, "a|d", NULL, INT64_MIN, INT64_MAX, &err));
    expect_series(&rig.box, "a", "");
    expect_series(&rig.box, "b", "up 1700000000000:2\n");
    expect_series(&rig.box, "d", "");
    box_put(&rig.box, "d", "up", BOX_START_MS, 4);
    expect_ok(delete_some(&rig, "*", "tenant_id=b", INT64_MIN, INT64_MAX, &err));
    expect_series(&rig.box, "*", "up{tenant_id=\"d\"} 1700000000000:4\n");
    expect_status(delete_some(&rig, "*", "original_tenant_id=b", INT64_MIN, INT64_MAX, &err),
                  STATUS_INVALID);
    expect_ok(box_flush(&rig.box, &err));
    clean(&rig);
    assert_int_equal(block_samples(&rig), 1);
    expect_series(&rig.box, "*", "up{tenant_id=\"d\"} 1700000000000:4\n");
    rig_close(&rig);
}

TEST(what_comes_later_for_a_deleted_time_is_kept)
{
    struct rig rig;
    struct error err = {0};
    rig_open(&rig);
    put(&rig, "up", BOX_START_MS, 1);
    expect_deleted(&rig, "__name__=up", INT64_MIN, INT64_MAX);
    put(&rig, "up", BOX_START_MS, 2);
    expect_series(&rig.box, "a", "up 1700000000000:2\n");
    expect_ok(box_flush(&rig.box, &err));
    expect_series(&rig.box, "a", "up 1700000000000:2\n");
    reopen(&rig);
    expect_series(&rig.box, "a", "up 1700000000000:2\n");
    clean(&rig);
    expect_series(&rig.box, "a", "up 1700000000000:2\n");
    assert_int_equal(block_samples(&rig), 1);
    expect_deleted(&rig, "__name__=up", INT64_MIN, INT64_MAX);
    put(&rig, "up", BOX_START_MS, 3);
    expect_ok(compactor_settle(rig.compactor, SETTLE_COMPACT, &err));
    expect_series(&rig.box, "a", "up 1700000000000:3\n");
    rig_close(&rig);
}

/* Without anybody's asking: after a minute, so that one writing answers several deletions. */
TEST(bytes_come_back_by_themselves_within_minutes)
{
    struct rig rig;
    struct error err = {0};
    rig_open(&rig);
    put_three(&rig);
    expect_deleted(&rig, "job=a", INT64_MIN, INT64_MAX);
    compactor_step(rig.compactor);
    assert_int_equal(pending(&rig), 1);
    assert_int_equal(block_samples(&rig), 3);
    sim_clock_advance(&rig.box.clock, 2 * MINUTE_MS);
    compactor_step(rig.compactor);
    compactor_step(rig.compactor);
    assert_int_equal(block_samples(&rig), 2);
    assert_int_equal(pending(&rig), 0);
    struct name_list files;
    sim_disk_files(rig.box.sim, &files);
    for (size_t i = 0; i < files.count; i++)
        assert_null(strstr(files.names[i], "deletions"));
    name_list_deinit(&files);
    rig_close(&rig);
}

TEST(a_block_of_which_nothing_is_left_goes_without_being_written_anew)
{
    struct rig rig;
    struct error err = {0};
    rig_open(&rig);
    put_three(&rig);
    expect_deleted(&rig, NULL, INT64_MIN, INT64_MAX);
    clean(&rig);
    assert_int_equal(block_samples(&rig), 0);
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->merges), 0);
    assert_int_equal(pending(&rig), 0);
    reopen(&rig);
    expect_series(&rig.box, "a", "");
    put(&rig, "up job=a", BOX_START_MS, 9);
    expect_ok(box_flush(&rig.box, &err));
    expect_series(&rig.box, "a", "up{job=\"a\"} 1700000000000:9\n");
    crash(&rig, POWER_CUT_DROP_ALL);
    expect_series(&rig.box, "a", "up{job=\"a\"} 1700000000000:9\n");
    rig_close(&rig);
}

/* ---- what has expired for one tenant and not for another ---- */

TEST(an_expired_part_of_a_block_leaves_the_disk_and_the_rest_stays)
{
    struct rig rig;
    struct error err = {0};
    store_box_init(&rig.box, BOX_SEED);
    rig.box.options.shard_count = 1;
    start(&rig);
    for (int i = 0; i < 10; i++)
        box_put(&rig.box, "keeper", "up", BOX_START_MS + i, i);
    box_put(&rig.box, "brief", "up", BOX_START_MS, 1);
    struct tenant *brief = tenant_table_find(store_tenants(rig.box.store), STR("brief"));
    counter_set(&brief->limit_max[LIMIT_HARD][TENANT_LIMIT_RETENTION], BOX_DAY_MS / 2);
    expect_ok(box_flush(&rig.box, &err));
    sim_clock_advance(&rig.box.clock, BOX_DAY_MS / 2);
    compactor_step(rig.compactor);
    assert_int_equal(block_samples(&rig), 11); /* not yet */
    sim_clock_advance(&rig.box.clock, BOX_DAY_MS);
    expect_series(&rig.box, "brief", "");
    compactor_step(rig.compactor);
    assert_int_equal(block_samples(&rig), 10);
    assert_false(store_has_blocks_of(rig.box.store, brief));
    compactor_step(rig.compactor); /* and not again */
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->merges), 1);
    rig_close(&rig);
}

static void keep_for(struct rig *rig, const char *tenant, int64_t days)
{
    struct tenant *known = tenant_table_find(store_tenants(rig->box.store), str_from(tenant));
    counter_set(&known->limit_max[LIMIT_HARD][TENANT_LIMIT_RETENTION],
                (uint64_t)(days * BOX_DAY_MS));
}

static void pass_day(struct rig *rig)
{
    sim_clock_advance(&rig->box.clock, BOX_DAY_MS + 1);
    compactor_step(rig->compactor);
    compactor_step(rig->compactor);
}

static const char *const days_tenants[] = {"1", "2", "3", "4", "5", "6"};

/* Each tenant keeps its only sample for as many days as its name says. */
static void put_for_days(struct rig *rig)
{
    for (int i = 0; i < 6; i++) {
        box_put(&rig->box, days_tenants[i], "up", BOX_START_MS, i);
        keep_for(rig, days_tenants[i], i + 1);
    }
}

TEST(a_block_that_may_not_be_written_again_is_when_half_of_it_has_expired)
{
    struct rig rig;
    struct error err = {0};
    store_box_init(&rig.box, BOX_SEED);
    rig.box.options.shard_count = 1;
    start(&rig);
    put_for_days(&rig);
    for (int i = 1; i < 1000; i++) /* most of the block */
        box_put(&rig.box, "4", "up", BOX_START_MS - i, i / 7.0);
    expect_ok(box_flush(&rig.box, &err));
    for (int day = 1; day <= 4; day++)
        pass_day(&rig); /* to levels 1, 2 and 3; then most of it, without a wait */
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->merges), 4);
    assert_int_equal(block_samples(&rig), 2);
    pass_day(&rig);
    pass_day(&rig);
    assert_int_equal(block_samples(&rig), 0);
    rig_close(&rig);
}

TEST(an_expired_part_of_a_block_waits_a_day_for_others_at_most)
{
    struct rig rig;
    struct error err = {0};
    store_box_init(&rig.box, BOX_SEED);
    rig.box.options.shard_count = 1;
    start(&rig);
    put_for_days(&rig);
    for (int i = 0; i < 1000; i++)
        box_put(&rig.box, "keeper", "up", BOX_START_MS + i, i / 7.0);
    expect_ok(box_flush(&rig.box, &err));
    for (int day = 1; day <= 3; day++)
        pass_day(&rig);
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->merges), 3);
    pass_day(&rig); /* it is a small part of a block that was written three times */
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->merges), 3);
    assert_int_equal(block_samples(&rig), 1003);
    pass_day(&rig); /* two go together */
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->merges), 4);
    assert_int_equal(block_samples(&rig), 1001);
    rig_close(&rig);
}

/* ---- a full disk ---- */

TEST(on_a_full_disk_a_deletion_works_and_writes_go_on_when_it_has_made_room)
{
    enum { CAPACITY_BYTES = 60000, RESERVE_BYTES = 20000, SAMPLES = 3000 };
    struct rig rig;
    struct error err = {0};
    store_box_init(&rig.box, BOX_SEED);
    rig.box.options.shard_count = 1;
    rig.box.options.reserve_bytes = RESERVE_BYTES;
    rig.box.options.wal_segment_bytes = 2000; /* what it reserves is little */
    start(&rig);
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
    expect_ok(delete_some(&rig, "a", NULL, INT64_MIN, INT64_MAX, &err));
    expect_series(&rig.box, "a", "");
    clean(&rig);
    assert_int_equal(block_samples(&rig), 0);
    store_check_reserve(rig.box.store);
    put(&rig, "up", BOX_START_MS, 7);
    expect_series(&rig.box, "a", "up 1700000000000:7\n");
    rig_close(&rig);
}

static uint64_t used_bytes(struct rig *rig)
{
    struct error err = {0};
    uint64_t free_bytes;
    expect_ok(disk_free_bytes(rig->box.disk, &free_bytes, &err));
    return (UINT64_C(1) << 40) - free_bytes;
}

/* The block would not fit twice; what is left of it does. */
TEST(on_a_nearly_full_disk_a_deletion_needs_room_for_what_it_keeps)
{
    struct rig rig;
    struct error err = {0};
    store_box_init(&rig.box, BOX_SEED);
    rig.box.options.shard_count = 1;
    start(&rig);
    for (int i = 0; i < 2000; i++)
        box_put(&rig.box, "a", "up", BOX_START_MS + i, i / 7.0);
    box_put(&rig.box, "b", "up", BOX_START_MS, 1);
    expect_ok(box_flush(&rig.box, &err));
    struct shard_status status;
    store_shard_status(rig.box.store, 0, &status);
    expect_ok(delete_some(&rig, "a", NULL, INT64_MIN, INT64_MAX, &err));
    sim_disk_set_capacity(rig.box.sim, used_bytes(&rig) + status.block_bytes);
    clean(&rig);
    assert_int_equal(block_samples(&rig), 1);
    expect_series(&rig.box, "b", "up 1700000000000:1\n");
    rig_close(&rig);
}

static void flush_yesterday(struct rig *rig)
{
    struct error err = {0};
    put(rig, "up", BOX_START_MS - BOX_DAY_MS, 1);
    expect_ok(box_flush(&rig->box, &err));
    put(rig, "up", BOX_START_MS - BOX_DAY_MS + 1, 2);
    expect_ok(box_flush(&rig->box, &err));
}

TEST(a_block_of_which_nothing_is_left_goes_though_its_day_waits)
{
    struct rig rig;
    struct error err = {0};
    rig_open(&rig);
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
    assert_int_equal(block_samples(&rig), 0);
    rig_close(&rig);
}

TEST(a_block_that_cannot_be_deleted_does_not_stop_a_merge)
{
    struct rig rig;
    struct error err = {0};
    store_box_init(&rig.box, BOX_SEED);
    rig.box.options.shard_count = 1;
    start(&rig);
    flush_yesterday(&rig);
    put(&rig, "gone", BOX_START_MS, 1);
    expect_deleted(&rig, "__name__=gone", INT64_MIN, INT64_MAX);
    sim_clock_advance(&rig.box.clock, MINUTE_MS + 1);
    sim_disk_fail_at(rig.box.sim, sim_disk_operation_count(rig.box.sim), STATUS_IO);
    compactor_step(rig.compactor);
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->failures), 1);
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->merges), 1);
    assert_int_equal(block_samples(&rig), 3);
    compactor_step(rig.compactor);
    assert_int_equal(block_samples(&rig), 2);
    rig_close(&rig);
}

/* ---- a fault at any operation ---- */

static void expect_verified(struct rig *rig)
{
    struct error err = {0};
    expect_ok(box_verify(&rig->box, &err));
}

/* Deletes, cleans, and says whether both were answered with success. */
static bool delete_and_clean(struct rig *rig)
{
    struct error err;
    bool is_clean = delete_some(rig, "a", "job=a", INT64_MIN, INT64_MAX, &err) == STATUS_OK;
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
    rig_open(&rig);
    put(&rig, "up job=a", BOX_START_MS, 1);
    put(&rig, "up job=b", BOX_START_MS, 2);
    expect_ok(box_flush(&rig.box, &err));
    put(&rig, "cpu mode=x", BOX_START_MS, 3);
    sim_disk_cut_power_at(rig.box.sim, sim_disk_operation_count(rig.box.sim) + after);
    bool is_deleted = delete_some(&rig, "a", "job=a", INT64_MIN, INT64_MAX, &err) == STATUS_OK;
    bool is_over = is_deleted && compactor_settle(rig.compactor, SETTLE_CLEAN, &err) == STATUS_OK;
    crash(&rig, cut);
    if (is_deleted || !str_eq(answer(&rig), str_from(before)))
        expect_series(&rig.box, "a", after_it);
    expect_deleted(&rig, "job=a", INT64_MIN, INT64_MAX);
    clean(&rig);
    expect_series(&rig.box, "a", after_it);
    crash(&rig, POWER_CUT_DROP_ALL);
    expect_series(&rig.box, "a", after_it);
    expect_verified(&rig);
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
    rig_open(&rig);
    put_three(&rig);
    sim_disk_fail_at(rig.box.sim, sim_disk_operation_count(rig.box.sim) + after, failure);
    bool is_clean = delete_and_clean(&rig);
    sim_disk_fail_at(rig.box.sim, UINT64_MAX, STATUS_IO);
    sim_clock_advance(&rig.box.clock, 90 * MINUTE_MS); /* nobody is held back any more */
    bool is_clean_now = delete_and_clean(&rig);
    assert_true(is_clean_now);
    expect_series(&rig.box, "a", after_it);
    crash(&rig, POWER_CUT_DROP_ALL);
    expect_series(&rig.box, "a", after_it);
    clean(&rig);
    expect_series(&rig.box, "a", after_it);
    assert_int_equal(block_samples(&rig), 2);
    expect_verified(&rig);
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

TEST_MAIN(RUN(what_is_deleted_is_invisible_at_once_to_every_read), RUN(only_the_range_of_time_goes),
          RUN(a_series_that_several_deletions_empty_is_in_no_list),
          RUN(a_series_that_retention_and_a_deletion_empty_is_in_no_list),
          RUN(a_block_that_several_deletions_empty_goes), RUN(other_tenants_keep_theirs),
          RUN(what_comes_later_for_a_deleted_time_is_kept),
          RUN(bytes_come_back_by_themselves_within_minutes),
          RUN(a_block_of_which_nothing_is_left_goes_without_being_written_anew),
          RUN(an_expired_part_of_a_block_leaves_the_disk_and_the_rest_stays),
          RUN(a_block_that_may_not_be_written_again_is_when_half_of_it_has_expired),
          RUN(an_expired_part_of_a_block_waits_a_day_for_others_at_most),
          RUN(on_a_full_disk_a_deletion_works_and_writes_go_on_when_it_has_made_room),
          RUN(on_a_nearly_full_disk_a_deletion_needs_room_for_what_it_keeps),
          RUN(a_block_of_which_nothing_is_left_goes_though_its_day_waits),
          RUN(a_block_that_cannot_be_deleted_does_not_stop_a_merge),
          RUN(a_deletion_that_is_cut_anywhere_is_there_or_is_not_and_stays_when_it_was_answered),
          RUN(a_deletion_that_fails_anywhere_succeeds_the_next_time))
