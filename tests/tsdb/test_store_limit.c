/* Each limit of a tenant: one less, just as many, one more; and under eight writers at once. */
#include "tests/support/store_box.h"

#include <stdio.h>

#include "base/check.h"

enum { BOX_SEED = 5, WRITERS = 8, SERIES_EACH = 60 };

static struct tenant *open_with(struct store_box *box, enum tenant_limit limit, uint64_t max,
                                bool is_manual)
{
    struct error err = {0};
    struct tenant *tenant;
    store_box_init(box, BOX_SEED);
    box->options.is_manual = is_manual;
    expect_ok(store_box_open(box, &err));
    expect_ok(tenant_table_get(store_tenants(box->store), STR("a"), &tenant, &err));
    counter_set(&tenant->limit_max[LIMIT_HARD][limit], max);
    return tenant;
}

static struct write_result put(struct store_box *box, const char *series, int64_t ts_ms)
{
    struct error err = {0};
    struct write_result result;
    const struct box_sample sample = {"a", series, ts_ms, 1};
    expect_ok(box_write(box, &sample, 1, &result, &err));
    return result;
}

static void expect_taken(struct store_box *box, const char *series, int64_t ts_ms)
{
    struct write_result result = put(box, series, ts_ms);
    if (result.samples_written != 1)
        fail_msg("%s at %lld: refused", series, (long long)ts_ms);
}

