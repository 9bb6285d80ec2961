#include "tests/support/test.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/thread.h"
#include "tsdb/model/tenant.h"

static struct tenant_table *open_table(uint32_t tenants_max)
{
    struct error err;
    struct tenant_table *table = NULL;
    struct tenant_table_options options = {
        .shard_count = 4, .tenants_max = tenants_max, .default_tenant = STR("anonymous")};
    expect_ok(tenant_table_open(&options, &table, &err));
    return table;
}

static struct tenant *get(struct tenant_table *table, const char *id)
{
    struct error err;
    struct tenant *tenant = NULL;
    expect_ok(tenant_table_get(table, str_from(id), &tenant, &err));
    return tenant;
}

static struct tenant_id id_of(const char *text)
{
    struct error err;
    struct tenant_id id;
    expect_ok(tenant_id_parse(str_from(text), &id, &err));
    return id;
}

TEST(the_default_tenant_is_there_from_the_start)
{
    struct tenant_table *table = open_table(10);
    assert_int_equal(tenant_table_count(table), 1);
    struct tenant *tenant = tenant_table_default(table);
    assert_true(tenant->is_default);
    expect_str(tenant_id_str(&tenant->id), "anonymous");
    assert_ptr_equal(get(table, "anonymous"), tenant);
    tenant_table_close(table);
}

TEST(a_tenant_is_made_once_and_stays_where_it_is)
{
    struct tenant_table *table = open_table(2000);
    assert_null(tenant_table_find(table, STR("a")));
    struct tenant *a = get(table, "a");
    for (int i = 0; i < 1000; i++) {
        char id[32];
        snprintf(id, sizeof id, "tenant-%d", i);
        assert_false(get(table, id)->is_default);
    }
    assert_ptr_equal(tenant_table_find(table, STR("a")), a);
    assert_int_equal(tenant_table_count(table), 1002);
    for (size_t i = 0; i < 1002; i++)
        assert_int_equal(tenant_table_at(table, i)->number, i);
    tenant_table_close(table);
}

TEST(the_shard_is_the_same_in_every_process)
{
    struct tenant_table *table = open_table(10);
    struct tenant *tenant = get(table, "finance-team");
    assert_int_equal(tenant->shard, hash_stable(bytes_of_str(STR("finance-team"))) % 4);
    tenant_table_close(table);
}

TEST(bad_ids_and_one_tenant_too_many_are_refused)
{
    struct error err;
    struct tenant *tenant;
    struct tenant_table *table = open_table(2);
    expect_status(tenant_table_get(table, STR("a/b"), &tenant, &err), STATUS_INVALID);
    get(table, "a");
    expect_status(tenant_table_get(table, STR("b"), &tenant, &err), STATUS_LIMIT);
    expect_str(str_from(err.text), "tenants: too many, got a new one (b), want at most 2");
    get(table, "a");
    tenant_table_close(table);
}

TEST(a_bad_default_tenant_is_refused)
{
    struct error err;
    struct tenant_table *table = NULL;
    struct tenant_table_options options = {
        .shard_count = 1, .tenants_max = 1, .default_tenant = STR("a b")};
    expect_status(tenant_table_open(&options, &table, &err), STATUS_INVALID);
    assert_null(table);
}

static uint64_t series_max(const struct tenant *tenant)
{
    return tenant_limit(tenant, TENANT_LIMIT_MAX_SERIES);
}

TEST(limits_hold_for_tenants_of_before_and_after)
{
    struct tenant_table *table = open_table(10);
    struct tenant *early = get(table, "early");
    assert_int_equal(series_max(early), 1000000);
    struct tenant_limits defaults = {.max = {{5}}};
    struct tenant_id ids[] = {id_of("late"), id_of("early")};
    struct tenant_limits overrides[] = {{.max = {{7}}}, {.max = {{6}}}};
    tenant_table_set_limits(table, &defaults, ids, overrides, 2);
    assert_int_equal(series_max(early), 6);
    assert_int_equal(series_max(get(table, "late")), 7);
    assert_int_equal(series_max(get(table, "other")), 5);
    struct tenant_id unborn = id_of("unborn");
    assert_int_equal(tenant_table_limit(table, &ids[1], TENANT_LIMIT_MAX_SERIES), 6);
    assert_int_equal(tenant_table_limit(table, &unborn, TENANT_LIMIT_MAX_SERIES), 5);
    assert_null(tenant_table_find(table, STR("unborn")));
    tenant_table_set_limits(table, &defaults, NULL, NULL, 0);
    assert_int_equal(series_max(early), 5);
    tenant_table_close(table);
}

TEST(a_warning_is_counted_each_time)
{
    struct tenant_table *table = open_table(10);
    struct tenant *tenant = get(table, "a");
    tenant_warn(tenant, TENANT_LIMIT_MAX_SERIES, STR(""));
    for (int i = 0; i < 3; i++)
        tenant_note_taken(tenant, TENANT_LIMIT_INGESTION_RATE, true, 0, 5 + i);
    assert_int_equal(counter_get(&tenant->limit_warnings[TENANT_LIMIT_MAX_SERIES]), 1);
    assert_int_equal(counter_get(&tenant->limit_warnings[TENANT_LIMIT_INGESTION_RATE]), 3);
    assert_int_equal(counter_get(&tenant->limit_told_ms[TENANT_LIMIT_INGESTION_RATE]), 5);
    tenant_note_taken(tenant, TENANT_LIMIT_INGESTION_RATE, true, 0, 5 + 60 * 1000);
    assert_int_equal(counter_get(&tenant->limit_told_ms[TENANT_LIMIT_INGESTION_RATE]), 60005);
    tenant_table_close(table);
}

static void get_many(void *context)
{
    struct error err;
    for (int i = 0; i < 500; i++) {
        char id[32];
        struct tenant *tenant;
        snprintf(id, sizeof id, "t%d", i);
        if (tenant_table_get(context, str_from(id), &tenant, &err) != STATUS_OK)
            return;
    }
}

TEST(two_threads_agree_about_who_is_there)
{
    struct tenant_table *table = open_table(501);
    struct thread other = {0};
    thread_start(&other, "other", get_many, table);
    get_many(table);
    thread_join(&other);
    assert_int_equal(tenant_table_count(table), 501);
    tenant_table_close(table);
}

TEST_MAIN(RUN(the_default_tenant_is_there_from_the_start),
          RUN(a_tenant_is_made_once_and_stays_where_it_is),
          RUN(the_shard_is_the_same_in_every_process),
          RUN(bad_ids_and_one_tenant_too_many_are_refused), RUN(a_bad_default_tenant_is_refused),
          RUN(limits_hold_for_tenants_of_before_and_after), RUN(a_warning_is_counted_each_time),
          RUN(two_threads_agree_about_who_is_there))
