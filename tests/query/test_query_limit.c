/* Limits of the read API, each at one less, exactly, and one more. */
#include "tests/support/test.h"

#include <stdio.h>

#include "tests/query/api_fixture.h"

#define NO_MEMORY_HEAD "memory: your share of the "
#define NO_MEMORY_END                                                                              \
    " bytes that all may hold together (limit query-memory) is used up: try again later, ask for " \
    "less at once, or have --query-memory raised (err-croft-query-memory)"

/* ---- the memory of all together ---- */

/* Reads whatever `max_bytes` allows; the code. */
static unsigned ask_within(struct fixture *f, const char *path, size_t max_bytes)
{
    budget_set_max(f->api.memory, max_bytes);
    struct reply reply = ask(f, "GET", path, TENANT_A, "");
    if (reply.code == 503) {
        char want[500];
        snprintf(want, sizeof want, FAILURE("unavailable", NO_MEMORY_HEAD "%zu" NO_MEMORY_END),
                 max_bytes);
        check_reply(path, &reply, 503, want);
        assert_true(reply_has(&reply, "Retry-After: 1\r\n"));
    }
    /* given back a moment after the reply */
    while (budget_held_bytes(f->api.memory) > 0)
        continue;
    return reply.code;
}

TEST(every_endpoint_is_refused_with_a_byte_less_than_it_needs)
{
    static const char *const paths[] = {
        "/api/v1/query?query=up&time=1700000000",
        "/api/v1/query?query=c_total%5B5m%5D&time=1700000000",
        "/api/v1/query?query=sum+by+(job)(rate(c_total%5B5m%5D))&time=1700000000",
        "/api/v1/query_range?query=up&start=1699990000&end=1700000000&step=1",
        "/api/v1/query?query=info(up)&time=1700000000",
        "/api/v1/series?match%5B%5D=up",
        "/api/v1/labels",
        "/api/v1/labels?match%5B%5D=up",
        "/api/v1/label/job/values",
        "/api/v1/status/tsdb",
        "/api/v1/cardinality/label_names",
        "/api/v1/cardinality/label_values?label_names%5B%5D=job&selector=up",
        "/api/v1/cardinality/active_series?selector=up",
    };
    struct fixture f;
    fixture_open(&f);
    f.engine.allows_experimental = true;
    f.api.memory = budget_new("query-memory", 1);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        size_t too_little = 1, enough = 64 << 20;
        assert_int_equal(ask_within(&f, paths[i], too_little), 503);
        assert_int_equal(ask_within(&f, paths[i], enough), 200);
        while (enough - too_little > 1) {
            size_t middle = too_little + (enough - too_little) / 2;
            if (ask_within(&f, paths[i], middle) == 200)
                enough = middle;
            else
                too_little = middle;
        }
        assert_true(enough > 4096); /* the first page at least was charged */
    }
    fixture_close(&f);
    budget_free(f.api.memory);
}

TEST(who_holds_most_is_refused_and_others_are_answered)
{
    struct fixture f;
    struct charge held;
    fixture_open(&f);
    f.api.memory = budget_new("query-memory", 16 << 20);
    charge_init(&held, f.api.memory, STR("a"));
    while (charge_take(&held, 1, NULL) == STATUS_OK)
        continue;
    for (size_t i = 0; i < 3; i++) {
        struct reply reply = ask(&f, "GET", "/api/v1/query?query=up", TENANT_A, "");
        assert_int_equal(reply.code, 503);
        reply = ask(&f, "GET", "/api/v1/query?query=up", "X-Scope-OrgID: b\r\n", "");
        assert_int_equal(reply.code, 200);
        reply = ask(&f, "GET", "/api/v1/query?query=up", "X-Scope-OrgID: a|b\r\n", "");
        assert_int_equal(reply.code, 200);
    }
    charge_deinit(&held);
    assert_int_equal(ask(&f, "GET", "/api/v1/query?query=up", TENANT_A, "").code, 200);
    fixture_close(&f);
    budget_free(f.api.memory);
}

/* ---- the limits of a tenant ---- */

struct limited {
    enum tenant_limit limit;
    const char *path;
    uint64_t enough; /* for tenant a */
    unsigned code;   /* when it is not */
    const char *error;
};