static void expect_refused(struct store_box *box, const char *series, int64_t ts_ms,
                           enum reject_reason reason, const char *text)
{
    struct write_result result = put(box, series, ts_ms);
    assert_int_equal(result.samples_written, 0);
    assert_int_equal(result.samples_rejected[reason], 1);
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
    open_with(&box, TENANT_LIMIT_MAX_SERIES_PER_METRIC, 3, true);
    expect_taken(&box, "m n=1", BOX_START_MS);
    expect_taken(&box, "m n=2", BOX_START_MS);
    expect_taken(&box, "m n=3", BOX_START_MS);
    expect_refused(&box, "m n=4", BOX_START_MS, REJECT_MAX_SERIES_PER_METRIC,
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
    struct tenant *tenant = open_with(&box, TENANT_LIMIT_MAX_SERIES, 2, true);
    const struct box_sample samples[] = {
        {"a", "m n=1", BOX_START_MS, 1},          {"a", "m n=2", BOX_START_MS, 1},
        {"a", "m n=3", BOX_START_MS, 1},          {"a", "n=3 __name__=m", BOX_START_MS, 1},
        {"a", "n=2 __name__=m", BOX_START_MS, 1}, {"a", "n=1 __name__=m", BOX_START_MS + 1, 1}};
    expect_ok(box_write(&box, samples, 2, &result, &err));
    /* full: the third and the fourth are new, the last two are known in another order */
    expect_ok(box_write(&box, samples + 2, 4, &result, &err));
    assert_int_equal(result.samples_written, 2);
    assert_int_equal(result.series_rejected[REJECT_MAX_SERIES], 2);
    assert_int_equal(result.samples_rejected[REJECT_MAX_SERIES], 2);
    assert_int_equal(counter_get(&tenant->active_series), 2);
    store_box_deinit(&box);
}

TEST(new_series_in_a_second)
{
    struct store_box box;
    open_with(&box, TENANT_LIMIT_MAX_NEW_SERIES, 2, true);
    expect_taken(&box, "m n=1", BOX_START_MS);
    expect_taken(&box, "m n=2", BOX_START_MS);
    struct write_result result = put(&box, "m n=3", BOX_START_MS);
    assert_int_equal(result.samples_rejected[REJECT_MAX_NEW_SERIES], 1);
    assert_int_equal(result.retry_after_ms, 501);
    assert_true(reject_reason_is_passing(REJECT_MAX_NEW_SERIES));
    expect_taken(&box, "m n=1", BOX_START_MS + 1);
    sim_clock_advance(&box.clock, 499);
    expect_refused(&box, "m n=3", BOX_START_MS, REJECT_MAX_NEW_SERIES, NULL);
    sim_clock_advance(&box.clock, 1);
    expect_taken(&box, "m n=3", BOX_START_MS);
    expect_refused(&box, "m n=4", BOX_START_MS, REJECT_MAX_NEW_SERIES, NULL);
    store_box_deinit(&box);
}

TEST(new_series_in_an_hour)
{
    struct store_box box;
    open_with(&box, TENANT_LIMIT_MAX_NEW_SERIES_PER_HOUR, 2, true);
    expect_taken(&box, "m n=1", BOX_START_MS);
    expect_taken(&box, "m n=2", BOX_START_MS);
    expect_refused(
        &box, "m n=3", BOX_START_MS, REJECT_MAX_NEW_SERIES_PER_HOUR,
        EXPLAINED("2 series made in this hour", "max_new_series_per_hour", "2", "n", "3"));
    expect_taken(&box, "m n=1", BOX_START_MS + 1);
    sim_clock_advance(&box.clock, 3600 * 1000 - 1);
    expect_refused(&box, "m n=3", BOX_START_MS, REJECT_MAX_NEW_SERIES_PER_HOUR, NULL);
    sim_clock_advance(&box.clock, 1);
    expect_taken(&box, "m n=3", BOX_START_MS);
    store_box_deinit(&box);
}

TEST(values_of_a_label)
{
    struct store_box box;
    open_with(&box, TENANT_LIMIT_MAX_LABEL_VALUES, 2, true);
    expect_taken(&box, "m n=1", BOX_START_MS);
    expect_taken(&box, "m n=2", BOX_START_MS);
    expect_refused(&box, "m n=3", BOX_START_MS, REJECT_MAX_LABEL_VALUES,
                   EXPLAINED("2 values of one label name", "max_label_values", "2", "n", "3"));
    expect_taken(&box, "m n=1 o=3", BOX_START_MS);
    expect_taken(&box, "k n=2", BOX_START_MS);
    expect_refused(&box, "l n=2", BOX_START_MS, REJECT_MAX_LABEL_VALUES, NULL);
    /* in another order than it is stored */
    expect_refused(&box, "m o=4 n=3", BOX_START_MS, REJECT_MAX_LABEL_VALUES, NULL);
    store_box_deinit(&box);
}

TEST(bytes_of_series)
{
    struct store_box box;
    uint64_t usage[TENANT_LIMIT_COUNT];
    struct tenant *tenant = open_with(&box, TENANT_LIMIT_MAX_SERIES, 100, true);
    struct counter *max = &tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES_BYTES];
    expect_taken(&box, "m n=1", BOX_START_MS);
    store_limit_usage(box.store, tenant, usage);
    uint64_t first = usage[TENANT_LIMIT_MAX_SERIES_BYTES];
    expect_taken(&box, "m n=2", BOX_START_MS);
    store_limit_usage(box.store, tenant, usage);
    uint64_t second = usage[TENANT_LIMIT_MAX_SERIES_BYTES];
    assert_true(second - first > 72 && second - first < first); /* names and one pair are there */
    counter_set(max, second + (second - first) - 1);
    expect_refused(&box, "m n=3", BOX_START_MS, REJECT_MAX_SERIES_BYTES, NULL);
    counter_set(max, second + (second - first));
    expect_taken(&box, "m n=3", BOX_START_MS);
    store_limit_usage(box.store, tenant, usage);
    assert_int_equal(usage[TENANT_LIMIT_MAX_SERIES_BYTES], counter_get(max));
    expect_refused(&box, "m", BOX_START_MS, REJECT_MAX_SERIES_BYTES, NULL);
    store_box_deinit(&box);
}

TEST(samples_a_second)
{
    struct store_box box;
    struct error err = {0};
    struct write_result result;
    struct tenant *tenant = open_with(&box, TENANT_LIMIT_INGESTION_RATE, 2, true);
    counter_set(&tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_INGESTION_BURST], 4);
    const struct box_sample samples[] = {
        {"a", "m n=1", BOX_START_MS, 1},     {"a", "m n=2", BOX_START_MS, 1},
        {"b", "m n=2", BOX_START_MS, 1},     {"a", "m n=1", BOX_START_MS + 1, 1},
        {"a", "m n=1", BOX_START_MS + 2, 1}, {"a", "m n=1", BOX_START_MS + 3, 1}};
    /* three are too many after two of four, the other tenant's is not touched */
    expect_ok(box_write(&box, samples, 6, &result, &err));
    assert_int_equal(result.samples_written, 3);
    assert_int_equal(result.samples_rejected[REJECT_INGESTION_RATE], 3);
    assert_int_equal(result.retry_after_ms, 501);
    expect_str(str_from(result.first[REJECT_INGESTION_RATE].text),
               "tenant \"a\" sends faster than its limits ingestion_rate of 2 samples a second and "
               "ingestion_burst_size of 4: refused 3 samples, send them again");
    expect_ok(box_write(&box, samples + 3, 2, &result, &err));
    assert_int_equal(result.samples_written, 2);
    sim_clock_advance(&box.clock, 499);
    expect_refused(&box, "m n=1", BOX_START_MS + 3, REJECT_INGESTION_RATE, NULL);
    sim_clock_advance(&box.clock, 1);
    expect_taken(&box, "m n=1", BOX_START_MS + 3);
    store_box_deinit(&box);
}

