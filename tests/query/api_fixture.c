#include "tests/query/api_fixture.h"

#include <stdio.h>

#include "tests/support/test.h"

void put(struct fixture *f, const char *tenant, const char *series, int64_t ago_s, double value)
{
    box_put(&f->box, tenant, series, BOX_START_MS - ago_s * 1000, value);
}

static void open_api(struct fixture *f)
{
    struct error err;
    f->engine = (struct engine){.store = f->box.store,
                                .clock = &f->box.clock.base,
                                .lookback_ms = 300000,
                                .default_step_ms = 60000,
                                .samples_max = 1000,
                                .memory_max_bytes = 64 << 20};
    const struct lanes_options lanes = {.name = "query",
                                        .clock = &f->box.clock.base,
                                        .rules = {.lane_running_max = 1,
                                                  .lane_waiting_max = QUEUE_MAX,
                                                  .running_max = 2,
                                                  .crowd_max = 4}};
    f->api = (struct query_api){.engine = &f->engine,
                                .lanes = lanes_open(&lanes),
                                .turns = turns_new(&f->box.clock.base, 2),
                                .timeout_ms = 120000,
                                .series_max = SERIES_MAX};
    struct http_server_options options = {.listen = STR("127.0.0.1:0"),
                                          .thread_count = 1,
                                          .connections_max = 100,
                                          .idle_timeout_s = 60,
                                          .routes = f->routes,
                                          .route_count = query_api_routes(&f->api, f->routes),
                                          .alias_prefix = STR("/prometheus"),
                                          .clock = &f->box.clock.base};
    expect_ok(http_server_open(&options, &f->server, &err));
    client_open(&f->client, http_server_port(f->server));
}

void fixture_open(struct fixture *f)
{
    struct error err;
    store_box_init(&f->box, 1);
    expect_ok(store_box_open(&f->box, &err));
    put(f, "a", "up job=x", 30, 1);
    put(f, "a", "up job=y", 30, 0);
    put(f, "a", "c_total job=x", 90, 0);
    put(f, "a", "c_total job=x", 60, 30);
    put(f, "a", "c_total job=x", 30, 60);
    put(f, "b", "up job=x", 30, 1);
    put(f, "b", "up zone.id=z", 30, 5);
    open_api(f);
}

void fixture_close(struct fixture *f)
{
    struct error err;
    client_close(&f->client);
    expect_ok(http_server_close(f->server, CLOSE_TIMEOUT_MS, &err));
    lanes_close(f->api.lanes);
    turns_free(f->api.turns);
    store_box_deinit(&f->box);
}

struct reply ask(struct fixture *f, const char *method, const char *path, const char *headers,
                 const char *form)
{
    char request[4000];
    int len = snprintf(
        request, sizeof request, "%s %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n%s\r\n%s",
        method, path, headers, strlen(form),
        *form == '\0' ? "" : "Content-Type: application/x-www-form-urlencoded\r\n", form);
    assert_true(len > 0 && (size_t)len < sizeof request);
    return client_ask(&f->client, request);
}

void check_reply(const char *what, const struct reply *reply, unsigned code, const char *want)
{
    struct str body = str_of_bytes(reply->body);
    if (reply->code != code || !str_eq(body, str_from(want)))
        fail_msg("%s\ngot:  %u %.*s\nwant: %u %s", what, reply->code, STR_ARG(body), code, want);
    assert_true(reply_has(reply, "Content-Type: application/json\r\n"));
}

void expect_reply(struct fixture *f, const char *headers, const char *path, unsigned code,
                  const char *want)
{
    struct reply reply = ask(f, "GET", path, headers, "");
    check_reply(path, &reply, code, want);
}
