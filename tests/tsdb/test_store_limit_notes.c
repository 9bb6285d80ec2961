/* What is remembered of refusals, and what soft limits and dry runs say. */
#include "tests/tsdb/limit_box.h"

#include <stdio.h>

/* ---- what is said and remembered ---- */

static struct refusal last_refusal(struct store_box *box, enum refusal_reason reason)
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
    limit_box_open(&box, TENANT_LIMIT_MAX_SERIES, 1, true);
    expect_taken(&box, "m job=a", BOX_START_MS);
    for (int i = 0; i < SENT; i++) {
        snprintf(series[i], sizeof series[i], "%s job=a pod=p%d user=u%d", i % 4 == 0 ? "n" : "m",
                 i / 4, i);
        samples[i] = (struct box_sample){"a", series[i], BOX_START_MS, 1};
    }
    expect_ok(box_write(&box, samples, SENT, &result, &err));
    assert_int_equal(result.series_refused[REFUSAL_MAX_SERIES], SENT);
    const char *want =
        "tenant \"a\" has 1 active series, limit max_series is 1: refused 40 new series of metric "
        "\"m\" (12 of the first 16); label \"user\" has the most new values (16 in the first 16), "
        "such as \"u0\", \"u1\", \"u2\"; to raise it: tenants: {a: {limits: {max_series: ...}}}";
    expect_str(str_from(result.first[REFUSAL_MAX_SERIES].text), want);
    struct refusal last = last_refusal(&box, REFUSAL_MAX_SERIES);
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
    struct tenant *tenant = limit_box_open(&box, TENANT_LIMIT_MAX_SERIES, 1, true);
    expect_taken(&box, "m", BOX_START_MS);
    assert_false(store_last_refusal(box.store, tenant, REFUSAL_TOO_OLD, &last));
    limit_box_put(&box, "m", 5);
    last = last_refusal(&box, REFUSAL_TOO_OLD);
    expect_str(str_from(last.why.text),
               "sample older than the retention: got timestamp 5 for series m, "
               "19675d22h13m19s995ms behind the clock, limit retention is 30d; to raise it: "
               "tenants: {a: {limits: {retention: ...}}}");
    assert_int_equal(last.metric[0], '\0');
    limit_box_put(&box, "m n=1", BOX_START_MS);
    sim_clock_advance(&box.clock, 1000);
    limit_box_put(&box, "m o=1", BOX_START_MS);
    last = last_refusal(&box, REFUSAL_MAX_SERIES);
    expect_str(str_from(last.label), "o");
    assert_int_equal(last.at_ms, BOX_START_MS + 1000);
    store_box_deinit(&box);
}

/* One write of many tenants, of which each is refused a series and a sample. */
static void refuse_each_of(struct store_box *box, uint32_t tenants)
{
    struct error err = {0};
    struct write_result result;
    struct box_sample *samples = arena_alloc(&box->arena, 3 * tenants * sizeof *samples);
    struct tenant_limits limits = tenant_limits_default();
    limits.max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES] = 1;
    tenant_table_set_limits(store_tenants(box->store), &limits, NULL, NULL, 0);
    for (uint32_t i = 0; i < tenants; i++) {
        const char *id = arena_format(&box->arena, "t%02u", i).ptr;
        samples[3 * i] = (struct box_sample){id, "m", BOX_START_MS, 1};
        samples[3 * i + 1] = (struct box_sample){id, "m n=1", BOX_START_MS, 1};
        samples[3 * i + 2] = (struct box_sample){id, "m", 5, 1};
    }
    expect_ok(box_write(box, samples, 3 * tenants, &result, &err));
    assert_int_equal(result.samples_refused[REFUSAL_MAX_SERIES], tenants);
    assert_int_equal(result.samples_refused[REFUSAL_TOO_OLD], tenants);
}

TEST(of_one_write_each_tenant_remembers_its_own_refusals)
{
    struct store_box box;
    struct refusal last;
    store_box_start(&box, 1);
    refuse_each_of(&box, 3);
    for (const char *id = "t00\0t01\0t02\0"; *id != '\0'; id += strlen(id) + 1) {
        struct tenant *tenant = tenant_table_find(store_tenants(box.store), str_from(id));
        assert_true(store_last_refusal(box.store, tenant, REFUSAL_MAX_SERIES, &last));
        assert_non_null(strstr(last.why.text, id));
        expect_str(str_from(last.label), "n");
        assert_true(store_last_refusal(box.store, tenant, REFUSAL_TOO_OLD, &last));
        assert_non_null(strstr(last.why.text, id));
    }
    store_box_deinit(&box);
}

TEST(of_one_write_only_so_many_refusals_are_explained)
{
    struct store_box box;
    struct refusal last;
    uint32_t explained = 0, tenants = 2 * REFUSAL_EXPLAINED_MAX;
    store_box_start(&box, 1);
    refuse_each_of(&box, tenants);
    for (uint32_t i = 0; i < tenants; i++) {
        struct str id = arena_format(&box.arena, "t%02u", i);
        struct tenant *tenant = tenant_table_find(store_tenants(box.store), id);
        for (enum refusal_reason reason = 0; reason < REFUSAL_COUNT; reason++)
            explained += store_last_refusal(box.store, tenant, reason, &last);
    }
    assert_in_range(explained, REFUSAL_EXPLAINED_MAX, REFUSAL_EXPLAINED_MAX + 2);
    store_box_deinit(&box);
}

TEST(what_is_remembered_is_bounded)
{
    struct store_box box;
    char series[3000] = "m ";
    limit_box_open(&box, TENANT_LIMIT_MAX_SERIES, 1, true);
    expect_taken(&box, "m", BOX_START_MS);
    memset(series + 2, 'n', 1000);
    series[1002] = '=';
    memset(series + 1003, 'v', 1900);
    limit_box_put(&box, series, BOX_START_MS);
    struct refusal last = last_refusal(&box, REFUSAL_MAX_SERIES);
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
    struct tenant *tenant = limit_box_open(box, limit, hard, true);
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
        assert_int_equal(limit_box_put(&box, "m n=5", BOX_START_MS).samples_written, 0);
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

TEST_MAIN(RUN(a_refusal_names_the_metric_and_the_label_that_grow),
          RUN(the_last_refusal_for_each_reason_is_remembered),
          RUN(of_one_write_each_tenant_remembers_its_own_refusals),
          RUN(of_one_write_only_so_many_refusals_are_explained), RUN(what_is_remembered_is_bounded),
          RUN(soft_limits_and_dry_runs_of_what_is_there),
          RUN(an_idle_series_that_comes_back_counts_as_well),
          RUN(soft_limits_and_dry_runs_of_bytes), RUN(soft_limits_and_dry_runs_of_speed),
          RUN(soft_limits_and_dry_runs_of_labels), RUN(soft_limits_and_dry_runs_of_time))
