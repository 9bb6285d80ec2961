#include "tests/support/store_box.h"

#include <stdio.h>

#include "base/codec.h"
#include "base/mem.h"
#include "tsdb/model/sample.h"

enum { BOX_SEED = 7 };

/* ---- words of this file ---- */

static void flush(struct store_box *box)
{
    struct error err = {0};
    expect_ok(box_flush(box, &err));
}

static struct write_result write_some(struct store_box *box, const struct box_sample *samples,
                                      size_t count)
{
    struct error err = {0};
    struct write_result result;
    expect_ok(box_write(box, samples, count, &result, &err));
    return result;
}

/* One sample that must be refused for `reason`, with this text. */
static void expect_refusal(struct store_box *box, struct box_sample sample,
                           enum reject_reason reason, const char *text)
{
    struct write_result result = write_some(box, &sample, 1);
    assert_int_equal(result.samples_written, 0);
    assert_int_equal(result.samples_rejected[reason], 1);
    expect_str(str_from(result.first[reason].text), text);
}

static size_t count_files(struct store_box *box, const char *part)
{
    struct name_list files;
    size_t count = 0;
    sim_disk_files(box->sim, &files);
    for (size_t i = 0; i < files.count; i++)
        count += strstr(files.names[i], part) != NULL;
    name_list_deinit(&files);
    return count;
}

static uint64_t sum_blocks(struct store_box *box)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < store_shard_count(box->store); i++) {
        struct shard_status status;
        store_shard_status(box->store, i, &status);
        count += status.block_count;
    }
    return count;
}

/* ---- writing and reading ---- */

TEST(values_come_back_bit_for_bit)
{
    static const uint64_t bits[] = {0,
                                    0x8000000000000000,
                                    1,
                                    0x000fffffffffffff,
                                    0x7ff0000000000000,
                                    0xfff0000000000000,
                                    STALE_NAN_BITS,
                                    0x7ff8000000000001,
                                    0xfff8dead0000beef,
                                    0x3fb999999999999a,
                                    0x7fefffffffffffff};
    enum { COUNT = sizeof bits / sizeof *bits };
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    for (size_t i = 0; i < COUNT; i++)
        box_put(&box, "a", "up", BOX_START_MS + (int64_t)i, f64_from_bits(bits[i]));
    for (int round = 0; round < 3; round++) { /* from the head, from the log, from a block */
        struct error err = {0};
        struct selection *selection;
        struct scope scope = box_scope(&box.arena, "a");
        const struct select_options options = {
            .scope = &scope, .min_ts_ms = INT64_MIN, .max_ts_ms = INT64_MAX};
        struct columns got;
        columns_init(&got);
        expect_ok(select_open(box.store, &options, &selection, &err));
        assert_int_equal(select_count(selection), 1);
        expect_ok(select_read(selection, 0, INT64_MIN, INT64_MAX, &got, &err));
        assert_int_equal(got.count, COUNT);
        for (size_t i = 0; i < COUNT; i++)
            assert_true(f64_bits(got.values[i]) == bits[i]);
        select_close(selection);
        columns_deinit(&got);
        if (round == 0)
            store_box_restart(&box);
        else
            flush(&box);
    }
    store_box_deinit(&box);
}

TEST(a_sample_is_readable_at_once_and_acknowledged_after_the_commit)
{
    struct store_box box;
    struct box_write write;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    const struct box_sample sample = {"a", "up", BOX_START_MS, 1};
    expect_ok(box_write_begin(&box, &write, &sample, 1, &err));
    expect_series(&box, "a", "up 1700000000000:1\n");
    assert_false(box_write_is_done(&write));
    expect_ok(box_commit(&box, &err));
    assert_true(box_write_is_done(&write));
    assert_int_equal(box_write_end(&write), STATUS_OK);
    store_box_deinit(&box);
}

TEST(a_write_without_series_is_answered_at_once)
{
    struct store_box box;
    struct error err = {0};
    struct box_write write;
    store_box_start(&box, BOX_SEED);
    expect_ok(box_write_begin(&box, &write, NULL, 0, &err));
    assert_true(box_write_is_done(&write));
    assert_int_equal(box_write_end(&write), STATUS_OK);
    store_box_deinit(&box);
}

TEST(late_samples_are_taken_and_read_in_order)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    static const int offsets[] = {500, 100, 300, 200, 400};
    for (size_t i = 0; i < 5; i++) {
        box_put(&box, "a", "up", BOX_START_MS - offsets[i], offsets[i]);
        if (i == 2)
            flush(&box);
    }
    const char *want = "up 1699999999500:500 1699999999600:400 1699999999700:300 "
                       "1699999999800:200 1699999999900:100\n";
    expect_series(&box, "a", want);
    flush(&box);
    expect_series(&box, "a", want);
    store_box_restart(&box);
    expect_series(&box, "a", want);
    store_box_deinit(&box);
}

TEST(the_same_sample_again_is_written_and_changes_nothing)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    flush(&box);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    expect_series(&box, "a", "up 1700000000000:1\n");
    flush(&box);
    expect_series(&box, "a", "up 1700000000000:1\n");
    store_box_deinit(&box);
}