TEST(a_request_with_more_than_the_burst_is_taken_once_and_paid_for)
{
    struct store_box box;
    struct error err = {0};
    struct write_result result;
    struct tenant *tenant = open_with(&box, TENANT_LIMIT_INGESTION_RATE, 2, true);
    counter_set(&tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_INGESTION_BURST], 4);
    struct box_sample samples[6];
    for (size_t i = 0; i < 6; i++)
        samples[i] = (struct box_sample){"a", "m n=1", BOX_START_MS + (int64_t)i, 1};
    expect_ok(box_write(&box, samples, 6, &result, &err));
    assert_int_equal(result.samples_written, 6);
    sim_clock_advance(&box.clock, 1499);
    expect_refused(&box, "m n=1", BOX_START_MS + 6, REJECT_INGESTION_RATE, NULL);
    sim_clock_advance(&box.clock, 1);
    expect_taken(&box, "m n=1", BOX_START_MS + 6);
    store_box_deinit(&box);
}

TEST(labels)
{
    struct store_box box;
    struct tenant *tenant = open_with(&box, TENANT_LIMIT_MAX_LABEL_NAMES, 2, true);
    counter_set(&tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_MAX_LABEL_NAME_LEN], 8);
    counter_set(&tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_MAX_LABEL_VALUE_LEN], 3);
    expect_taken(&box, "m", BOX_START_MS);
    expect_taken(&box, "m n=123", BOX_START_MS);
    expect_taken(&box, "m n2345678=1", BOX_START_MS);
    expect_refused(&box, "m n=1 o=1", BOX_START_MS, REJECT_INVALID_LABELS, NULL);
    expect_refused(&box, "m n=1234", BOX_START_MS, REJECT_INVALID_LABELS, NULL);
    expect_refused(&box, "m n23456789=1", BOX_START_MS, REJECT_INVALID_LABELS, NULL);
    store_box_deinit(&box);
}

TEST(samples_behind_the_newest_of_their_series)
{
    struct store_box box;
    open_with(&box, TENANT_LIMIT_OUT_OF_ORDER_WINDOW, 1000, true);
    expect_taken(&box, "m n=1", BOX_START_MS);
    expect_taken(&box, "m n=1", BOX_START_MS + 5000);
    expect_taken(&box, "m n=1", BOX_START_MS + 4001);
    expect_taken(&box, "m n=1", BOX_START_MS + 4000);
    expect_refused(&box, "m n=1", BOX_START_MS + 3999, REJECT_OUT_OF_ORDER,
                   "sample further behind the newest of its series than out_of_order_time_window: "
                   "got timestamp 1700000003999 for series m{n=\"1\"}");
    expect_taken(&box, "m n=1", BOX_START_MS); /* a repetition */
    expect_taken(&box, "m n=2", BOX_START_MS);
    store_box_deinit(&box);
}

TEST(samples_ahead_of_the_clock)
{
    struct store_box box;
    open_with(&box, TENANT_LIMIT_CREATION_GRACE, 1000, true);
    expect_taken(&box, "m", BOX_START_MS + 999);
    expect_taken(&box, "m", BOX_START_MS + 1000);
    expect_refused(&box, "m", BOX_START_MS + 1001, REJECT_TOO_FAR_IN_FUTURE, NULL);
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
    open_with(&box, TENANT_LIMIT_RETENTION, TENANT_LIMIT_NONE, true);
    box_put(&box, "a", "m", BOX_START_MS - 2 * BOX_DAY_MS, 1);
    box_put(&box, "b", "m", BOX_START_MS - 2 * BOX_DAY_MS, 1);
    expect_ok(box_flush(&box, &err));
    box_put(&box, "a", "m", BOX_START_MS, 2);
    set_retention(&box, 2 * BOX_DAY_MS);
    expect_series(&box, "a", "m 1699827200000:1 1700000000000:2\n");
    set_retention(&box, 2 * BOX_DAY_MS - 1);
    expect_series(&box, "a", "m 1700000000000:2\n");
    expect_series(&box, "b", "m 1699827200000:1\n");
    expect_refused(&box, "n", BOX_START_MS - 2 * BOX_DAY_MS, REJECT_TOO_OLD, NULL);
    assert_int_equal(store_retention_ms(box.store), BOX_RETENTION_MS);
    store_box_deinit(&box);
}

