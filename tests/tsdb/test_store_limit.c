/* Each limit of a tenant: one less, just as many, one more. */
#include "tests/tsdb/limit_box.h"

static void expect_refused(struct store_box *box, const char *series, int64_t ts_ms,
                           enum refusal_reason reason, const char *text)
{
    struct write_result result = limit_box_put(box, series, ts_ms);
    assert_int_equal(result.samples_written, 0);
    assert_int_equal(result.samples_refused[reason], 1);
    if (text != NULL)
        expect_str(str_from(result.first[reason].text), text);
}

#define EXPLAINED(usage, limit, max, label, value)                                                 \
    "tenant \"a\" has " usage ", limit " limit " is " max                                          \
    ": refused 1 new series of metric \"m\"; "                                                     \
    "label \"" label "\" has the most new values (1 in the first 1), such as \"" value             \
    "\"; to raise it: tenants: {a: {limits: {" limit ": ...}}}"

TEST(series_of_a_metric)
{
    struct store_box box;
    limit_box_open(&box, TENANT_LIMIT_MAX_SERIES_PER_METRIC, 3, true);
    expect_taken(&box, "m n=1", BOX_START_MS);
    expect_taken(&box, "m n=2", BOX_START_MS);
    expect_taken(&box, "m n=3", BOX_START_MS);
    expect_refused(&box, "m n=4", BOX_START_MS, REFUSAL_MAX_SERIES_PER_METRIC,
                   EXPLAINED("3 series of one metric", "max_series_per_metric", "3", "n", "4"));
    expect_taken(&box, "m n=2", BOX_START_MS + 1);
    expect_taken(&box, "other n=4", BOX_START_MS);
    store_box_deinit(&box);
}

TEST(series_refused_in_one_request_are_counted_once_each)
{
    struct store_box box;
    struct error err = {0};
    struct write_result result;
    struct tenant *tenant = limit_box_open(&box, TENANT_LIMIT_MAX_SERIES, 2, true);
    const struct box_sample samples[] = {
        {"a", "m n=1", BOX_START_MS, 1},          {"a", "m n=2", BOX_START_MS, 1},
        {"a", "m n=3", BOX_START_MS, 1},          {"a", "n=3 __name__=m", BOX_START_MS, 1},
        {"a", "n=2 __name__=m", BOX_START_MS, 1}, {"a", "n=1 __name__=m", BOX_START_MS + 1, 1}};
    expect_ok(box_write(&box, samples, 2, &result, &err));
    /* full: the third and the fourth are new, the last two are known in another order */
    expect_ok(box_write(&box, samples + 2, 4, &result, &err));
    assert_int_equal(result.samples_written, 2);
    assert_int_equal(result.series_refused[REFUSAL_MAX_SERIES], 2);
    assert_int_equal(result.samples_refused[REFUSAL_MAX_SERIES], 2);
    assert_int_equal(counter_get(&tenant->active_series), 2);
    store_box_deinit(&box);
}

TEST(new_series_in_a_second)
{
    struct store_box box;
    limit_box_open(&box, TENANT_LIMIT_MAX_NEW_SERIES, 2, true);
    expect_taken(&box, "m n=1", BOX_START_MS);
    expect_taken(&box, "m n=2", BOX_START_MS);
    struct write_result result = limit_box_put(&box, "m n=3", BOX_START_MS);
    assert_int_equal(result.samples_refused[REFUSAL_MAX_NEW_SERIES], 1);
    assert_int_equal(result.retry_after_ms, 501);
    assert_true(refusal_reason_is_passing(REFUSAL_MAX_NEW_SERIES));
    expect_taken(&box, "m n=1", BOX_START_MS + 1);
    sim_clock_advance(&box.clock, 499);
    expect_refused(&box, "m n=3", BOX_START_MS, REFUSAL_MAX_NEW_SERIES, NULL);
    sim_clock_advance(&box.clock, 1);
    expect_taken(&box, "m n=3", BOX_START_MS);
    expect_refused(&box, "m n=4", BOX_START_MS, REFUSAL_MAX_NEW_SERIES, NULL);
    store_box_deinit(&box);
}

TEST(new_series_in_an_hour)
{
    struct store_box box;
    limit_box_open(&box, TENANT_LIMIT_MAX_NEW_SERIES_PER_HOUR, 2, true);
    expect_taken(&box, "m n=1", BOX_START_MS);
    expect_taken(&box, "m n=2", BOX_START_MS);
    expect_refused(
        &box, "m n=3", BOX_START_MS, REFUSAL_MAX_NEW_SERIES_PER_HOUR,
        EXPLAINED("2 series made in this hour", "max_new_series_per_hour", "2", "n", "3"));
    expect_taken(&box, "m n=1", BOX_START_MS + 1);
    sim_clock_advance(&box.clock, 3600 * 1000 - 1);
    expect_refused(&box, "m n=3", BOX_START_MS, REFUSAL_MAX_NEW_SERIES_PER_HOUR, NULL);
    sim_clock_advance(&box.clock, 1);
    expect_taken(&box, "m n=3", BOX_START_MS);
    store_box_deinit(&box);
}