static unsigned ask_limited(struct fixture *f, const struct limited *row, uint64_t max)
{
    struct tenant_limits all = tenant_limits_default(), own = all;
    struct tenant_id id;
    struct error err;
    expect_ok(tenant_id_parse(STR("a"), &id, &err));
    own.max[LIMIT_HARD][row->limit] = max;
    tenant_table_set_limits(store_tenants(f->box.store), &all, &id, &own, 1);
    struct reply reply = ask(f, "GET", row->path, TENANT_A, "");
    if (reply.code != 200) {
        struct str body = str_of_bytes(reply.body);
        assert_int_equal(reply.code, row->code);
        if (memmem(body.ptr, body.len, row->error, strlen(row->error)) == NULL)
            fail_msg("got %.*s\nwant %s", STR_ARG(body), row->error);
    }
    return reply.code;
}

/* Finds the limit from which on the query is answered, and looks at one less and one more. */
static uint64_t find_boundary(struct fixture *f, const struct limited *row)
{
    uint64_t too_little = 0, enough = row->enough;
    assert_int_equal(ask_limited(f, row, enough), 200);
    assert_int_equal(ask_limited(f, row, 1), row->code);
    while (enough - too_little > 1) {
        uint64_t middle = too_little + (enough - too_little) / 2;
        if (ask_limited(f, row, middle) == 200)
            enough = middle;
        else
            too_little = middle;
    }
    assert_int_equal(ask_limited(f, row, enough - 1), row->code);
    assert_int_equal(ask_limited(f, row, enough), 200);
    assert_int_equal(ask_limited(f, row, enough + 1), 200);
    return enough;
}

TEST(a_query_may_have_as_many_bytes_of_text_as_its_tenants_limit_says)
{
    const struct limited row = {TENANT_LIMIT_MAX_QUERY_LEN, "/api/v1/query?query=sum(up)%20%20",
                                1000, 400, "bytes, limit max_query_expression_size_bytes is "};
    struct fixture f;
    fixture_open(&f);
    assert_int_equal(find_boundary(&f, &row), strlen("sum(up)  "));
    fixture_close(&f);
}

TEST(a_query_may_load_as_many_samples_as_its_tenants_limit_says)
{
    const struct limited row = {TENANT_LIMIT_MAX_QUERY_SAMPLES,
                                "/api/v1/query?query=c_total%5B5m%5D", 1000, 422,
                                ": limit max_samples_per_query is "};
    struct fixture f;
    fixture_open(&f);
    assert_int_equal(find_boundary(&f, &row), 3);
    fixture_close(&f);
}

TEST(a_query_may_take_as_much_memory_as_its_tenants_limit_says)
{
    static const char *const paths[] = {
        "/api/v1/query?query=up", "/api/v1/query_range?query=up&start=1&end=2&step=1",
        "/api/v1/series?match%5B%5D=up", "/api/v1/cardinality/active_series?selector=up"};
    struct fixture f;
    fixture_open(&f);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const struct limited row = {TENANT_LIMIT_MAX_QUERY_BYTES, paths[i], 1 << 20, 422,
                                    "(err-croft-max-estimated-memory-consumption-per-query)"};
        assert_true(find_boundary(&f, &row) > 100);
    }
    fixture_close(&f);
}

/* Stands still until a request asks for the time of the day, which it does while it
   reads its parameters. */
struct leaping_clock {
    struct clock base;
    struct counter leap_ms;
    struct counter elapsed_ms;
};

static uint64_t elapsed_ns(const struct clock *clock)
{
    return counter_get(&((const struct leaping_clock *)clock)->elapsed_ms) * 1000000;
}

static int64_t leap(const struct clock *clock)
{
    struct leaping_clock *leaping = (struct leaping_clock *)(uintptr_t)clock;
    counter_set(&leaping->elapsed_ms, counter_get(&leaping->leap_ms));
    return BOX_START_MS;
}