TEST(a_longer_retention_keeps_longer_and_only_its_own)
{
    struct store_box box;
    int64_t old_ms = BOX_START_MS - BOX_RETENTION_MS - BOX_DAY_MS;
    open_with(&box, TENANT_LIMIT_RETENTION, TENANT_LIMIT_NONE, true);
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
    struct tenant *tenant = open_with(&box, TENANT_LIMIT_MAX_SERIES, 100, true);
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

/* ---- what is said and remembered ---- */

static struct refusal last_refusal(struct store_box *box, enum reject_reason reason)
{
    struct refusal last;
    struct tenant *tenant = tenant_table_find(store_tenants(box->store), STR("a"));
    assert_true(store_last_refusal(box->store, tenant, reason, &last));
    return last;
}

TEST(a_refusal_names_the_metric_and_the_label_that_grow)
{
    enum { SENT = 40 };
    struct store_box box;
    struct error err = {0};
    struct write_result result;
    struct box_sample samples[SENT];
    char series[SENT][64];
    open_with(&box, TENANT_LIMIT_MAX_SERIES, 1, true);
    expect_taken(&box, "m job=a", BOX_START_MS);
    for (int i = 0; i < SENT; i++) {
        snprintf(series[i], sizeof series[i], "%s job=a pod=p%d user=u%d", i % 4 == 0 ? "n" : "m",
                 i / 4, i);
        samples[i] = (struct box_sample){"a", series[i], BOX_START_MS, 1};
    }
    expect_ok(box_write(&box, samples, SENT, &result, &err));
    assert_int_equal(result.series_rejected[REJECT_MAX_SERIES], SENT);
    const char *want =
        "tenant \"a\" has 1 active series, limit max_series is 1: refused 40 new series of metric "
        "\"m\" (12 of the first 16); label \"user\" has the most new values (16 in the first 16), "
        "such as \"u0\", \"u1\", \"u2\"; to raise it: tenants: {a: {limits: {max_series: ...}}}";
    expect_str(str_from(result.first[REJECT_MAX_SERIES].text), want);
    struct refusal last = last_refusal(&box, REJECT_MAX_SERIES);
    expect_str(str_from(last.why.text), want);
    expect_str(str_from(last.metric), "m");
    expect_str(str_from(last.label), "user");
    expect_str(str_from(last.examples[2]), "u2");
    assert_int_equal(last.value_count, 16);
    assert_int_equal(last.at_ms, BOX_START_MS);
    store_box_deinit(&box);
}

TEST(the_last_refusal_for_each_reason_is_remembered)
{
    struct store_box box;
    struct refusal last;
    struct tenant *tenant = open_with(&box, TENANT_LIMIT_MAX_SERIES, 1, true);
    expect_taken(&box, "m", BOX_START_MS);
    assert_false(store_last_refusal(box.store, tenant, REJECT_TOO_OLD, &last));
    put(&box, "m", 5);
    last = last_refusal(&box, REJECT_TOO_OLD);
    expect_str(str_from(last.why.text),
               "sample older than the retention: got timestamp 5 for series m");
    assert_int_equal(last.metric[0], '\0');
    put(&box, "m n=1", BOX_START_MS);
    sim_clock_advance(&box.clock, 1000);
    put(&box, "m o=1", BOX_START_MS);
    last = last_refusal(&box, REJECT_MAX_SERIES);
    expect_str(str_from(last.label), "o");
    assert_int_equal(last.at_ms, BOX_START_MS + 1000);
    store_box_deinit(&box);
}

TEST(what_is_remembered_is_bounded)
{
    struct store_box box;
    char series[3000] = "m ";
    open_with(&box, TENANT_LIMIT_MAX_SERIES, 1, true);
    expect_taken(&box, "m", BOX_START_MS);
    memset(series + 2, 'n', 1000);
    series[1002] = '=';
    memset(series + 1003, 'v', 1900);
    put(&box, series, BOX_START_MS);
    struct refusal last = last_refusal(&box, REJECT_MAX_SERIES);
    assert_int_equal(strlen(last.label), REFUSAL_TEXT_MAX - 1);
    assert_int_equal(strlen(last.examples[0]), REFUSAL_TEXT_MAX - 1);
    assert_non_null(
        strstr(last.why.text, "to raise it: tenants: {a: {limits: {max_series: ...}}}"));
    store_box_deinit(&box);
}

/* ---- soft limits and dry runs ---- */

static uint64_t warnings(const struct tenant *tenant, enum tenant_limit limit)
{
    return counter_get(&tenant->limit_warnings[limit]);
}

static uint64_t would_refuse(const struct tenant *tenant, enum tenant_limit limit)
{
    return counter_get(&tenant->limit_would_refuse[limit]);
}

/* What takes samples or series up to `hard` and warns and counts as it passes 2. */
static struct tenant *open_noting(struct store_box *box, enum tenant_limit limit, uint64_t hard)
{
    struct tenant *tenant = open_with(box, limit, hard, true);
    counter_set(&tenant->limit_max[LIMIT_SOFT][limit], 2);
    counter_set(&tenant->limit_max[LIMIT_DRY_RUN][limit], 2);
    return tenant;
}

TEST(soft_limits_and_dry_runs_of_what_is_there)
{
    static const enum tenant_limit limits[] = {
        TENANT_LIMIT_MAX_SERIES, TENANT_LIMIT_MAX_SERIES_PER_METRIC, TENANT_LIMIT_MAX_LABEL_VALUES,
        TENANT_LIMIT_MAX_NEW_SERIES_PER_HOUR};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct store_box box;
        struct tenant *tenant = open_noting(&box, limits[i], 4);
        expect_taken(&box, "m n=1", BOX_START_MS);
        expect_taken(&box, "m n=2", BOX_START_MS);
        assert_int_equal(warnings(tenant, limits[i]), 0);
        assert_int_equal(would_refuse(tenant, limits[i]), 0);
        expect_taken(&box, "m n=3", BOX_START_MS);
        assert_int_equal(warnings(tenant, limits[i]), 1);
        assert_int_equal(would_refuse(tenant, limits[i]), 1);
        expect_taken(&box, "m n=4", BOX_START_MS);
        assert_int_equal(put(&box, "m n=5", BOX_START_MS).samples_written, 0);
        assert_int_equal(warnings(tenant, limits[i]), 1); /* once for each time that it is passed */
        assert_int_equal(would_refuse(tenant, limits[i]), 2);
        store_box_deinit(&box);
    }
}

