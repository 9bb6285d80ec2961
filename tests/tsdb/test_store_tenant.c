/* A tenant is made by a series that is kept, and by nothing else. */
#include "tests/support/store_box.h"

#include <stdio.h>

struct fixture {
    struct store_box box;
    struct write_result result;
    struct tenant *tenant;
};

static void fixture_open(struct fixture *f)
{
    struct error err = {0};
    store_box_init(&f->box, 1);
    f->box.options.tenants_max = 2 * TENANT_NEW_BURST;
    expect_ok(store_box_open(&f->box, &err));
}

static enum status admit(struct fixture *f, const char *id_text, const char *series, int64_t ts_ms,
                         struct error *out)
{
    struct error err;
    struct tenant_id id;
    struct labels labels = box_labels(&f->box.arena, series);
    struct sample sample = {ts_ms, 1};
    struct write_series one = {.labels = labels.ptr,
                               .label_count = (uint32_t)labels.count,
                               .samples = &sample,
                               .sample_count = 1};
    expect_ok(tenant_id_parse(str_from(id_text), &id, &err));
    f->result = (struct write_result){0};
    f->tenant = NULL;
    return store_admit_tenant(f->box.store, &id, &one, &f->result, &f->tenant, out);
}

static void expect_none(struct fixture *f, const char *series, int64_t ts_ms,
                        enum refusal_reason reason)
{
    struct error err;
    expect_status(admit(f, "new", series, ts_ms, &err), STATUS_NOT_FOUND);
    assert_int_equal(f->result.samples_refused[reason], 1);
    assert_int_not_equal(f->result.first[reason].text[0], '\0');
    assert_null(tenant_table_find(store_tenants(f->box.store), STR("new")));
}

TEST(a_series_that_is_refused_makes_no_tenant)
{
    struct fixture f;
    fixture_open(&f);
    expect_none(&f, "up", BOX_START_MS - BOX_RETENTION_MS - 1, REFUSAL_TOO_OLD);
    expect_none(&f, "up", BOX_START_MS + BOX_DAY_MS, REFUSAL_TOO_FAR_IN_FUTURE);
    expect_none(&f, "up a=1 a=2", BOX_START_MS, REFUSAL_INVALID_LABELS);
    store_box_deinit(&f.box);
}

TEST(a_series_that_is_kept_makes_its_tenant_once)
{
    struct fixture f;
    struct error err;
    fixture_open(&f);
    expect_ok(admit(&f, "new", "up", BOX_START_MS, &err));
    struct tenant *made = f.tenant;
    assert_ptr_equal(made, tenant_table_find(store_tenants(f.box.store), STR("new")));
    expect_ok(admit(&f, "new", "up", BOX_START_MS, &err));
    assert_ptr_equal(f.tenant, made);
    store_box_deinit(&f.box);
}

TEST(the_limits_that_a_tenant_would_have_hold_for_its_first_series)
{
    struct fixture f;
    struct error err;
    struct tenant_limits strict = tenant_limits_default(), defaults = tenant_limits_default();
    struct tenant_id id;
    fixture_open(&f);
    strict.max[LIMIT_HARD][TENANT_LIMIT_RETENTION] = 1000;
    expect_ok(tenant_id_parse(STR("new"), &id, &err));
    tenant_table_set_limits(store_tenants(f.box.store), &defaults, &id, &strict, 1);
    expect_none(&f, "up", BOX_START_MS - 1001, REFUSAL_TOO_OLD);
    expect_ok(admit(&f, "other", "up", BOX_START_MS - 1001, &err));
    store_box_deinit(&f.box);
}

TEST(only_so_many_new_tenants_at_once)
{
    struct fixture f;
    struct error err;
    char id[32];
    fixture_open(&f);
    for (int i = 0; i < TENANT_NEW_BURST; i++) {
        struct tenant_id parsed;
        int64_t wait_ms;
        snprintf(id, sizeof id, "t%d", i);
        expect_ok(tenant_id_parse(str_from(id), &parsed, &err));
        expect_ok(tenant_table_add(store_tenants(f.box.store), &parsed,
                                   clock_monotonic_ns(&f.box.clock.base), &f.tenant, &wait_ms,
                                   &err));
    }
    expect_status(admit(&f, "new", "up", BOX_START_MS, &err), STATUS_UNAVAILABLE);
    assert_in_range(f.result.retry_after_ms, 1, 1000 / TENANT_NEW_PER_SECOND + 1);
    expect_ok(admit(&f, "t7", "up", BOX_START_MS, &err)); /* it is there */
    sim_clock_advance(&f.box.clock, 1000 / TENANT_NEW_PER_SECOND);
    expect_ok(admit(&f, "new", "up", BOX_START_MS, &err));
    expect_status(admit(&f, "newer", "up", BOX_START_MS, &err), STATUS_UNAVAILABLE);
    store_box_deinit(&f.box);
}

TEST_MAIN(RUN(a_series_that_is_refused_makes_no_tenant),
          RUN(a_series_that_is_kept_makes_its_tenant_once),
          RUN(the_limits_that_a_tenant_would_have_hold_for_its_first_series),
          RUN(only_so_many_new_tenants_at_once))
