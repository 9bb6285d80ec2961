/* What is written comes back, and what is refused is told. */
#include "tests/support/store_box.h"

#include "base/codec.h"
#include "tsdb/model/sample.h"

enum { BOX_SEED = 7 };

/* One sample that must be refused for `reason`, with this text. */
static void expect_refusal(struct store_box *box, struct box_sample sample,
                           enum refusal_reason reason, const char *text)
{
    struct write_result result = expect_write(box, &sample, 1);
    assert_int_equal(result.samples_written, 0);
    assert_int_equal(result.samples_refused[reason], 1);
    expect_str(str_from(result.first[reason].text), text);
}

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
            expect_flush(&box);
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
            expect_flush(&box);
    }
    const char *want = "up 1699999999500:500 1699999999600:400 1699999999700:300 "
                       "1699999999800:200 1699999999900:100\n";
    expect_series(&box, "a", want);
    expect_flush(&box);
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
    expect_flush(&box);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    expect_series(&box, "a", "up 1700000000000:1\n");
    expect_flush(&box);
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
    struct write_result result = expect_write(&box, samples, 2);
    assert_int_equal(result.samples_written, 1);
    assert_int_equal(result.samples_refused[REFUSAL_DUPLICATE_TIMESTAMP], 1);
    expect_str(str_from(result.first[REFUSAL_DUPLICATE_TIMESTAMP].text),
               "duplicate sample for timestamp with another value: got timestamp 1700000000000 for "
               "series up{job=\"x\"}");
    expect_series(&box, "a", "up{job=\"x\"} 1700000000000:1 1700000000001:3\n");
    assert_int_equal(
        counter_get(&tenant_table_find(store_tenants(box.store), STR("a"))->samples_refused), 1);
    store_box_deinit(&box);
}

#define AHEAD                                                                                      \
    " ahead of the clock, limit creation_grace_period is 10m; to raise it: tenants: {a: {limits: " \
    "{creation_grace_period: ...}}}"
#define BEHIND                                                                                     \
    " behind the clock, limit retention is 30d; to raise it: tenants: {a: {limits: {retention: "   \
    "...}}}"

TEST(samples_outside_the_time_window_are_refused)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    int64_t latest_ms = BOX_START_MS + box.options.future_max_ms;
    int64_t oldest_ms = BOX_START_MS - BOX_RETENTION_MS;
    expect_refusal(&box, (struct box_sample){"a", "up", latest_ms + 1, 1},
                   REFUSAL_TOO_FAR_IN_FUTURE,
                   "sample too far in the future: got timestamp 1700000600001 for series up, "
                   "10m1ms" AHEAD);
    expect_refusal(&box, (struct box_sample){"a", "up", oldest_ms - 1, 1}, REFUSAL_TOO_OLD,
                   "sample older than the retention: got timestamp 1697407999999 for series up, "
                   "30d1ms" BEHIND);
    expect_refusal(&box, (struct box_sample){"a", "up", INT64_MAX, 1}, REFUSAL_TOO_FAR_IN_FUTURE,
                   "sample too far in the future: got timestamp 9223372036854775807 for series up, "
                   "106751971491d8h59m35s807ms" AHEAD);
    expect_refusal(&box, (struct box_sample){"a", "up", INT64_MIN, 1}, REFUSAL_TOO_OLD,
                   "sample older than the retention: got timestamp -9223372036854775808 for series "
                   "up, 106751991167d7h12m55s807ms" BEHIND);
    struct tenant *tenant = tenant_table_find(store_tenants(box.store), STR("a"));
    assert_int_equal(counter_get(&tenant->active_series), 0); /* nothing was made for them */
    box_put(&box, "a", "up", latest_ms, 1);
    box_put(&box, "a", "up", oldest_ms, 2);
    expect_refusal(&box, (struct box_sample){"a", "up", latest_ms + 1, 1},
                   REFUSAL_TOO_FAR_IN_FUTURE,
                   "sample too far in the future: got timestamp 1700000600001 for series up, "
                   "10m1ms" AHEAD);
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
    struct write_result result = expect_write(&box, samples, 4);
    assert_int_equal(result.samples_written, 1);
    assert_int_equal(result.samples_refused[REFUSAL_INVALID_LABELS], 3);
    assert_int_equal(result.series_refused[REFUSAL_INVALID_LABELS], 2);
    assert_true(strstr(result.first[REFUSAL_INVALID_LABELS].text, "\"a\"") != NULL);
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
        struct write_result result = expect_write(&box, samples, 5);
        assert_int_equal(result.samples_written, 4);
        assert_int_equal(result.samples_refused[REFUSAL_DUPLICATE_TIMESTAMP], 1);
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

TEST(the_status_of_a_shard_adds_up)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    box_put(&box, "a", "up", BOX_START_MS + 1, 1);
    uint32_t shard = box_shard_of(&box, "a");
    struct shard_status status;
    store_shard_status(box.store, shard, &status);
    assert_int_equal(status.series, 1);
    assert_int_equal(status.head_samples, 2);
    assert_int_equal(status.wal_commits, 2);
    assert_int_equal(status.wal_commit_failures, 0);
    assert_true(status.wal_bytes > 0);
    assert_true(status.is_writable);
    expect_flush(&box);
    store_shard_status(box.store, shard, &status);
    assert_int_equal(status.head_samples, 0);
    assert_int_equal(status.block_count, 1);
    assert_true(status.block_bytes > 0);
    assert_int_equal(status.wal_bytes, 0);
    store_box_deinit(&box);
}

static uint64_t count_chunks(struct store_box *box)
{
    struct error err = {0};
    struct head_extent extent = HEAD_EXTENT_NONE;
    struct tenant *tenant = tenant_table_find(store_tenants(box->store), STR("a"));
    expect_ok(store_add_extent(box->store, tenant, &box->arena, &extent, &err));
    return extent.chunks;
}

/* The head keeps where the chunks of such a series are. */
TEST(a_sample_that_comes_again_is_no_chunk_more)
{
    enum { SAMPLES = 2000 };
    struct store_box box;
    store_box_start(&box, 1);
    for (int i = 0; i < SAMPLES; i++)
        box_put(&box, "a", "up", BOX_START_MS + i, i);
    uint64_t before = count_chunks(&box);
    assert_true(before > 8);
    box_put(&box, "a", "up", BOX_START_MS + SAMPLES / 2, SAMPLES / 2);
    assert_int_equal(count_chunks(&box), before);
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
          RUN(the_status_of_a_shard_adds_up), RUN(a_sample_that_comes_again_is_no_chunk_more))
