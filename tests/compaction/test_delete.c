/*
 * Deleting: invisible to every read at once and for good, bytes back when blocks are written anew,
 * and what comes later for the same times is there.
 */
#include "tests/compaction/compactor_rig.h"
#include "tsdb/store/deletions.h"

enum { BOX_SEED = 21, MINUTE_MS = 60 * 1000 };

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

static void expect_labels(struct rig *rig, const char *name, const char *want)
{
    struct error err = {0};
    struct str got;
    const struct box_query query = {.tenants = "a"};
    expect_ok(box_label_list(&rig->box, &query, name, &got, &err));
    expect_str(got, want);
}

TEST(what_is_deleted_is_invisible_at_once_to_every_read)
{
    struct rig rig;
    rig_start(&rig, BOX_SEED);
    rig_put_three(&rig);
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
    rig_reopen(&rig);
    expect_series(&rig.box, "a", "cpu{mode=\"x\"} 1700000000000:3\n");
    rig_crash(&rig, POWER_CUT_DROP_ALL);
    expect_series(&rig.box, "a", "cpu{mode=\"x\"} 1700000000000:3\n");
    expect_labels(&rig, NULL, "__name__ mode");
    rig_close(&rig);
}

TEST(only_the_range_of_time_goes)
{
    struct rig rig;
    rig_start(&rig, BOX_SEED);
    for (int i = 0; i < 10; i++)
        rig_put(&rig, "up", BOX_START_MS + i, i);
    expect_deleted(&rig, "__name__=up", BOX_START_MS + 2, BOX_START_MS + 4);
    expect_deleted(&rig, "__name__=up", BOX_START_MS + 4, BOX_START_MS + 5);
    expect_deleted(&rig, "__name__=up", BOX_START_MS + 9, BOX_START_MS + 100);
    expect_deleted(&rig, "__name__=up", BOX_START_MS + 8, BOX_START_MS + 7); /* nothing */
    const char *want = "up 1700000000000:0 1700000000001:1 1700000000006:6 1700000000007:7 "
                       "1700000000008:8\n";
    expect_series(&rig.box, "a", want);
    rig_clean(&rig);
    assert_int_equal(pending(&rig), 0);
    assert_int_equal(box_block_samples(&rig.box), 5);
    expect_series(&rig.box, "a", want);
    rig_reopen(&rig);
    expect_series(&rig.box, "a", want);
    rig_close(&rig);
}

/* With time between them in which it has no samples. */
TEST(a_series_that_several_deletions_empty_is_in_no_list)
{
    struct rig rig;
    rig_start(&rig, BOX_SEED);
    for (int i = 0; i < 3; i++)
        rig_put(&rig, "up job=b", BOX_START_MS + i * MINUTE_MS, i);
    rig_put(&rig, "up job=a", BOX_START_MS, 0);
    rig_put(&rig, "up job=a", BOX_START_MS + 2 * MINUTE_MS, 2);
    expect_deleted(&rig, "__name__=up", BOX_START_MS, BOX_START_MS);
    expect_labels(&rig, "job", "a b");
    expect_deleted(&rig, "__name__=up", BOX_START_MS + 2 * MINUTE_MS, INT64_MAX);
    expect_labels(&rig, "job", "b");
    expect_series(&rig.box, "a", "up{job=\"b\"} 1700000060000:1\n");
    rig_clean(&rig);
    expect_labels(&rig, "job", "b");
    rig_close(&rig);
}

/* Neither of which would do it alone. */
TEST(a_series_that_retention_and_a_deletion_empty_is_in_no_list)
{
    struct rig rig;
    rig_start(&rig, BOX_SEED);
    rig_put(&rig, "up job=a", BOX_START_MS - 60 * MINUTE_MS, 1);
    rig_put(&rig, "up job=a", BOX_START_MS, 2);
    rig_put(&rig, "up job=b", BOX_START_MS, 3);
    struct tenant *tenant = tenant_table_find(store_tenants(rig.box.store), STR("a"));
    counter_set(&tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_RETENTION], 120 * MINUTE_MS);
    expect_deleted(&rig, "job=a", BOX_START_MS, INT64_MAX);
    expect_labels(&rig, "job", "a b");
    sim_clock_advance(&rig.box.clock, 61 * MINUTE_MS);
    expect_labels(&rig, "job", "b");
    expect_series(&rig.box, "a", "up{job=\"b\"} 1700000000000:3\n");
    rig_clean(&rig);
    assert_int_equal(box_block_samples(&rig.box), 1);
    rig_close(&rig);
}

/* Which only a look at the samples tells. */
TEST(a_block_that_several_deletions_empty_goes)
{
    struct rig rig;
    struct error err = {0};
    rig_start(&rig, BOX_SEED);
    for (int i = 0; i < 3; i++) {
        rig_put(&rig, "up", BOX_START_MS + i * MINUTE_MS, i);
        expect_deleted(&rig, NULL, BOX_START_MS + i * MINUTE_MS, BOX_START_MS + i * MINUTE_MS);
    }
    rig_put(&rig, "up", BOX_START_MS, 4);
    rig_put(&rig, "up", BOX_START_MS + MINUTE_MS, 5);
    expect_ok(box_flush(&rig.box, &err));
    expect_deleted(&rig, NULL, BOX_START_MS, BOX_START_MS);
    expect_deleted(&rig, NULL, BOX_START_MS + MINUTE_MS, BOX_START_MS + MINUTE_MS);
    expect_series(&rig.box, "a", "");
    rig_clean(&rig);
    assert_int_equal(box_block_samples(&rig.box), 0);
    assert_int_equal(pending(&rig), 0);
    rig_reopen(&rig);
    expect_series(&rig.box, "a", "");
    rig_close(&rig);
}

