/* Series that are active count against the limit; idle ones leave the count, then memory. */
#include "tests/support/store_box.h"

enum { BOX_SEED = 7 };

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
    struct write_result result = expect_write(&box, samples, 6);
    assert_int_equal(result.samples_written, 4);
    assert_int_equal(result.samples_refused[REFUSAL_MAX_SERIES], 2);
    assert_int_equal(result.series_refused[REFUSAL_MAX_SERIES], 1);
    expect_str(
        str_from(result.first[REFUSAL_MAX_SERIES].text),
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
    box_make_idle(&box);
    assert_int_equal(counter_get(&tenant->active_series), 0);
    box_put(&box, "a", "m n=3", BOX_START_MS + 1, 1);
    box_put(&box, "a", "m n=1", BOX_START_MS + 1, 1);
    assert_int_equal(counter_get(&tenant->active_series), 2);
    const struct box_sample third = {"a", "m n=2", BOX_START_MS + 1, 1};
    struct write_result result = expect_write(&box, &third, 1);
    assert_int_equal(result.samples_refused[REFUSAL_MAX_SERIES], 1);
    expect_str(str_from(result.first[REFUSAL_MAX_SERIES].text),
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
    box_make_idle(&box);
    const struct box_sample late = {"a", "up", 0, 1};
    struct write_result result = expect_write(&box, &late, 1);
    assert_int_equal(result.samples_refused[REFUSAL_TOO_OLD], 1);
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
    box_make_idle(&box);
    assert_int_equal(counter_get(&tenant->active_series), 0);
    store_box_deinit(&box);
}

TEST(an_idle_series_that_was_flushed_is_gone_from_memory_and_still_readable)
{
    struct store_box box;
    store_box_start(&box, BOX_SEED);
    box_put(&box, "a", "up", BOX_START_MS, 1);
    uint32_t shard = box_shard_of(&box, "a");
    box_make_idle(&box);
    expect_flush(&box);
    struct shard_status status;
    store_shard_status(box.store, shard, &status);
    assert_int_equal(status.series, 0);
    expect_series(&box, "a", "up 1700000000000:1\n");
    box_put(&box, "a", "up", BOX_START_MS + 1, 2);
    store_box_crash_and_restart(&box, POWER_CUT_DROP_ALL);
    expect_series(&box, "a", "up 1700000000000:1 1700000000001:2\n");
    store_box_deinit(&box);
}

TEST_MAIN(RUN(at_the_series_limit_new_series_are_refused_and_known_ones_flow),
          RUN(idle_series_leave_the_count_and_come_back_only_within_the_limit),
          RUN(an_idle_series_does_not_come_back_for_a_sample_that_is_refused),
          RUN(a_clock_that_is_set_back_does_not_keep_series_active),
          RUN(an_idle_series_that_was_flushed_is_gone_from_memory_and_still_readable))