TEST(an_idle_series_that_comes_back_counts_as_well)
{
    struct store_box box;
    struct tenant *tenant = open_noting(&box, TENANT_LIMIT_MAX_SERIES, 3);
    for (int i = 0; i < 2; i++) {
        expect_taken(&box, "m n=1", BOX_START_MS + i);
        expect_taken(&box, "m n=2", BOX_START_MS + i);
        expect_taken(&box, "m n=3", BOX_START_MS + i);
        assert_int_equal(warnings(tenant, TENANT_LIMIT_MAX_SERIES), i + 1);
        assert_int_equal(would_refuse(tenant, TENANT_LIMIT_MAX_SERIES), i + 1);
        sim_clock_advance(&box.clock, 31 * 60 * 1000);
        for (uint32_t shard = 0; shard < store_shard_count(box.store); shard++)
            store_sweep_idle(box.store, shard);
        assert_int_equal(counter_get(&tenant->active_series), 0);
    }
    store_box_deinit(&box);
}

TEST(soft_limits_and_dry_runs_of_bytes)
{
    struct store_box box;
    struct tenant *tenant = open_noting(&box, TENANT_LIMIT_MAX_SERIES_BYTES, TENANT_LIMIT_NONE);
    expect_taken(&box, "m n=1", BOX_START_MS);
    expect_taken(&box, "m n=2", BOX_START_MS);
    assert_int_equal(warnings(tenant, TENANT_LIMIT_MAX_SERIES_BYTES), 1);
    assert_int_equal(would_refuse(tenant, TENANT_LIMIT_MAX_SERIES_BYTES), 2);
    store_box_deinit(&box);
}