TEST(a_query_may_take_less_time_than_its_tenants_limit_says)
{
    struct leaping_clock clock = {.base = {.monotonic_ns = elapsed_ns, .now_ms = leap}};
    const struct limited row = {TENANT_LIMIT_QUERY_TIMEOUT, "/api/v1/query?query=sum(up)", 0, 503,
                                ": limit query_timeout is 5 s (err-croft-query-timeout)"};
    struct fixture f;
    fixture_open(&f);
    f.engine.clock = &clock.base;
    for (uint64_t took_ms = 4999; took_ms <= 5001; took_ms++) {
        counter_set(&clock.elapsed_ms, 0);
        counter_set(&clock.leap_ms, took_ms);
        assert_int_equal(ask_limited(&f, &row, 5000), took_ms < 5000 ? 200 : 503);
    }
    fixture_close(&f);
}

/* ---- warnings and dry runs ---- */

/* What the next request is noted with when it is watched for more than `max`. */
static void expect_noted(struct fixture *f, enum tenant_limit limit, uint64_t max, uint64_t times)
{
    struct tenant *tenant = tenant_table_find(store_tenants(f->box.store), STR("a"));
    uint64_t warnings = counter_get(&tenant->limit_warnings[limit]);
    uint64_t refusals = counter_get(&tenant->limit_would_refuse[limit]);
    counter_set(&tenant->limit_max[LIMIT_SOFT][limit], max);
    counter_set(&tenant->limit_max[LIMIT_DRY_RUN][limit], max);
    assert_int_equal(ask(f, "GET", "/api/v1/query?query=sum(up)", TENANT_A, "").code, 200);
    assert_int_equal(counter_get(&tenant->limit_warnings[limit]), warnings + times);
    assert_int_equal(counter_get(&tenant->limit_would_refuse[limit]), refusals + times);
    counter_set(&tenant->limit_max[LIMIT_SOFT][limit], TENANT_LIMIT_NONE);
    counter_set(&tenant->limit_max[LIMIT_DRY_RUN][limit], TENANT_LIMIT_NONE);
}

TEST(a_dry_run_notes_what_a_hard_limit_would_refuse)
{
    const struct limited memory = {TENANT_LIMIT_MAX_QUERY_BYTES, "/api/v1/query?query=sum(up)",
                                   1 << 20, 422, "memory"};
    struct fixture f;
    fixture_open(&f);
    uint64_t enough = find_boundary(&f, &memory);
    ask_limited(&f, &memory, 1 << 20);
    expect_noted(&f, TENANT_LIMIT_MAX_QUERY_BYTES, enough - 1, 1);
    expect_noted(&f, TENANT_LIMIT_MAX_QUERY_BYTES, enough, 0);
    expect_noted(&f, TENANT_LIMIT_MAX_QUERY_LEN, strlen("sum(up)") - 1, 1);
    expect_noted(&f, TENANT_LIMIT_MAX_QUERY_LEN, strlen("sum(up)"), 0);
    expect_noted(&f, TENANT_LIMIT_MAX_QUERY_SAMPLES, 1, 1);
    expect_noted(&f, TENANT_LIMIT_MAX_QUERY_SAMPLES, 2, 0);
    fixture_close(&f);
}

TEST(requests_that_run_or_wait_are_noted)
{
    struct fixture f;
    fixture_open(&f);
    struct tenant *tenant = tenant_table_find(store_tenants(f.box.store), STR("a"));
    for (size_t i = 0; i < 3; i++) {
        /* the request before is over a moment after its reply */
        while (counter_get(&tenant->open_queries) > 0)
            continue;
        expect_noted(&f, TENANT_LIMIT_MAX_CONCURRENT_QUERIES, i == 1 ? 0 : 1, i == 1 ? 1 : 0);
    }
    fixture_close(&f);
}

TEST_MAIN(RUN(every_endpoint_is_refused_with_a_byte_less_than_it_needs),
          RUN(who_holds_most_is_refused_and_others_are_answered),
          RUN(a_query_may_have_as_many_bytes_of_text_as_its_tenants_limit_says),
          RUN(a_query_may_load_as_many_samples_as_its_tenants_limit_says),
          RUN(a_query_may_take_as_much_memory_as_its_tenants_limit_says),
          RUN(a_query_may_take_less_time_than_its_tenants_limit_says),
          RUN(a_dry_run_notes_what_a_hard_limit_would_refuse),
          RUN(requests_that_run_or_wait_are_noted))