TEST(another_value_for_a_timestamp_is_refused_and_the_rest_is_taken)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up job=x", BOX_START_MS, 1);
    const struct box_sample samples[] = {{"a", "up job=x", BOX_START_MS, 2},
                                         {"a", "up job=x", BOX_START_MS + 1, 3}};
    struct write_result result = write_some(&box, samples, 2);
    assert_int_equal(result.samples_written, 1);
    assert_int_equal(result.samples_rejected[REJECT_DUPLICATE_TIMESTAMP], 1);
    expect_str(str_from(result.first[REJECT_DUPLICATE_TIMESTAMP].text),
               "duplicate sample for timestamp with another value: got timestamp 1700000000000 for "
               "series up{job=\"x\"}");
    expect_series(&box, "a", "up{job=\"x\"} 1700000000000:1 1700000000001:3\n");
    assert_int_equal(
        counter_get(&tenant_table_find(store_tenants(box.store), STR("a"))->samples_rejected), 1);
    store_box_deinit(&box);
}

TEST(samples_outside_the_time_window_are_refused)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    int64_t latest_ms = BOX_START_MS + box.options.future_max_ms;
    int64_t oldest_ms = BOX_START_MS - BOX_RETENTION_MS;
    expect_refusal(&box, (struct box_sample){"a", "up", latest_ms + 1, 1}, REJECT_TOO_FAR_IN_FUTURE,
                   "sample too far in the future: got timestamp 1700000600001 for series up");
    expect_refusal(&box, (struct box_sample){"a", "up", oldest_ms - 1, 1}, REJECT_TOO_OLD,
                   "sample older than the retention: got timestamp 1697407999999 for series up");
    expect_refusal(&box, (struct box_sample){"a", "up", INT64_MAX, 1}, REJECT_TOO_FAR_IN_FUTURE,
                   "sample too far in the future: got timestamp 9223372036854775807 for series up");
    expect_refusal(&box, (struct box_sample){"a", "up", INT64_MIN, 1}, REJECT_TOO_OLD,
                   "sample older than the retention: got timestamp -9223372036854775808 for series "
                   "up");
    struct tenant *tenant = tenant_table_find(store_tenants(box.store), STR("a"));
    assert_int_equal(counter_get(&tenant->active_series), 0); /* nothing was made for them */
    box_put(&box, "a", "up", latest_ms, 1);
    box_put(&box, "a", "up", oldest_ms, 2);
    expect_refusal(&box, (struct box_sample){"a", "up", latest_ms + 1, 1}, REJECT_TOO_FAR_IN_FUTURE,
                   "sample too far in the future: got timestamp 1700000600001 for series up");
    expect_series(&box, "a", "up 1697408000000:2 1700000600000:1\n");
    store_box_deinit(&box);
}

TEST(the_order_of_labels_and_empty_values_do_not_matter)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up a=1 b=2", BOX_START_MS, 1);
    box_put(&box, "a", "b=2 a=1 __name__=up", BOX_START_MS + 1, 2);
    box_put(&box, "a", "up a=1 b=2 c=", BOX_START_MS + 2, 3);
    const char *want = "up{a=\"1\", b=\"2\"} 1700000000000:1 1700000000001:2 1700000000002:3\n";
    expect_series(&box, "a", want);
    store_box_restart(&box);
    expect_series(&box, "a", want);
    struct tenant *tenant = tenant_table_find(store_tenants(box.store), STR("a"));
    assert_int_equal(counter_get(&tenant->active_series), 1);
    store_box_deinit(&box);
}

TEST(a_series_that_first_came_unsorted_is_found_sorted)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "z=1 __name__=up", BOX_START_MS, 1);
    box_put(&box, "a", "up z=1", BOX_START_MS + 1, 2);
    expect_series(&box, "a", "up{z=\"1\"} 1700000000000:1 1700000000001:2\n");
    store_box_deinit(&box);
}

TEST(labels_that_are_not_valid_are_refused_and_the_rest_is_taken)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    const struct box_sample samples[] = {{"a", "up a=1 a=2", BOX_START_MS, 1},
                                         {"a", "up a=1 a=2", BOX_START_MS + 1, 1},
                                         {"a", "a=1", BOX_START_MS, 1},
                                         {"a", "up", BOX_START_MS, 1}};
    struct write_result result = write_some(&box, samples, 4);
    assert_int_equal(result.samples_written, 1);
    assert_int_equal(result.samples_rejected[REJECT_INVALID_LABELS], 3);
    assert_int_equal(result.series_rejected[REJECT_INVALID_LABELS], 2);
    assert_true(strstr(result.first[REJECT_INVALID_LABELS].text, "\"a\"") != NULL);
    expect_series(&box, "a", "up 1700000000000:1\n");
    store_box_deinit(&box);
}

TEST(one_label_set_twice_in_a_write_is_one_stream)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    const struct box_sample samples[] = {
        {"a", "up", BOX_START_MS, 1},     {"a", "down", BOX_START_MS, 7},
        {"a", "up", BOX_START_MS + 1, 2}, {"a", "down", BOX_START_MS, 8},
        {"a", "up", BOX_START_MS, 1},
    };
    for (int round = 0; round < 2; round++) { /* new series, then known ones */
        struct write_result result = write_some(&box, samples, 5);
        assert_int_equal(result.samples_written, 4);
        assert_int_equal(result.samples_rejected[REJECT_DUPLICATE_TIMESTAMP], 1);
        expect_series(&box, "a", "down 1700000000000:7\nup 1700000000000:1 1700000000001:2\n");
    }
    store_box_deinit(&box);
}