TEST(soft_limits_and_dry_runs_of_speed)
{
    static const enum tenant_limit limits[] = {TENANT_LIMIT_MAX_NEW_SERIES,
                                               TENANT_LIMIT_INGESTION_RATE};
    for (size_t i = 0; i < 2; i++) {
        struct store_box box;
        struct tenant *tenant = open_noting(&box, limits[i], TENANT_LIMIT_NONE);
        counter_set(&tenant->limit_max[LIMIT_SOFT][TENANT_LIMIT_INGESTION_BURST], 2);
        counter_set(&tenant->limit_max[LIMIT_DRY_RUN][TENANT_LIMIT_INGESTION_BURST], 2);
        expect_taken(&box, "m n=1", BOX_START_MS);
        expect_taken(&box, "m n=2", BOX_START_MS);
        assert_int_equal(warnings(tenant, limits[i]), 0);
        expect_taken(&box, "m n=3", BOX_START_MS);
        expect_taken(&box, "m n=4", BOX_START_MS);
        assert_int_equal(warnings(tenant, limits[i]), 2);
        assert_int_equal(would_refuse(tenant, limits[i]), 2);
        sim_clock_advance(&box.clock, 1000);
        expect_taken(&box, "m n=5", BOX_START_MS);
        assert_int_equal(would_refuse(tenant, limits[i]), 2);
        store_box_deinit(&box);
    }
}

TEST(soft_limits_and_dry_runs_of_labels)
{
    static const struct {
        enum tenant_limit limit;
        const char *at, *beyond;
    } rows[] = {{TENANT_LIMIT_MAX_LABEL_NAMES, "m n=1", "m n=1 o=1"},
                {TENANT_LIMIT_MAX_LABEL_NAME_LEN, "m n=1", "m n23456789=1"},
                {TENANT_LIMIT_MAX_LABEL_VALUE_LEN, "m n=12", "m n=123"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct store_box box;
        uint64_t max = rows[i].limit == TENANT_LIMIT_MAX_LABEL_NAME_LEN ? 8 : 2;
        struct tenant *tenant = open_noting(&box, rows[i].limit, 20);
        counter_set(&tenant->limit_max[LIMIT_SOFT][rows[i].limit], max);
        counter_set(&tenant->limit_max[LIMIT_DRY_RUN][rows[i].limit], max);
        expect_taken(&box, rows[i].at, BOX_START_MS);
        assert_int_equal(warnings(tenant, rows[i].limit), 0);
        assert_int_equal(would_refuse(tenant, rows[i].limit), 0);
        expect_taken(&box, rows[i].beyond, BOX_START_MS);
        assert_int_equal(warnings(tenant, rows[i].limit), 1);
        assert_int_equal(would_refuse(tenant, rows[i].limit), 1);
        store_box_deinit(&box);
    }
}

TEST(soft_limits_and_dry_runs_of_time)
{
    static const struct {
        enum tenant_limit limit;
        int64_t at_ms, beyond_ms;
    } rows[] = {{TENANT_LIMIT_OUT_OF_ORDER_WINDOW, -2, -3},
                {TENANT_LIMIT_CREATION_GRACE, 2, 3},
                {TENANT_LIMIT_RETENTION, -2, -3}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct store_box box;
        struct tenant *tenant = open_noting(&box, rows[i].limit, TENANT_LIMIT_NONE);
        expect_taken(&box, "m", BOX_START_MS);
        expect_taken(&box, "m", BOX_START_MS + rows[i].at_ms);
        assert_int_equal(warnings(tenant, rows[i].limit), 0);
        assert_int_equal(would_refuse(tenant, rows[i].limit), 0);
        expect_taken(&box, "m", BOX_START_MS + rows[i].beyond_ms);
        assert_int_equal(warnings(tenant, rows[i].limit), 1);
        assert_int_equal(would_refuse(tenant, rows[i].limit), 1);
        store_box_deinit(&box);
    }
}

/* ---- eight writers ---- */

/* What one of the writers does for the i-th time. */
struct attempt {
    int writer;
    int i;
};
typedef struct box_sample (*make_sample)(struct attempt attempt, char series[64]);

struct writer {
    struct store_box *box;
    struct thread thread;
    make_sample make;
    int number;
    uint64_t accepted;
};

static void write_own(void *context)
{
    struct writer *writer = context;
    for (int i = 0; i < SERIES_EACH; i++) {
        char series[64];
        struct error err;
        struct write_result result;
        const struct box_sample sample = writer->make((struct attempt){writer->number, i}, series);
        CHECK(box_write(writer->box, &sample, 1, &result, &err) == STATUS_OK);
        writer->accepted += result.samples_written;
    }
}

static uint64_t run_writers(struct store_box *box, make_sample make)
{
    struct writer writers[WRITERS];
    uint64_t accepted = 0;
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.box = box, .make = make, .number = i};
        thread_start(&writers[i].thread, "writer", write_own, &writers[i]);
    }
    for (int i = 0; i < WRITERS; i++) {
        thread_join(&writers[i].thread);
        accepted += writers[i].accepted;
    }
    return accepted;
}

