/* Requests that wait for others of their tenant, and who pays for those that ran. */
#include "tests/support/test.h"

#include "base/thread.h"
#include "tests/query/api_fixture.h"

/* Runs in a lane until it may end. */
struct hold {
    struct lanes_job job;
    struct mutex lock;
    struct cond has_changed;
    bool is_running; /* guarded by lock */
    bool is_over;    /* guarded by lock */
};

static void run_hold(struct lanes_job *job)
{
    struct hold *hold = (struct hold *)job;
    mutex_lock(&hold->lock);
    hold->is_running = true;
    cond_broadcast(&hold->has_changed);
    while (!hold->is_over)
        cond_wait(&hold->has_changed, &hold->lock);
    hold->is_running = false;
    cond_broadcast(&hold->has_changed);
    mutex_unlock(&hold->lock);
}

static void hold_wait(struct hold *hold, bool is_running)
{
    mutex_lock(&hold->lock);
    while (hold->is_running != is_running)
        cond_wait(&hold->has_changed, &hold->lock);
    mutex_unlock(&hold->lock);
}

static void hold_begin(struct hold *hold, struct lanes *lanes, struct str lane)
{
    *hold = (struct hold){.job.run = run_hold};
    mutex_init(&hold->lock);
    cond_init(&hold->has_changed);
    assert_true(lanes_try_submit(lanes, &hold->job, lane));
    hold_wait(hold, true);
}

/* The lane of those who read all tenants. */
#define LANE_OF_ALL STR("|")

static void hold_end(struct hold *hold)
{
    mutex_lock(&hold->lock);
    hold->is_over = true;
    cond_broadcast(&hold->has_changed);
    mutex_unlock(&hold->lock);
    hold_wait(hold, false);
    cond_deinit(&hold->has_changed);
    mutex_deinit(&hold->lock);
}

static void ask_in_lane(struct fixture *f, struct client *waiting, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        client_open(&waiting[i], http_server_port(f->server));
        client_send(&waiting[i], "GET /api/v1/query?query=1&time=1 HTTP/1.1\r\nHost: x\r\n\r\n");
        while (lanes_waiting_count(f->api.lanes) <= i)
            ;
    }
}

TEST(a_request_that_finds_its_lane_full_is_429_and_other_lanes_go_on)
{
    struct fixture f;
    struct hold hold;
    struct client waiting[QUEUE_MAX];
    fixture_open(&f);
    hold_begin(&hold, f.api.lanes, LANE_OF_ALL);
    ask_in_lane(&f, waiting, QUEUE_MAX);
    struct reply reply = ask(&f, "GET", "/api/v1/labels", "", "");
    check_reply("one too many", &reply, 429,
                FAILURE("too_many_requests",
                        "too many outstanding requests: as many of the same tenant wait as may, "
                        "try again later (err-croft-query-queue)"));
    assert_true(reply_has(&reply, "Retry-After: 1\r\n"));
    assert_int_equal(counter_get(&f.api.counters.refused), 1);
    expect_reply(&f, "X-Scope-OrgID: a\r\n", "/api/v1/query?query=1&time=1", 200,
                 DATA("{\"resultType\":\"scalar\",\"result\":[1,\"1\"]}"));
    hold_end(&hold);
    for (size_t i = 0; i < QUEUE_MAX; i++) {
        reply = client_read(&waiting[i], false);
        check_reply("waited", &reply, 200,
                    DATA("{\"resultType\":\"scalar\",\"result\":[1,\"1\"]}"));
        client_close(&waiting[i]);
    }
    fixture_close(&f);
}

TEST(a_request_waits_for_others_of_its_tenant_until_its_own_timeout)
{
    static const char impatient_request[] =
        "GET /api/v1/query?query=up&timeout=90 HTTP/1.1\r\nHost: x\r\n\r\n";
    struct fixture f;
    struct hold hold;
    struct client patient, impatient;
    fixture_open(&f);
    hold_begin(&hold, f.api.lanes, LANE_OF_ALL);
    ask_in_lane(&f, &patient, 1); /* comes first, so it would be refused first */
    client_open(&impatient, http_server_port(f.server));
    client_send(&impatient, impatient_request);
    while (lanes_waiting_count(f.api.lanes) < 2)
        ;
    sim_clock_advance(&f.box.clock, 90000);
    struct reply reply = client_read(&impatient, false);
    check_reply("waited in vain", &reply, 503,
                FAILURE("timeout",
                        "query timed out in query queue: others of the same tenant ran, as many "
                        "as limit max_concurrent_queries lets (err-croft-max-concurrent-queries)"));
    assert_true(reply_has(&reply, "Retry-After: 1\r\n"));
    hold_end(&hold);
    reply = client_read(&patient, false);
    check_reply("waited", &reply, 200, DATA("{\"resultType\":\"scalar\",\"result\":[1,\"1\"]}"));
    client_close(&impatient);
    client_close(&patient);
    fixture_close(&f);
}