TEST(values_of_a_label)
{
    struct store_box box;
    limit_box_open(&box, TENANT_LIMIT_MAX_LABEL_VALUES, 2, true);
    expect_taken(&box, "m n=1", BOX_START_MS);
    expect_taken(&box, "m n=2", BOX_START_MS);
    expect_refused(&box, "m n=3", BOX_START_MS, REFUSAL_MAX_LABEL_VALUES,
                   EXPLAINED("2 values of one label name", "max_label_values", "2", "n", "3"));
    expect_taken(&box, "m n=1 o=3", BOX_START_MS);
    expect_taken(&box, "k n=2", BOX_START_MS);
    expect_refused(&box, "l n=2", BOX_START_MS, REFUSAL_MAX_LABEL_VALUES, NULL);
    /* in another order than it is stored; both values are new, but o has had fewer */
    expect_refused(&box, "m o=4 n=3", BOX_START_MS, REFUSAL_MAX_LABEL_VALUES,
                   EXPLAINED("2 values of one label name", "max_label_values", "2", "n", "3"));
    store_box_deinit(&box);
}

TEST(bytes_of_series)
{
    struct store_box box;
    uint64_t usage[TENANT_LIMIT_COUNT];
    struct tenant *tenant = limit_box_open(&box, TENANT_LIMIT_MAX_SERIES, 100, true);
    struct counter *max = &tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES_BYTES];
    expect_taken(&box, "m n=1", BOX_START_MS);
    store_limit_usage(box.store, tenant, usage);
    uint64_t first = usage[TENANT_LIMIT_MAX_SERIES_BYTES];
    expect_taken(&box, "m n=2", BOX_START_MS);
    store_limit_usage(box.store, tenant, usage);
    uint64_t second = usage[TENANT_LIMIT_MAX_SERIES_BYTES];
    assert_true(second - first > 72 && second - first < first); /* names and one pair are there */
    counter_set(max, second + (second - first) - 1);
    expect_refused(&box, "m n=3", BOX_START_MS, REFUSAL_MAX_SERIES_BYTES, NULL);
    counter_set(max, second + (second - first));
    expect_taken(&box, "m n=3", BOX_START_MS);
    store_limit_usage(box.store, tenant, usage);
    assert_int_equal(usage[TENANT_LIMIT_MAX_SERIES_BYTES], counter_get(max));
    expect_refused(&box, "m", BOX_START_MS, REFUSAL_MAX_SERIES_BYTES, NULL);
    store_box_deinit(&box);
}

TEST(samples_a_second)
{
    struct store_box box;
    struct error err = {0};
    struct write_result result;
    struct tenant *tenant = limit_box_open(&box, TENANT_LIMIT_INGESTION_RATE, 2, true);
    counter_set(&tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_INGESTION_BURST], 4);
    const struct box_sample samples[] = {
        {"a", "m n=1", BOX_START_MS, 1},     {"a", "m n=2", BOX_START_MS, 1},
        {"b", "m n=2", BOX_START_MS, 1},     {"a", "m n=1", BOX_START_MS + 1, 1},
        {"a", "m n=1", BOX_START_MS + 2, 1}, {"a", "m n=1", BOX_START_MS + 3, 1}};
    /* three are too many after two of four, the other tenant's is not touched */
    expect_ok(box_write(&box, samples, 6, &result, &err));
    assert_int_equal(result.samples_written, 3);
    assert_int_equal(result.samples_refused[REFUSAL_INGESTION_RATE], 3);
    assert_int_equal(result.retry_after_ms, 501);
    expect_str(str_from(result.first[REFUSAL_INGESTION_RATE].text),
               "tenant \"a\" sends faster than its limits ingestion_rate of 2 samples a second and "
               "ingestion_burst_size of 4: refused 3 samples, send them again; to raise it: "
               "tenants: {a: {limits: {ingestion_rate: ...}}}");
    expect_ok(box_write(&box, samples + 3, 2, &result, &err));
    assert_int_equal(result.samples_written, 2);
    sim_clock_advance(&box.clock, 499);
    expect_refused(&box, "m n=1", BOX_START_MS + 3, REFUSAL_INGESTION_RATE, NULL);
    sim_clock_advance(&box.clock, 1);
    expect_taken(&box, "m n=1", BOX_START_MS + 3);
    store_box_deinit(&box);
}