static struct box_sample make_series(struct attempt attempt, char series[64])
{
    snprintf(series, 64, "m n=%02d-%02d", attempt.writer, attempt.i);
    return (struct box_sample){"a", series, BOX_START_MS, 1};
}

/* What half of the writers send is one too large in what the limit bounds. */
static struct box_sample make_label_value(struct attempt attempt, char series[64])
{
    snprintf(series, 64, attempt.writer % 2 == 0 ? "m n=%02d-%02d" : "m n=%02d-%02dx",
             attempt.writer, attempt.i);
    return (struct box_sample){"a", series, BOX_START_MS, 1};
}

static struct box_sample make_label_name(struct attempt attempt, char series[64])
{
    snprintf(series, 64, attempt.writer % 2 == 0 ? "m n%02d45678=%02d" : "m n%02d456789=%02d",
             attempt.writer, attempt.i);
    return (struct box_sample){"a", series, BOX_START_MS, 1};
}

static struct box_sample make_label_count(struct attempt attempt, char series[64])
{
    snprintf(series, 64, attempt.writer % 2 == 0 ? "m n=%d o=%d" : "m n=%d o=%d p=1",
             attempt.writer, attempt.i);
    return (struct box_sample){"a", series, BOX_START_MS, 1};
}

static struct box_sample make_future(struct attempt attempt, char series[64])
{
    struct box_sample sample = make_series(attempt, series);
    sample.ts_ms += 1000 + attempt.writer % 2;
    return sample;
}

static struct box_sample make_past(struct attempt attempt, char series[64])
{
    struct box_sample sample = make_series(attempt, series);
    sample.ts_ms -= 1000 + attempt.writer % 2;
    return sample;
}

/* Into series that already have a sample of BOX_START_MS. */
static struct box_sample make_late(struct attempt attempt, char series[64])
{
    struct box_sample sample = make_past(attempt, series);
    snprintf(series, 64, "m n=%d", attempt.i);
    sample.value = 0;
    return sample;
}

enum { WRITES = WRITERS * SERIES_EACH, MAX = 200 };

TEST(what_a_tenant_has_is_exact_under_eight_writers)
{
    static const enum tenant_limit limits[] = {
        TENANT_LIMIT_MAX_SERIES, TENANT_LIMIT_MAX_SERIES_PER_METRIC, TENANT_LIMIT_MAX_LABEL_VALUES,
        TENANT_LIMIT_MAX_NEW_SERIES, TENANT_LIMIT_MAX_NEW_SERIES_PER_HOUR};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct store_box box;
        struct tenant *tenant = open_with(&box, limits[i], MAX, false);
        assert_int_equal(run_writers(&box, make_series), MAX);
        assert_int_equal(counter_get(&tenant->active_series), MAX);
        assert_int_equal(counter_get(&tenant->samples_rejected), WRITES - MAX);
        store_box_deinit(&box);
    }
}