static void open_wide_lanes(struct fixture *f)
{
    const struct lanes_options options = {.name = "query",
                                          .clock = &f->box.clock.base,
                                          .rules = {.lane_running_max = 8,
                                                    .lane_waiting_max = QUEUE_MAX,
                                                    .running_max = 8,
                                                    .crowd_max = 8}};
    lanes_close(f->api.lanes);
    f->api.lanes = lanes_open(&options);
}

static void set_concurrency(struct fixture *f, uint64_t max)
{
    struct tenant_limits limits = tenant_limits_default();
    limits.max[LIMIT_HARD][TENANT_LIMIT_MAX_CONCURRENT_QUERIES] = max;
    tenant_table_set_limits(store_tenants(f->box.store), &limits, NULL, NULL, 0);
}

TEST(requests_of_a_tenant_run_as_many_at_a_time_as_its_limit_says)
{
    static const char request[] =
        "GET /api/v1/query?query=1&time=1 HTTP/1.1\r\nHost: x\r\n" TENANT_A "\r\n";
    struct fixture f;
    struct hold holds[2];
    struct client client;
    fixture_open(&f);
    open_wide_lanes(&f);
    for (size_t i = 0; i < 2; i++)
        hold_begin(&holds[i], f.api.lanes, STR("a"));
    set_concurrency(&f, 3);
    assert_int_equal(ask(&f, "GET", "/api/v1/query?query=1&time=1", TENANT_A, "").code, 200);
    for (uint64_t max = 1; max <= 2; max++) {
        set_concurrency(&f, max);
        client_open(&client, http_server_port(f.server));
        client_send(&client, request);
        while (lanes_waiting_count(f.api.lanes) == 0)
            ;
        client_close(&client);
        while (lanes_waiting_count(f.api.lanes) > 0)
            ;
        /* who is gone while it waits is refused */
        assert_int_equal(counter_get(&f.api.counters.refused), max);
    }
    for (size_t i = 0; i < 2; i++)
        hold_end(&holds[i]);
    fixture_close(&f);
}

TEST(processor_time_is_counted_for_the_tenant_that_was_read)
{
    struct fixture f;
    fixture_open(&f);
    const char *path = "/api/v1/query?query=count(up)";
    struct tenant_table *tenants = store_tenants(f.box.store);
    const struct counter *a_ns = &tenant_table_find(tenants, STR("a"))->query_cpu_ns;
    const struct counter *b_ns = &tenant_table_find(tenants, STR("b"))->query_cpu_ns;
    expect_reply(&f, "", path, 200, VECTOR("{\"metric\":{},\"value\":[1700000000,\"4\"]}"));
    expect_reply(&f, "X-Scope-OrgID: nobody\r\n", path, 200, VECTOR(""));
    expect_reply(&f, "X-Scope-OrgID: a\r\n", path, 200,
                 VECTOR("{\"metric\":{},\"value\":[1700000000,\"2\"]}"));
    while (lanes_running_count(f.api.lanes) > 0)
        ; /* the reply came first */
    assert_true(counter_get(a_ns) > 0);
    assert_int_equal(counter_get(b_ns), 0);
    assert_true(counter_get(turns_cpu_ns(f.api.turns)) > counter_get(a_ns));
    fixture_close(&f);
}

TEST_MAIN(RUN(a_request_that_finds_its_lane_full_is_429_and_other_lanes_go_on),
          RUN(a_request_waits_for_others_of_its_tenant_until_its_own_timeout),
          RUN(requests_of_a_tenant_run_as_many_at_a_time_as_its_limit_says),
          RUN(processor_time_is_counted_for_the_tenant_that_was_read))