TEST(tenants_of_several_shards_share_a_write_and_do_not_see_each_other)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    const struct box_sample samples[] = {{"a", "up", BOX_START_MS, 1},
                                         {"b", "up", BOX_START_MS, 2},
                                         {"c", "up", BOX_START_MS, 3},
                                         {"d", "up", BOX_START_MS, 4},
                                         {"a", "up", BOX_START_MS + 1, 5}};
    struct box_write write;
    expect_ok(box_write_begin(&box, &write, samples, 5, &err));
    bool is_used[2] = {false};
    for (const char *id = "abcd"; *id != '\0'; id++)
        is_used[tenant_table_find(store_tenants(box.store), (struct str){id, 1})->shard] = true;
    assert_true(is_used[0]);
    assert_true(is_used[1]);
    expect_ok(store_commit(box.store, 0, &err));
    assert_false(box_write_is_done(&write)); /* the other shard's part is not durable yet */
    expect_ok(store_commit(box.store, 1, &err));
    assert_true(box_write_is_done(&write));
    assert_int_equal(write.result.samples_written, 5);
    assert_int_equal(box_write_end(&write), STATUS_OK);
    expect_series(&box, "a", "up 1700000000000:1 1700000000001:5\n");
    expect_series(&box, "b", "up 1700000000000:2\n");
    expect_series(&box, "c", "up 1700000000000:3\n");
    expect_series(&box, "nobody", "");
    store_box_deinit(&box);
}

/* ---- the series limit ---- */

static struct tenant *limit_series(struct store_box *box, const char *id, uint64_t max)
{
    struct error err = {0};
    struct tenant *tenant;
    expect_ok(tenant_table_get(store_tenants(box->store), str_from(id), &tenant, &err));
    counter_set(&tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES], max);
    return tenant;
}

TEST(at_the_series_limit_new_series_are_refused_and_known_ones_flow)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    struct tenant *tenant = limit_series(&box, "a", 2);
    const struct box_sample samples[] = {
        {"a", "m n=1", BOX_START_MS, 1},     {"a", "m n=2", BOX_START_MS, 1},
        {"a", "m n=3", BOX_START_MS, 1},     {"a", "m n=3", BOX_START_MS + 1, 1},
        {"a", "m n=1", BOX_START_MS + 1, 2}, {"b", "m n=3", BOX_START_MS, 1}};
    struct write_result result = write_some(&box, samples, 6);
    assert_int_equal(result.samples_written, 4);
    assert_int_equal(result.samples_rejected[REJECT_MAX_SERIES], 2);
    assert_int_equal(result.series_rejected[REJECT_MAX_SERIES], 1);
    expect_str(
        str_from(result.first[REJECT_MAX_SERIES].text),
        "tenant \"a\" has 2 active series, limit max_series is 2: refused 1 new series of "
        "metric \"m\"; label \"n\" has the most new values (1 in the first 1), such as \"3\"; "
        "to raise it: tenants: {a: {limits: {max_series: ...}}}");
    assert_int_equal(counter_get(&tenant->active_series), 2);
    box_put(&box, "a", "n=2 __name__=m", BOX_START_MS + 1, 2);
    store_box_deinit(&box);
}

TEST(idle_series_leave_the_count_and_come_back_only_within_the_limit)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    struct tenant *tenant = limit_series(&box, "a", 2);
    box_put(&box, "a", "m n=1", BOX_START_MS, 1);
    box_put(&box, "a", "m n=2", BOX_START_MS, 1);
    sim_clock_advance(&box.clock, box.options.idle_ms);
    for (uint32_t i = 0; i < 2; i++)
        store_sweep_idle(box.store, i);
    assert_int_equal(counter_get(&tenant->active_series), 0);
    box_put(&box, "a", "m n=3", BOX_START_MS + 1, 1);
    box_put(&box, "a", "m n=1", BOX_START_MS + 1, 1);
    assert_int_equal(counter_get(&tenant->active_series), 2);
    expect_refusal(
        &box, (struct box_sample){"a", "m n=2", BOX_START_MS + 1, 1}, REJECT_MAX_SERIES,
        "tenant \"a\" has 2 active series, limit max_series is 2: refused 1 new series of "
        "metric \"m\"; no label has a new value; to raise it: tenants: {a: {limits: "
        "{max_series: ...}}}");
    expect_series(&box, "a",
                  "m{n=\"1\"} 1700000000000:1 1700000000001:1\nm{n=\"2\"} 1700000000000:1\n"
                  "m{n=\"3\"} 1700000000001:1\n");
    store_box_deinit(&box);
}

TEST(an_idle_series_does_not_come_back_for_a_sample_that_is_refused)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    struct tenant *tenant = limit_series(&box, "a", 2);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    sim_clock_advance(&box.clock, box.options.idle_ms);
    for (uint32_t i = 0; i < 2; i++)
        store_sweep_idle(box.store, i);
    const struct box_sample late = {"a", "up", 0, 1};
    struct write_result result = write_some(&box, &late, 1);
    assert_int_equal(result.samples_rejected[REJECT_TOO_OLD], 1);
    assert_int_equal(counter_get(&tenant->active_series), 0);
    store_box_deinit(&box);
}

TEST(a_clock_that_is_set_back_does_not_keep_series_active)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    struct tenant *tenant = limit_series(&box, "a", 2);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    sim_clock_jump(&box.clock, BOX_START_MS - BOX_DAY_MS);
    sim_clock_advance(&box.clock, box.options.idle_ms);
    for (uint32_t i = 0; i < 2; i++)
        store_sweep_idle(box.store, i);
    assert_int_equal(counter_get(&tenant->active_series), 0);
    store_box_deinit(&box);
}