TEST(bytes_are_exact_under_eight_writers)
{
    struct store_box box;
    uint64_t usage[TENANT_LIMIT_COUNT], series_bytes;
    struct tenant *tenant = open_with(&box, TENANT_LIMIT_MAX_SERIES, MAX, true);
    struct counter *max = &tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES_BYTES];
    expect_taken(&box, "m n=aa-aa", BOX_START_MS);
    store_limit_usage(box.store, tenant, usage);
    series_bytes = usage[TENANT_LIMIT_MAX_SERIES_BYTES];
    expect_taken(&box, "m n=aa-ab", BOX_START_MS);
    store_limit_usage(box.store, tenant, usage);
    series_bytes = usage[TENANT_LIMIT_MAX_SERIES_BYTES] - series_bytes;
    store_box_close(&box);
    box.options.is_manual = false;
    struct error err;
    expect_ok(store_box_open(&box, &err));
    tenant = tenant_table_find(store_tenants(box.store), STR("a"));
    max = &tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES_BYTES];
    counter_set(max, usage[TENANT_LIMIT_MAX_SERIES_BYTES] + MAX * series_bytes + 1);
    assert_int_equal(run_writers(&box, make_series), MAX);
    store_limit_usage(box.store, tenant, usage);
    assert_int_equal(usage[TENANT_LIMIT_MAX_SERIES_BYTES], counter_get(max) - 1);
    store_box_deinit(&box);
}

TEST(the_rate_is_exact_under_eight_writers)
{
    struct store_box box;
    struct tenant *tenant = open_with(&box, TENANT_LIMIT_INGESTION_RATE, 1, false);
    counter_set(&tenant->limit_max[LIMIT_HARD][TENANT_LIMIT_INGESTION_BURST], MAX);
    assert_int_equal(run_writers(&box, make_series), MAX);
    assert_int_equal(counter_get(&tenant->samples_rejected), WRITES - MAX);
    store_box_deinit(&box);
}

TEST(what_one_sample_or_series_may_be_holds_under_eight_writers)
{
    static const struct {
        enum tenant_limit limit;
        uint64_t max;
        make_sample make;
    } rows[] = {{TENANT_LIMIT_MAX_LABEL_NAMES, 3, make_label_count},
                {TENANT_LIMIT_MAX_LABEL_NAME_LEN, 8, make_label_name},
                {TENANT_LIMIT_MAX_LABEL_VALUE_LEN, 5, make_label_value},
                {TENANT_LIMIT_CREATION_GRACE, 1000, make_future},
                {TENANT_LIMIT_RETENTION, 1000, make_past},
                {TENANT_LIMIT_OUT_OF_ORDER_WINDOW, 1000, make_late}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct store_box box;
        struct tenant *tenant = open_with(&box, rows[i].limit, rows[i].max, false);
        for (int k = 0; k < SERIES_EACH && rows[i].make == make_late; k++) {
            char series[64];
            snprintf(series, sizeof series, "m n=%d", k);
            expect_taken(&box, series, BOX_START_MS);
        }
        assert_int_equal(run_writers(&box, rows[i].make), WRITES / 2);
        assert_int_equal(counter_get(&tenant->samples_rejected), WRITES / 2);
        store_box_deinit(&box);
    }
}

TEST_MAIN(RUN(series_of_a_metric), RUN(series_refused_in_one_request_are_counted_once_each),
          RUN(new_series_in_a_second), RUN(new_series_in_an_hour), RUN(values_of_a_label),
          RUN(bytes_of_series), RUN(samples_a_second),
          RUN(a_request_with_more_than_the_burst_is_taken_once_and_paid_for), RUN(labels),
          RUN(samples_behind_the_newest_of_their_series), RUN(samples_ahead_of_the_clock),
          RUN(a_shorter_retention_hides_at_once_and_only_its_own),
          RUN(a_longer_retention_keeps_longer_and_only_its_own), RUN(values_of_a_label_are_watched),
          RUN(a_refusal_names_the_metric_and_the_label_that_grow),
          RUN(the_last_refusal_for_each_reason_is_remembered), RUN(what_is_remembered_is_bounded),
          RUN(soft_limits_and_dry_runs_of_what_is_there),
          RUN(an_idle_series_that_comes_back_counts_as_well),
          RUN(soft_limits_and_dry_runs_of_bytes), RUN(soft_limits_and_dry_runs_of_speed),
          RUN(soft_limits_and_dry_runs_of_labels), RUN(soft_limits_and_dry_runs_of_time),
          RUN(what_a_tenant_has_is_exact_under_eight_writers),
          RUN(bytes_are_exact_under_eight_writers), RUN(the_rate_is_exact_under_eight_writers),
          RUN(what_one_sample_or_series_may_be_holds_under_eight_writers))