TEST(a_request_with_more_than_the_burst_is_taken_once_and_paid_for)
{
    struct store_box box;
    struct error err = {0};
    struct write_result result;
    struct tenant *tenant = limit_box_open(&box, TENANT_LIMIT_INGESTION_RATE, 2, true);
    counter_set(&tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_INGESTION_BURST], 4);
    struct box_sample samples[6];
    for (size_t i = 0; i < 6; i++)
        samples[i] = (struct box_sample){"a", "m n=1", BOX_START_MS + (int64_t)i, 1};
    expect_ok(box_write(&box, samples, 6, &result, &err));
    assert_int_equal(result.samples_written, 6);
    sim_clock_advance(&box.clock, 1499);
    expect_refused(&box, "m n=1", BOX_START_MS + 6, REFUSAL_INGESTION_RATE, NULL);
    sim_clock_advance(&box.clock, 1);
    expect_taken(&box, "m n=1", BOX_START_MS + 6);
    store_box_deinit(&box);
}

TEST(labels)
{
    struct store_box box;
    struct tenant *tenant = limit_box_open(&box, TENANT_LIMIT_MAX_LABEL_NAMES, 2, true);
    counter_set(&tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_MAX_LABEL_NAME_LEN], 8);
    counter_set(&tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_MAX_LABEL_VALUE_LEN], 3);
    expect_taken(&box, "m", BOX_START_MS);
    expect_taken(&box, "m n=123", BOX_START_MS);
    expect_taken(&box, "m n2345678=1", BOX_START_MS);
    expect_refused(&box, "m n=1 o=1", BOX_START_MS, REFUSAL_MAX_LABEL_NAMES,
                   "labels: too many, got 3, want at most 2 (max_label_names_per_series), series "
                   "m{n=\"1\", o=\"1\"}; to raise it: tenants: {a: {limits: "
                   "{max_label_names_per_series: ...}}}");
    expect_refused(&box, "m n=1234", BOX_START_MS, REFUSAL_MAX_LABEL_VALUE_LEN,
                   "label: value too long, got 4 bytes, want at most 3 (max_label_value_length): "
                   "\"n\", series m{n=\"1234\"}; to raise it: tenants: {a: {limits: "
                   "{max_label_value_length: ...}}}");
    expect_refused(&box, "m n23456789=1", BOX_START_MS, REFUSAL_MAX_LABEL_NAME_LEN,
                   "label: name too long, got 9 bytes, want at most 8 (max_label_name_length): "
                   "\"n23456789\", series m{n23456789=\"1\"}; to raise it: tenants: {a: {limits: "
                   "{max_label_name_length: ...}}}");
    /* the first label with a fault counts, as in the text */
    expect_refused(&box, "m n23456789=1234 o=1", BOX_START_MS, REFUSAL_MAX_LABEL_NAME_LEN, NULL);
    expect_refused(&box, "m n=1234 n23456789=1", BOX_START_MS, REFUSAL_MAX_LABEL_VALUE_LEN, NULL);
    /* more than this nobody may have */
    counter_set(&tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_MAX_LABEL_VALUE_LEN], 4096);
    char longest[4200] = "m n=";
    memset(longest + 4, 'v', 4097);
    struct write_result result = limit_box_put(&box, longest, BOX_START_MS);
    const char *why = result.first[REFUSAL_MAX_LABEL_VALUE_LEN].text;
    expect_str(str_slice(str_from(why), 0, 106),
               "label: value too long, got 4097 bytes, want at most 1000 (max_label_value_length): "
               "\"n\", series m{n=\"vvvvvv");
    assert_null(strstr(why, "to raise it"));
    store_box_deinit(&box);
}

TEST(samples_behind_the_newest_of_their_series)
{
    struct store_box box;
    limit_box_open(&box, TENANT_LIMIT_OUT_OF_ORDER_WINDOW, 1000, true);
    expect_taken(&box, "m n=1", BOX_START_MS);
    expect_taken(&box, "m n=1", BOX_START_MS + 5000);
    expect_taken(&box, "m n=1", BOX_START_MS + 4001);
    expect_taken(&box, "m n=1", BOX_START_MS + 4000);
    expect_refused(&box, "m n=1", BOX_START_MS + 3999, REFUSAL_OUT_OF_ORDER,
                   "sample out of order: got timestamp 1700000003999 for series m{n=\"1\"}, 1s1ms "
                   "behind the newest of the series, limit out_of_order_time_window is 1s; to "
                   "raise it: tenants: {a: {limits: {out_of_order_time_window: ...}}}");
    expect_taken(&box, "m n=1", BOX_START_MS); /* a repetition */
    expect_taken(&box, "m n=2", BOX_START_MS);
    store_box_deinit(&box);
}