/* ---- restarts ---- */

static const enum power_cut all_cuts[] = {POWER_CUT_DROP_ALL, POWER_CUT_KEEP_SOME,
                                          POWER_CUT_TORN_TAIL, POWER_CUT_PROCESS_ONLY};
enum { CUT_COUNT = sizeof all_cuts / sizeof *all_cuts };

TEST(acknowledged_samples_are_there_after_a_stop_and_after_a_crash)
{
    for (size_t i = 0; i <= CUT_COUNT; i++) {
        struct store_box box;
        store_box_start(&box, BOX_SEED);
        box_put(&box, "a", "up x=1", BOX_START_MS, 1);
        box_put(&box, "a", "up x=2", BOX_START_MS, 2);
        box_put(&box, "b", "up x=1", BOX_START_MS, 3);
        if (i == CUT_COUNT)
            store_box_restart(&box);
        else
            store_box_crash_and_restart(&box, all_cuts[i]);
        assert_int_equal(store_replay_report(box.store)->samples, 3);
        assert_int_equal(store_replay_report(box.store)->series, 3);
        expect_series(&box, "a", "up{x=\"1\"} 1700000000000:1\nup{x=\"2\"} 1700000000000:2\n");
        box_put(&box, "a", "up x=1", BOX_START_MS + 1, 4);
        store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
        expect_series(&box, "a",
                      "up{x=\"1\"} 1700000000000:1 1700000000001:4\nup{x=\"2\"} 1700000000000:2\n");
        expect_series(&box, "b", "up{x=\"1\"} 1700000000000:3\n");
        store_box_deinit(&box);
    }
}

TEST(a_clean_stop_saves_what_nobody_waited_for)
{
    struct store_box box;
    struct box_write write;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    const struct box_sample sample = {"a", "up", BOX_START_MS, 1};
    expect_ok(box_write_begin(&box, &write, &sample, 1, &err));
    store_box_close(&box);
    assert_int_equal(box_write_end(&write), STATUS_OK);
    expect_ok(store_box_open(&box, &err));
    expect_series(&box, "a", "up 1700000000000:1\n");
    store_box_deinit(&box);
}

TEST(a_store_that_ends_without_a_commit_tells_its_waiters_so)
{
    struct store_box box;
    struct box_write write;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    const struct box_sample samples[] = {{"a", "up", BOX_START_MS, 1},
                                         {"b", "up", BOX_START_MS, 1}};
    expect_ok(box_write_begin(&box, &write, samples, 2, &err));
    store_box_crash(&box, POWER_CUT_DROP_ALL);
    assert_int_equal(box_write_end(&write), STATUS_UNAVAILABLE);
    expect_ok(store_box_open(&box, &err));
    expect_series(&box, "a|b", "");
    store_box_deinit(&box);
}

/* The process dies between the write and the sync of a commit; its successor sees the bytes, but
   they are only in the kernel's memory. */
TEST(what_a_dead_process_did_not_sync_is_not_acknowledged_by_its_successor)
{
    for (uint64_t after = 0;; after++) {
        struct store_box box;
        struct error err = {0};
        struct write_result result;
        store_box_start(&box, BOX_SEED);
        uint64_t cut_at = sim_disk_operation_count(box.sim) + after;
        sim_disk_cut_power_at(box.sim, cut_at);
        const struct box_sample sample = {"a", "up", BOX_START_MS, 1};
        bool is_clean = box_write(&box, &sample, 1, &result, &err) == STATUS_OK;
        store_box_crash(&box, POWER_CUT_PROCESS_ONLY);
        expect_ok(store_box_open(&box, &err));
        box_put(&box, "a", "up", BOX_START_MS, 1); /* the retry */
        store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
        expect_series(&box, "a", "up 1700000000000:1\n");
        store_box_deinit(&box);
        if (is_clean)
            break;
        assert_true(after < 100);
    }
}

/* After a failed sync the kernel may call pages clean that never reached the disk: the next process
   reads them, and no sync of that file proves anything about them. The second process is killed, so
   that it leaves an end of the log of its own. False when neither failed. */
static bool fail_die_and_repeat(uint64_t first, uint64_t second)
{
    struct store_box box;
    struct error err = {0};
    struct write_result result;
    const struct box_sample samples[] = {{"a", "up", BOX_START_MS, 1},
                                         {"a", "up", BOX_START_MS + 1, 2}};
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS - 1, 0);
    sim_disk_fail_at(box.sim, sim_disk_operation_count(box.sim) + first, STATUS_IO);
    bool is_clean = box_write(&box, &samples[0], 1, &result, &err) == STATUS_OK;
    sim_disk_fail_at(box.sim, UINT64_MAX, STATUS_IO);
    store_box_crash_and_restart(&box, POWER_CUT_PROCESS_ONLY);
    sim_disk_cut_power_at(box.sim, sim_disk_operation_count(box.sim) + second);
    is_clean = box_write(&box, &samples[1], 1, &result, &err) == STATUS_OK && is_clean;
    store_box_crash_and_restart(&box, POWER_CUT_PROCESS_ONLY);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    box_put(&box, "a", "up", BOX_START_MS + 1, 2);
    store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
    expect_series(&box, "a", "up 1699999999999:0 1700000000000:1 1700000000001:2\n");
    store_box_deinit(&box);
    return !is_clean;
}