TEST(other_tenants_keep_theirs)
{
    struct rig rig;
    struct error err = {0};
    rig_start(&rig, BOX_SEED);
    box_put(&rig.box, "a", "up", BOX_START_MS, 1);
    box_put(&rig.box, "b", "up", BOX_START_MS, 2);
    box_put(&rig.box, "d", "up", BOX_START_MS, 3);
    expect_ok(rig_delete(&rig, "a|d", NULL, INT64_MIN, INT64_MAX, &err));
    expect_series(&rig.box, "a", "");
    expect_series(&rig.box, "b", "up 1700000000000:2\n");
    expect_series(&rig.box, "d", "");
    box_put(&rig.box, "d", "up", BOX_START_MS, 4);
    expect_ok(rig_delete(&rig, "*", "tenant_id=b", INT64_MIN, INT64_MAX, &err));
    expect_series(&rig.box, "*", "up{tenant_id=\"d\"} 1700000000000:4\n");
    expect_status(rig_delete(&rig, "*", "original_tenant_id=b", INT64_MIN, INT64_MAX, &err),
                  STATUS_INVALID);
    expect_ok(box_flush(&rig.box, &err));
    rig_clean(&rig);
    assert_int_equal(box_block_samples(&rig.box), 1);
    expect_series(&rig.box, "*", "up{tenant_id=\"d\"} 1700000000000:4\n");
    rig_close(&rig);
}

TEST(what_comes_later_for_a_deleted_time_is_kept)
{
    struct rig rig;
    struct error err = {0};
    rig_start(&rig, BOX_SEED);
    rig_put(&rig, "up", BOX_START_MS, 1);
    expect_deleted(&rig, "__name__=up", INT64_MIN, INT64_MAX);
    rig_put(&rig, "up", BOX_START_MS, 2);
    expect_series(&rig.box, "a", "up 1700000000000:2\n");
    expect_ok(box_flush(&rig.box, &err));
    expect_series(&rig.box, "a", "up 1700000000000:2\n");
    rig_reopen(&rig);
    expect_series(&rig.box, "a", "up 1700000000000:2\n");
    rig_clean(&rig);
    expect_series(&rig.box, "a", "up 1700000000000:2\n");
    assert_int_equal(box_block_samples(&rig.box), 1);
    expect_deleted(&rig, "__name__=up", INT64_MIN, INT64_MAX);
    rig_put(&rig, "up", BOX_START_MS, 3);
    expect_ok(compactor_settle(rig.compactor, SETTLE_COMPACT, &err));
    expect_series(&rig.box, "a", "up 1700000000000:3\n");
    rig_close(&rig);
}

/* Without anybody's asking: after a minute, so that one writing answers several deletions. */
TEST(bytes_come_back_by_themselves_within_minutes)
{
    struct rig rig;
    rig_start(&rig, BOX_SEED);
    rig_put_three(&rig);
    expect_deleted(&rig, "job=a", INT64_MIN, INT64_MAX);
    compactor_step(rig.compactor);
    assert_int_equal(pending(&rig), 1);
    assert_int_equal(box_block_samples(&rig.box), 3);
    sim_clock_advance(&rig.box.clock, 2 * MINUTE_MS);
    compactor_step(rig.compactor);
    compactor_step(rig.compactor);
    assert_int_equal(box_block_samples(&rig.box), 2);
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
    rig_start(&rig, BOX_SEED);
    rig_put_three(&rig);
    expect_deleted(&rig, NULL, INT64_MIN, INT64_MAX);
    rig_clean(&rig);
    assert_int_equal(box_block_samples(&rig.box), 0);
    assert_int_equal(counter_get(&compactor_counters(rig.compactor)->merges), 0);
    assert_int_equal(pending(&rig), 0);
    rig_reopen(&rig);
    expect_series(&rig.box, "a", "");
    rig_put(&rig, "up job=a", BOX_START_MS, 9);
    expect_ok(box_flush(&rig.box, &err));
    expect_series(&rig.box, "a", "up{job=\"a\"} 1700000000000:9\n");
    rig_crash(&rig, POWER_CUT_DROP_ALL);
    expect_series(&rig.box, "a", "up{job=\"a\"} 1700000000000:9\n");
    rig_close(&rig);
}

TEST_MAIN(RUN(what_is_deleted_is_invisible_at_once_to_every_read), RUN(only_the_range_of_time_goes),
          RUN(a_series_that_several_deletions_empty_is_in_no_list),
          RUN(a_series_that_retention_and_a_deletion_empty_is_in_no_list),
          RUN(a_block_that_several_deletions_empty_goes), RUN(other_tenants_keep_theirs),
          RUN(what_comes_later_for_a_deleted_time_is_kept),
          RUN(bytes_come_back_by_themselves_within_minutes),
          RUN(a_block_of_which_nothing_is_left_goes_without_being_written_anew))