TEST(samples_ahead_of_the_clock)
{
    struct store_box box;
    limit_box_open(&box, TENANT_LIMIT_CREATION_GRACE, 1000, true);
    expect_taken(&box, "m", BOX_START_MS + 999);
    expect_taken(&box, "m", BOX_START_MS + 1000);
    expect_refused(&box, "m", BOX_START_MS + 1001, REFUSAL_TOO_FAR_IN_FUTURE, NULL);
    store_box_deinit(&box);
}

/* Tells the table, as a reload does: blocks are kept for the longest of all. */
static void set_retention(struct store_box *box, int64_t of_a_ms)
{
    struct tenant_limits defaults = tenant_limits_default(), own = defaults;
    struct tenant_id id = {.len = 1, .text = "a"};
    own.max[LIMIT_HARD][TENANT_LIMIT_RETENTION] = (uint64_t)of_a_ms;
    tenant_table_set_limits(store_tenants(box->store), &defaults, &id, &own, 1);
}

TEST(a_shorter_retention_hides_at_once_and_only_its_own)
{
    struct store_box box;
    struct error err = {0};
    limit_box_open(&box, TENANT_LIMIT_RETENTION, TENANT_LIMIT_NONE, true);
    box_put(&box, "a", "m", BOX_START_MS - 2 * BOX_DAY_MS, 1);
    box_put(&box, "b", "m", BOX_START_MS - 2 * BOX_DAY_MS, 1);
    expect_ok(box_flush(&box, &err));
    box_put(&box, "a", "m", BOX_START_MS, 2);
    set_retention(&box, 2 * BOX_DAY_MS);
    expect_series(&box, "a", "m 1699827200000:1 1700000000000:2\n");
    set_retention(&box, 2 * BOX_DAY_MS - 1);
    expect_series(&box, "a", "m 1700000000000:2\n");
    expect_series(&box, "b", "m 1699827200000:1\n");
    expect_refused(&box, "n", BOX_START_MS - 2 * BOX_DAY_MS, REFUSAL_TOO_OLD, NULL);
    assert_int_equal(store_retention_ms(box.store), BOX_RETENTION_MS);
    store_box_deinit(&box);
}

TEST(a_longer_retention_keeps_longer_and_only_its_own)
{
    struct store_box box;
    int64_t old_ms = BOX_START_MS - BOX_RETENTION_MS - BOX_DAY_MS;
    limit_box_open(&box, TENANT_LIMIT_RETENTION, TENANT_LIMIT_NONE, true);
    set_retention(&box, 3 * BOX_RETENTION_MS);
    assert_int_equal(store_retention_ms(box.store), 3 * BOX_RETENTION_MS);
    expect_taken(&box, "m", old_ms);
    box_put(&box, "b", "m", BOX_START_MS - BOX_RETENTION_MS, 1);
    expect_series(&box, "a", "m 1697321600000:1\n");
    sim_clock_advance(&box.clock, 1);
    expect_series(&box, "b", "");
    expect_series(&box, "a", "m 1697321600000:1\n");
    store_box_deinit(&box);
}

TEST(values_of_a_label_are_watched)
{
    struct store_box box;
    struct tenant_usage usage;
    struct tenant *tenant = limit_box_open(&box, TENANT_LIMIT_MAX_SERIES, 100, true);
    counter_set(&tenant->limit_max[LIMIT_SOFT][TENANT_LIMIT_MAX_LABEL_VALUES], 2);
    expect_taken(&box, "m n=1", BOX_START_MS);
    expect_taken(&box, "m n=2 o=1", BOX_START_MS);
    assert_int_equal(counter_get(&tenant->limit_warnings[TENANT_LIMIT_MAX_LABEL_VALUES]), 0);
    expect_taken(&box, "m n=3", BOX_START_MS);
    expect_taken(&box, "k n=4", BOX_START_MS);
    assert_int_equal(counter_get(&tenant->limit_warnings[TENANT_LIMIT_MAX_LABEL_VALUES]), 1);
    store_tenant_usage(box.store, tenant, &usage);
    assert_int_equal(usage.series, 4);
    assert_int_equal(usage.label_names, 3);
    assert_int_equal(usage.label_pairs, 7);
    assert_int_equal(usage.label_values_max, 4);
    assert_int_equal(usage.metric_series_max, 3);
    store_box_deinit(&box);
}

TEST_MAIN(RUN(series_of_a_metric), RUN(series_refused_in_one_request_are_counted_once_each),
          RUN(new_series_in_a_second), RUN(new_series_in_an_hour), RUN(values_of_a_label),
          RUN(bytes_of_series), RUN(samples_a_second),
          RUN(a_request_with_more_than_the_burst_is_taken_once_and_paid_for), RUN(labels),
          RUN(samples_behind_the_newest_of_their_series), RUN(samples_ahead_of_the_clock),
          RUN(a_shorter_retention_hides_at_once_and_only_its_own),
          RUN(a_longer_retention_keeps_longer_and_only_its_own), RUN(values_of_a_label_are_watched))