TEST(what_a_failed_sync_left_behind_is_not_acknowledged_by_the_next_process)
{
    enum { OPERATIONS = 8 }; /* a commit to a new segment takes fewer */
    for (uint64_t i = 0; i < OPERATIONS * OPERATIONS; i++)
        fail_die_and_repeat(i / OPERATIONS, i % OPERATIONS);
    assert_false(fail_die_and_repeat(OPERATIONS, OPERATIONS));
}

TEST(a_store_that_is_stopped_leaves_its_successor_nothing_to_log_anew)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    store_box_restart(&box);
    size_t count = count_files(&box, "");
    store_box_restart(&box);
    store_box_restart(&box);
    assert_int_equal(count_files(&box, ""), count);
    expect_series(&box, "a", "up 1700000000000:1\n");
    store_box_deinit(&box);
}

TEST(a_clean_stop_after_a_flush_leaves_no_log)
{
    struct store_box box;
    struct error err = {0};
    struct name_list files;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    flush(&box);
    store_box_close(&box);
    sim_disk_files(box.sim, &files);
    for (size_t i = 0; i < files.count; i++)
        assert_null(strstr(files.names[i], "/wal/"));
    name_list_deinit(&files);
    expect_ok(store_box_open(&box, &err));
    expect_series(&box, "a", "up 1700000000000:1\n");
    store_box_deinit(&box);
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

TEST(an_existing_store_keeps_its_number_of_shards)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    box_put(&box, "b", "up", BOX_START_MS, 2);
    box.options.shard_count = 7;
    store_box_restart(&box);
    assert_int_equal(store_shard_count(box.store), 2);
    expect_series(&box, "a", "up 1700000000000:1\n");
    expect_series(&box, "b", "up 1700000000000:2\n");
    store_box_deinit(&box);
}

TEST(a_damaged_layout_file_is_a_clear_error)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    store_box_close(&box);
    sim_disk_flip(box.sim, "croft.layout", 12, 1);
    expect_status(store_box_open(&box, &err), STATUS_CORRUPT);
    expect_str(str_from(err.text), "croft.layout: checksum does not match");
    store_box_deinit(&box);
}

/* ---- flush ---- */

TEST(a_flush_moves_the_samples_to_blocks_and_drops_the_log)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    box_put(&box, "d", "up", BOX_START_MS, 2);
    assert_true(count_files(&box, ".log") > 0);
    flush(&box);
    assert_int_equal(count_files(&box, ".log"), 0);
    assert_int_equal(count_files(&box, ".tmp"), 0);
    assert_int_equal(sum_blocks(&box), 2);
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
    flush(&box);
    uint64_t operations = sim_disk_operation_count(box.sim);
    flush(&box);
    assert_int_equal(sim_disk_operation_count(box.sim), operations);
    store_box_deinit(&box);
}

TEST(after_a_flush_only_what_came_later_is_replayed)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    flush(&box);
    box_put(&box, "a", "up", BOX_START_MS + 1, 2);
    box_put(&box, "a", "down", BOX_START_MS + 1, 3);
    store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
    assert_int_equal(store_replay_report(box.store)->samples, 2);
    expect_series(&box, "a", "down 1700000000001:3\nup 1700000000000:1 1700000000001:2\n");
    flush(&box);
    store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
    assert_int_equal(store_replay_report(box.store)->samples, 0);
    expect_series(&box, "a", "down 1700000000001:3\nup 1700000000000:1 1700000000001:2\n");
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
    flush(&box);
    struct block **blocks;
    size_t count;
    uint32_t shard = tenant_table_find(store_tenants(box.store), STR("a"))->shard;
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
    flush(&box);
    assert_int_equal(sum_blocks(&box), DAYS);
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
    for (size_t mode = 0; mode < CUT_COUNT; mode++) {
        for (uint64_t after = 0;; after++) {
            struct store_box box;
            struct error err = {0};
            store_box_start(&box, BOX_SEED);
            put_three_days(&box);
            sim_disk_cut_power_at(box.sim, sim_disk_operation_count(box.sim) + after);
            bool is_clean = box_flush(&box, &err) == STATUS_OK;
            store_box_crash_and_restart(&box, all_cuts[mode]);
            expect_series(&box, "a", three_days);
            expect_series(&box, "d", "up 1699919999999:6\n");
            flush(&box);
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

/* A flush whose n-th call fails, then a power cut that keeps some of what was not synced. */
static bool flush_with_failure(uint64_t after, enum status failure, size_t mode, uint64_t seed)
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
    if (mode < CUT_COUNT) {
        store_box_crash_and_restart(&box, all_cuts[mode]);
        const struct box_query query = {.tenants = "a", .matchers = "__name__!=later"};
        struct str got;
        expect_ok(box_select(&box, &query, &got, &err));
        expect_str(got, three_days);
    }
    flush(&box);
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
    for (size_t mode = 0; mode <= CUT_COUNT; mode++) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            uint64_t after = 0;
            while (!flush_with_failure(after, after % 2 == 0 ? STATUS_IO : STATUS_UNAVAILABLE, mode,
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

TEST(an_idle_series_that_was_flushed_is_gone_from_memory_and_still_readable)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    uint32_t shard = tenant_table_find(store_tenants(box.store), STR("a"))->shard;
    sim_clock_advance(&box.clock, box.options.idle_ms);
    store_sweep_idle(box.store, shard);
    flush(&box);
    struct shard_status status;
    store_shard_status(box.store, shard, &status);
    assert_int_equal(status.series, 0);
    expect_series(&box, "a", "up 1700000000000:1\n");
    box_put(&box, "a", "up", BOX_START_MS + 1, 2);
    store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
    expect_series(&box, "a", "up 1700000000000:1 1700000000001:2\n");
    store_box_deinit(&box);
}

/* ---- damage ---- */

TEST(a_damaged_block_is_quarantined_and_the_rest_is_served)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    flush(&box);
    box_put(&box, "a", "up", BOX_START_MS + 1, 2);
    flush(&box);
    uint32_t shard = tenant_table_find(store_tenants(box.store), STR("a"))->shard;
    struct block **blocks;
    size_t count;
    char path[DISK_PATH_MAX];
    store_blocks(box.store, shard, &box.arena, &blocks, &count);
    assert_int_equal(count, 2);
    snprintf(path, sizeof path, "%s", block_path(blocks[1]));
    for (size_t i = 0; i < count; i++)
        block_release(blocks[i]);
    store_box_close(&box);
    sim_disk_flip(box.sim, path, 4, 0xff);
    struct error err = {0};
    expect_ok(store_box_open(&box, &err));
    assert_int_equal(store_replay_report(box.store)->quarantined_blocks, 1);
    assert_int_equal(count_files(&box, "/quarantine/"), 1);
    expect_series(&box, "a", "up 1700000000000:1\n");
    /* the next one gets another name, so that it could go there as well */
    box_put(&box, "a", "up", BOX_START_MS + 2, 3);
    flush(&box);
    store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
    assert_int_equal(store_replay_report(box.store)->quarantined_blocks, 0);
    expect_series(&box, "a", "up 1700000000000:1 1700000000002:3\n");
    store_blocks(box.store, shard, &box.arena, &blocks, &count);
    assert_int_equal(count, 2);
    assert_string_not_equal(block_path(blocks[1]), path);
    for (size_t i = 0; i < count; i++)
        block_release(blocks[i]);
    store_box_deinit(&box);
}

TEST(a_dropped_block_is_gone_for_good_and_its_readers_go_on)
{
    for (size_t mode = 0; mode < CUT_COUNT; mode++) {
        struct store_box box;
        struct error err = {0};
        store_box_start(&box, BOX_SEED);
        box_put(&box, "a", "up", BOX_START_MS, 1);
        flush(&box);
        uint32_t shard = tenant_table_find(store_tenants(box.store), STR("a"))->shard;
        struct scope scope = box_scope(&box.arena, "a");
        const struct select_options options = {
            .scope = &scope, .min_ts_ms = INT64_MIN, .max_ts_ms = INT64_MAX};
        struct selection *selection;
        expect_ok(select_open(box.store, &options, &selection, &err));
        struct block **blocks;
        size_t count;
        store_blocks(box.store, shard, &box.arena, &blocks, &count);
        assert_int_equal(count, 1);
        expect_ok(store_drop_block(box.store, shard, blocks[0], &err));
        expect_status(store_drop_block(box.store, shard, blocks[0], &err), STATUS_NOT_FOUND);
        block_release(blocks[0]);
        expect_series(&box, "a", "");
        struct columns samples;
        columns_init(&samples);
        expect_ok(select_read(selection, 0, INT64_MIN, INT64_MAX, &samples, &err));
        assert_int_equal(samples.count, 1);
        columns_deinit(&samples);
        select_close(selection);
        store_box_crash_and_restart(&box, all_cuts[mode]);
        expect_series(&box, "a", "");
        assert_int_equal(count_files(&box, ".block"), 0);
        store_box_deinit(&box);
    }
}

TEST(a_block_that_cannot_be_deleted_stays_and_can_be_dropped_again)
{
    struct store_box box;
    struct error err = {0};
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    flush(&box);
    uint32_t shard = tenant_table_find(store_tenants(box.store), STR("a"))->shard;
    struct block **blocks;
    size_t count;
    store_blocks(box.store, shard, &box.arena, &blocks, &count);
    sim_disk_fail_at(box.sim, sim_disk_operation_count(box.sim), STATUS_IO);
    expect_status(store_drop_block(box.store, shard, blocks[0], &err), STATUS_IO);
    expect_series(&box, "a", "up 1700000000000:1\n");
    expect_ok(store_drop_block(box.store, shard, blocks[0], &err));
    expect_series(&box, "a", "");
    block_release(blocks[0]);
    store_box_deinit(&box);
}

static void drop_only_block(struct store_box *box)
{
    struct error err = {0};
    uint32_t shard = tenant_table_find(store_tenants(box->store), STR("a"))->shard;
    struct block **blocks;
    size_t count;
    store_blocks(box->store, shard, &box->arena, &blocks, &count);
    assert_int_equal(count, 1);
    expect_ok(store_drop_block(box->store, shard, blocks[0], &err));
    block_release(blocks[0]);
}

/* A flush covers one sample of the log and one that waits to be logged; a call of it fails. True when
   none did. */
static bool flush_with_failure_and_drop(uint64_t after)
{
    struct store_box box;
    struct error err = {0};
    struct box_write waiting;
    const struct box_sample sample = {"a", "up", BOX_START_MS + 1, 2};
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    expect_ok(box_write_begin(&box, &waiting, &sample, 1, &err));
    uint64_t failing = sim_disk_operation_count(box.sim) + after;
    sim_disk_fail_at(box.sim, failing, STATUS_IO);
    enum status status = box_flush(&box, &err);
    bool is_clean = status == STATUS_OK && sim_disk_operation_count(box.sim) <= failing;
    sim_disk_fail_at(box.sim, UINT64_MAX, STATUS_IO);
    bool has_block = sum_blocks(&box) > 0;
    if (has_block)
        drop_only_block(&box);
    expect_ok(box_commit(&box, &err));
    box_write_end(&waiting);
    box_put(&box, "a", "up", BOX_START_MS + 2, 3);
    store_box_restart(&box);
    expect_ok(box_verify(&box, &err));
    expect_series(&box, "a",
                  has_block ? "up 1700000000002:3\n"
                            : "up 1700000000000:1 1700000000001:2 1700000000002:3\n");
    store_box_deinit(&box);
    return is_clean;
}

/* Also when its epoch could not be committed: that would be logged behind what is dropped. */
TEST(the_log_has_nothing_of_a_dropped_block_whatever_failed_in_its_flush)
{
    uint64_t after = 0;
    while (!flush_with_failure_and_drop(after))
        assert_true(++after < 1000);
}

/* ---- a full disk ---- */

static uint64_t used_bytes(struct store_box *box)
{
    struct error err = {0};
    uint64_t free_bytes;
    expect_ok(disk_free_bytes(box->disk, &free_bytes, &err));
    return (UINT64_C(1) << 40) - free_bytes;
}

TEST(a_full_disk_refuses_writes_serves_reads_and_recovers_by_itself)
{
    struct store_box box;
    struct error err = {0};
    struct write_result result;
    store_box_start(&box, BOX_SEED);
    box.options.wal_segment_bytes = 1; /* each commit begins a segment, so none has room reserved */
    store_box_restart(&box);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    sim_disk_set_capacity(box.sim, used_bytes(&box));
    const struct box_sample second = {"a", "up", BOX_START_MS + 1, 2};
    const struct box_sample third = {"a", "up", BOX_START_MS + 2, 3};
    expect_status(box_write(&box, &second, 1, &result, &err), STATUS_UNAVAILABLE);
    /* now it says so at once, and takes nothing in */
    expect_status(box_write(&box, &third, 1, &result, &err), STATUS_UNAVAILABLE);
    assert_true(strstr(err.text, "cannot take writes now") != NULL);
    expect_series(&box, "a", "up 1700000000000:1 1700000000001:2\n");
    expect_status(box_commit(&box, &err), STATUS_UNAVAILABLE);
    sim_disk_set_capacity(box.sim, UINT64_C(1) << 40);
    expect_ok(box_commit(&box, &err));
    box_put(&box, "a", "up", BOX_START_MS + 2, 3);
    store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
    expect_series(&box, "a", "up 1700000000000:1 1700000000001:2 1700000000002:3\n");
    store_box_deinit(&box);
}

TEST(a_store_starts_on_a_full_disk_and_takes_writes_once_there_is_space)
{
    struct store_box box;
    struct error err = {0};
    struct write_result result;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    store_box_close(&box);
    sim_disk_set_capacity(box.sim, 0);
    expect_ok(store_box_open(&box, &err));
    expect_series(&box, "a", "up 1700000000000:1\n");
    const struct box_sample second = {"a", "up", BOX_START_MS + 1, 2};
    expect_status(box_write(&box, &second, 1, &result, &err), STATUS_UNAVAILABLE);
    sim_disk_set_capacity(box.sim, UINT64_C(1) << 40);
    expect_ok(box_commit(&box, &err));
    box_put(&box, "a", "up", BOX_START_MS + 1, 2);
    store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
    expect_series(&box, "a", "up 1700000000000:1 1700000000001:2\n");
    store_box_deinit(&box);
}

TEST(a_repeated_sample_is_not_acknowledged_before_it_is_durable)
{
    struct store_box box;
    struct error err = {0};
    struct box_write first, second;
    store_box_start(&box, BOX_SEED);
    const struct box_sample sample = {"a", "up", BOX_START_MS, 1};
    expect_ok(box_write_begin(&box, &first, &sample, 1, &err));
    expect_ok(box_write_begin(&box, &second, &sample, 1, &err));
    assert_int_equal(second.result.samples_written, 1);
    assert_false(box_write_is_done(&second));
    sim_disk_fail_at(box.sim, sim_disk_operation_count(box.sim), STATUS_IO);
    expect_status(box_commit(&box, &err), STATUS_IO);
    assert_int_equal(box_write_end(&first), STATUS_UNAVAILABLE);
    assert_int_equal(box_write_end(&second), STATUS_UNAVAILABLE);
    expect_ok(box_commit(&box, &err)); /* tries again by itself */
    expect_ok(box_write_begin(&box, &first, &sample, 1, &err));
    assert_true(box_write_is_done(&first)); /* durable already */
    assert_int_equal(box_write_end(&first), STATUS_OK);
    store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
    expect_series(&box, "a", "up 1700000000000:1\n");
    store_box_deinit(&box);
}

/* Whichever call of a commit fails: what is acknowledged afterwards, new or repeated, is durable.
 */
TEST(a_commit_that_fails_anywhere_never_leads_to_a_false_acknowledgement)
{
    for (uint64_t after = 0;; after++) {
        struct store_box box;
        struct error err = {0};
        struct write_result result;
        store_box_start(&box, BOX_SEED);
        box_put(&box, "a", "up", BOX_START_MS, 1);
        uint64_t failing = sim_disk_operation_count(box.sim) + after;
        sim_disk_fail_at(box.sim, failing, STATUS_IO);
        const struct box_sample sample = {"a", "up", BOX_START_MS + 1, 2};
        enum status status = box_write(&box, &sample, 1, &result, &err);
        bool is_clean = sim_disk_operation_count(box.sim) <= failing;
        sim_disk_fail_at(box.sim, UINT64_MAX, STATUS_IO);
        assert_true(status == STATUS_OK || !is_clean);
        if (status != STATUS_OK)
            expect_ok(box_commit(&box, &err));
        box_put(&box, "a", "up", BOX_START_MS + 1, 2);
        box_put(&box, "a", "up", BOX_START_MS + 2, 3);
        store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
        expect_series(&box, "a", "up 1700000000000:1 1700000000001:2 1700000000002:3\n");
        store_box_deinit(&box);
        if (is_clean)
            break;
        assert_true(after < 100);
    }
}

TEST(the_status_of_a_shard_adds_up)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    box_put(&box, "a", "up", BOX_START_MS + 1, 1);
    uint32_t shard = tenant_table_find(store_tenants(box.store), STR("a"))->shard;
    struct shard_status status;
    store_shard_status(box.store, shard, &status);
    assert_int_equal(status.series, 1);
    assert_int_equal(status.head_samples, 2);
    assert_int_equal(status.wal_commits, 2);
    assert_int_equal(status.wal_commit_failures, 0);
    assert_true(status.wal_bytes > 0);
    assert_true(status.is_writable);
    flush(&box);
    store_shard_status(box.store, shard, &status);
    assert_int_equal(status.head_samples, 0);
    assert_int_equal(status.block_count, 1);
    assert_true(status.block_bytes > 0);
    assert_int_equal(status.wal_bytes, 0);
    store_box_deinit(&box);
}

TEST_MAIN(RUN(values_come_back_bit_for_bit),
          RUN(a_sample_is_readable_at_once_and_acknowledged_after_the_commit),
          RUN(a_write_without_series_is_answered_at_once),
          RUN(late_samples_are_taken_and_read_in_order),
          RUN(the_same_sample_again_is_written_and_changes_nothing),
          RUN(another_value_for_a_timestamp_is_refused_and_the_rest_is_taken),
          RUN(samples_outside_the_time_window_are_refused),
          RUN(the_order_of_labels_and_empty_values_do_not_matter),
          RUN(a_series_that_first_came_unsorted_is_found_sorted),
          RUN(labels_that_are_not_valid_are_refused_and_the_rest_is_taken),
          RUN(one_label_set_twice_in_a_write_is_one_stream),
          RUN(tenants_of_several_shards_share_a_write_and_do_not_see_each_other),
          RUN(at_the_series_limit_new_series_are_refused_and_known_ones_flow),
          RUN(idle_series_leave_the_count_and_come_back_only_within_the_limit),
          RUN(an_idle_series_does_not_come_back_for_a_sample_that_is_refused),
          RUN(a_clock_that_is_set_back_does_not_keep_series_active),
          RUN(acknowledged_samples_are_there_after_a_stop_and_after_a_crash),
          RUN(a_clean_stop_saves_what_nobody_waited_for),
          RUN(a_store_that_ends_without_a_commit_tells_its_waiters_so),
          RUN(what_a_dead_process_did_not_sync_is_not_acknowledged_by_its_successor),
          RUN(what_a_failed_sync_left_behind_is_not_acknowledged_by_the_next_process),
          RUN(a_store_that_is_stopped_leaves_its_successor_nothing_to_log_anew),
          RUN(a_clean_stop_after_a_flush_leaves_no_log),
          RUN(what_a_dead_process_flushed_without_sync_does_not_cost_the_log),
          RUN(an_existing_store_keeps_its_number_of_shards),
          RUN(a_damaged_layout_file_is_a_clear_error),
          RUN(a_flush_moves_the_samples_to_blocks_and_drops_the_log),
          RUN(a_flush_of_nothing_writes_nothing),
          RUN(after_a_flush_only_what_came_later_is_replayed),
          RUN(a_flush_makes_one_block_for_each_utc_day),
          RUN(a_flush_of_very_many_days_makes_a_block_for_each),
          RUN(a_flush_that_is_cut_anywhere_loses_and_doubles_nothing),
          RUN(a_flush_that_fails_anywhere_loses_nothing_and_a_later_one_succeeds),
          RUN(a_cut_while_a_failed_flush_is_undone_loses_nothing),
          RUN(an_idle_series_that_was_flushed_is_gone_from_memory_and_still_readable),
          RUN(a_damaged_block_is_quarantined_and_the_rest_is_served),
          RUN(a_dropped_block_is_gone_for_good_and_its_readers_go_on),
          RUN(a_block_that_cannot_be_deleted_stays_and_can_be_dropped_again),
          RUN(the_log_has_nothing_of_a_dropped_block_whatever_failed_in_its_flush),
          RUN(a_full_disk_refuses_writes_serves_reads_and_recovers_by_itself),
          RUN(a_store_starts_on_a_full_disk_and_takes_writes_once_there_is_space),
          RUN(a_repeated_sample_is_not_acknowledged_before_it_is_durable),
          RUN(a_commit_that_fails_anywhere_never_leads_to_a_false_acknowledgement),
          RUN(the_status_of_a_shard_adds_up))
