#include "ingest/write_http.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/random.h"
#include "http/server.h"
#include "tests/http/client.h"
#include "tests/support/fake_store.h"
#include "tests/support/message.h"
#include "tests/support/test.h"

enum { CLOSE_TIMEOUT_MS = 30000, DECODED_MAX_BYTES = 1 << 20 };

#define TYPE     "Content-Type: application/x-protobuf\r\n"
#define ENCODING "Content-Encoding: snappy\r\n"
#define UP       "__name__=up,job=x"

/* A server that takes writes into a fake store, and one connection to it. */
static struct {
    struct store store;
    struct tenant_table *tenants;
    struct metadata *metadata;
    struct write_counters counters;
    struct refusal_pace pace;
    struct write_http http;
    struct route routes[WRITE_HTTP_ROUTE_COUNT];
    struct http_server *server;
    struct client client;
    struct buffer message;
} rig;

static void open_path(void)
{
    struct error err;
    struct tenant_table_options tenant_options = {
        .shard_count = 4, .tenants_max = 10, .default_tenant = STR("anonymous")};
    fake_store_init(&rig.store);
    expect_ok(tenant_table_open(&tenant_options, &rig.tenants, &err));
    rig.store.tenants = rig.tenants;
    rig.metadata = metadata_new(100);
    struct write_path_options options = {
        .store = &rig.store,
        .tenants = rig.tenants,
        .metadata = rig.metadata,
        .counters = &rig.counters,
        .scan = write_scan_options_default(),
        .decoded_max_bytes = DECODED_MAX_BYTES,
    };
    refusal_pace_init(&rig.pace, 1);
    rig.http = (struct write_http){.path = write_path_new(&options),
                                   .counters = &rig.counters,
                                   .crew = write_crew_open(clock_real(), 1),
                                   .pace = &rig.pace,
                                   .hold = write_hold_open(clock_real())};
}

static int begin(void **state)
{
    (void)state;
    struct error err;
    memset(&rig, 0, sizeof rig);
    open_path();
    write_http_routes(&rig.http, rig.routes);
    struct http_server_options options = {
        .listen = STR("127.0.0.1:0"),
        .thread_count = 2,
        .connections_max = 16,
        .idle_timeout_s = 60,
        .routes = rig.routes,
        .route_count = WRITE_HTTP_ROUTE_COUNT,
        .alias_prefix = STR("/prometheus"),
        .clock = clock_real(),
    };
    expect_ok(http_server_open(&options, &rig.server, &err));
    client_open(&rig.client, http_server_port(rig.server));
    buffer_init(&rig.message, SIZE_MAX);
    return 0;
}

static int end(void **state)
{
    (void)state;
    struct error err;
    client_close(&rig.client);
    expect_ok(http_server_close(rig.server, CLOSE_TIMEOUT_MS, &err));
    buffer_deinit(&rig.message);
    write_crew_close(rig.http.crew);
    write_hold_close(rig.http.hold);
    refusal_pace_deinit(&rig.pace);
    write_path_free(rig.http.path);
    metadata_free(rig.metadata);
    tenant_table_close(rig.tenants);
    fake_store_deinit(&rig.store);
    return 0;
}

static void send_request(const char *path, const char *headers, struct bytes body)
{
    struct buffer request;
    buffer_init(&request, SIZE_MAX);
    buffer_append_format(&request,
                         "POST %s HTTP/1.1\r\nHost: croft\r\n%sContent-Length: %zu\r\n\r\n", path,
                         headers, body.len);
    buffer_append(&request, body.ptr, body.len);
    client_send_bytes(&rig.client, request.ptr, request.len);
    buffer_deinit(&request);
}

/* Sends what lies in rig.message, compressed. */
static void send_message(const char *path, const char *headers)
{
    struct buffer body;
    buffer_init(&body, SIZE_MAX);
    message_compress(&body, buffer_bytes(&rig.message));
    send_request(path, headers, buffer_bytes(&body));
    buffer_deinit(&body);
}

static void add_series(const char *labels)
{
    struct sample sample = {1000, 1.5};
    message_add_series_text(&rig.message, labels, &sample, 1);
}

static void expect_reply(unsigned code, const char *text)
{
    struct reply reply = client_read(&rig.client, false);
    assert_int_equal(reply.code, code);
    expect_str(str_of_bytes(reply.body), text);
}

/* The connection may be ended by a refusal that leaves the body unread. */
static void reconnect(void)
{
    client_close(&rig.client);
    client_open(&rig.client, http_server_port(rig.server));
}

TEST(all_paths_take_a_write)
{
    static const char *const paths[] = {"/api/v1/push", "/api/v1/write", "/prometheus/api/v1/push",
                                        "/prometheus/api/v1/write"};
    add_series(UP);
    for (size_t i = 0; i < 4; i++) {
        send_message(paths[i], TYPE ENCODING "X-Prometheus-Remote-Write-Version: 0.1.0\r\n");
        expect_reply(204, "");
        assert_int_equal(rig.store.write_count, i + 1);
    }
    assert_int_equal(counter_get(&rig.counters.requests[WRITE_CODE_204]), 4);
}

TEST(headers_may_be_missing)
{
    add_series(UP);
    send_message("/api/v1/push", "");
    expect_reply(204, "");
    expect_str(buffer_str(&rig.store.written), "anonymous up{job=\"x\"} 1.5@1000\n");
}

TEST(what_is_refused_for_now_is_429_and_says_when_to_come_back)
{
    rig.store.refused_metric = "up";
    rig.store.refuses_for_now = true;
    add_series(UP);
    add_series("__name__=down");
    send_message("/api/v1/push", TYPE ENCODING);
    struct reply reply = client_read(&rig.client, false);
    assert_int_equal(reply.code, 429);
    assert_true(reply_has(&reply, "Retry-After: 2"));
    expect_str(str_of_bytes(reply.body), "1 of 2 samples were refused: 1 ingestion-rate "
                                         "(err-croft-ingestion-rate): too fast\n");
    assert_int_equal(counter_get(&rig.counters.requests[WRITE_CODE_429]), 1);
}

/* As if the sender, who names no tenant, had been refused for long. */
static void be_in_debt(void)
{
    uint32_t slot = payer_slot(STR(""));
    uint64_t wait_ns = refusal_pace_begin(&rig.pace, slot, UINT64_C(10000000000),
                                          clock_monotonic_ns(clock_real()));
    assert_int_equal(wait_ns, REFUSAL_PACE_WAIT_MAX_NS);
    refusal_pace_end(&rig.pace, slot);
}

TEST(who_is_refused_too_much_waits_for_the_answer)
{
    rig.store.refused_metric = "up";
    add_series(UP);
    be_in_debt();
    send_message("/api/v1/push", TYPE ENCODING);
    assert_int_equal(client_read(&rig.client, false).code, 400);
    assert_int_equal(counter_get(&rig.counters.held), 1);
}

TEST(what_is_taken_is_answered_at_once_whatever_was_refused_before)
{
    add_series(UP);
    be_in_debt();
    send_message("/api/v1/push", TYPE ENCODING);
    expect_reply(204, "");
    assert_int_equal(counter_get(&rig.counters.held), 0);
}

TEST(a_large_write_is_done_by_the_crew)
{
    struct random random;
    random_init_seeded(&random, 1);
    for (int i = 0; i < 4000; i++) {
        char labels[80];
        snprintf(labels, sizeof labels, "__name__=up,a=%016llx%016llx",
                 (unsigned long long)random_u64(&random), (unsigned long long)random_u64(&random));
        add_series(labels);
    }
    send_message("/api/v1/push", TYPE ENCODING);
    expect_reply(204, "");
    assert_int_equal(counter_get(&rig.counters.handed_over), 1);
    assert_int_equal(rig.store.write_count, 1);
}

TEST(an_empty_write_is_fine)
{
    send_request("/api/v1/push", TYPE ENCODING, (struct bytes){0});
    expect_reply(204, "");
    send_request("/api/v1/push", TYPE ENCODING, bytes_of_str((struct str){"\0", 1}));
    expect_reply(204, "");
    assert_int_equal(rig.store.write_count, 0);
}

static void expect_unsupported(const char *headers, const char *text)
{
    send_request("/api/v1/push", headers, bytes_of_str(STR("garbage")));
    expect_reply(415, text);
    reconnect();
}

TEST(what_is_no_write_is_refused_whatever_the_body_is)
{
#define WANT ", want application/x-protobuf, with proto=prometheus.WriteRequest or without\n"
    expect_unsupported("Content-Type: text/plain\r\n", "Content-Type: got text/plain" WANT);
    expect_unsupported("Content-Type: application/x-protobuf;proto=x.Y\r\n",
                       "Content-Type: got application/x-protobuf;proto=x.Y" WANT);
    expect_unsupported(TYPE "Content-Encoding: gzip\r\n",
                       "Content-Encoding: got gzip, want snappy\n");
    expect_unsupported("Content-Type: application/x-protobuf; "
                       "proto=io.prometheus.write.v2.Request\r\n" ENCODING,
                       "remote write 2.0: not supported yet, want remote write 1.0: Content-Type "
                       "application/x-protobuf;proto=prometheus.WriteRequest\n");
    expect_unsupported(TYPE TYPE, "Content-Type: sent 2 times, want at most once\n");
    expect_unsupported(TYPE ENCODING ENCODING,
                       "Content-Encoding: sent 2 times, want at most once\n");
    assert_int_equal(counter_get(&rig.counters.requests[WRITE_CODE_415]), 6);
    assert_int_equal(counter_get(&rig.counters.body_bytes), 0);
#undef WANT
}

TEST(only_post_is_a_write)
{
    struct reply reply =
        client_ask(&rig.client, "GET /api/v1/push HTTP/1.1\r\nHost: croft\r\n\r\n");
    assert_int_equal(reply.code, 405);
    assert_true(reply_has(&reply, "Allow: POST"));
}

TEST(the_tenant_header_decides)
{
    add_series(UP ",tenant_id=b");
    send_message("/api/v1/push", TYPE ENCODING "x-scope-orgid: a\r\n");
    expect_reply(204, "");
    expect_str(buffer_str(&rig.store.written), "a up{job=\"x\", tenant_id=\"b\"} 1.5@1000\n");
}

TEST(a_tenant_header_that_is_not_one_tenant_is_refused)
{
    add_series(UP);
    send_message("/api/v1/push", "X-Scope-OrgID: a|b\r\n");
    expect_reply(400, "X-Scope-OrgID: a write goes to one tenant, got a list of them\n");
    send_message("/api/v1/push", "X-Scope-OrgID: a\r\nX-Scope-OrgID: a\r\n");
    expect_reply(400, "X-Scope-OrgID: sent 2 times, want at most once\n");
    send_message("/api/v1/push", "X-Scope-OrgID: ../a\r\n");
    expect_reply(400, "X-Scope-OrgID: tenant id: want only 0-9 A-Z a-z ! - _ . * ' ( ), "
                      "got \"../a\"\n");
    send_message("/api/v1/push", "X-Scope-OrgID:\r\n");
    expect_reply(400, "X-Scope-OrgID: tenant id: empty, want 1 to 150 bytes\n");
    assert_int_equal(rig.store.write_count, 0);
}

TEST(a_partial_write_is_400_with_counts_and_the_rest_is_kept)
{
    add_series(UP);
    add_series(UP ",tenant_id=a/b");
    send_message("/api/v1/push", TYPE ENCODING);
    expect_reply(400, "1 of 2 samples were refused: 1 invalid-tenant (err-croft-invalid-tenant): "
                      "tenant id: want only 0-9 A-Z a-z ! - _ . * ' ( ), got \"a/b\"\n");
    expect_str(buffer_str(&rig.store.written), "anonymous up{job=\"x\"} 1.5@1000\n");
}

TEST(a_broken_body_is_400_and_a_large_one_413)
{
    send_request("/api/v1/push", TYPE ENCODING, bytes_of_str(STR("\x05garbage")));
    expect_reply(400, "snappy: the body is damaged, got 8 bytes\n");
    send_request("/api/v1/push", TYPE ENCODING, bytes_of_str(STR("\xff\xff\xff\xff\x0f")));
    expect_reply(413, "snappy: declared length too large, got 4294967295, want at most 1048576\n");
    client_send(&rig.client, "POST /api/v1/push HTTP/1.1\r\nHost: croft\r\n" TYPE ENCODING
                             "Content-Length: 33554433\r\n\r\n");
    assert_int_equal(client_read(&rig.client, false).code, 413);
}

TEST(the_reply_comes_when_the_write_is_durable)
{
    rig.store.is_deferred = true;
    add_series(UP);
    send_message("/api/v1/push", TYPE ENCODING);
    fake_store_commit(&rig.store, STATUS_OK);
    expect_reply(204, "");
    send_message("/api/v1/push", TYPE ENCODING);
    fake_store_commit(&rig.store, STATUS_UNAVAILABLE);
    struct reply reply = client_read(&rig.client, false);
    assert_int_equal(reply.code, 503);
    assert_true(reply_has(&reply, "Retry-After: 5"));
    expect_str(str_of_bytes(reply.body), "write: could not be made durable, try again\n");
}

TEST(a_store_that_takes_no_writes_is_503_with_a_time_to_retry)
{
    rig.store.answer = STATUS_UNAVAILABLE;
    add_series(UP);
    send_message("/api/v1/push", TYPE ENCODING);
    struct reply reply = client_read(&rig.client, false);
    assert_int_equal(reply.code, 503);
    assert_true(reply_has(&reply, "Retry-After: 5"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(all_paths_take_a_write),
        CASE(headers_may_be_missing),
        CASE(what_is_refused_for_now_is_429_and_says_when_to_come_back),
        CASE(who_is_refused_too_much_waits_for_the_answer),
        CASE(what_is_taken_is_answered_at_once_whatever_was_refused_before),
        CASE(a_large_write_is_done_by_the_crew),
        CASE(an_empty_write_is_fine),
        CASE(what_is_no_write_is_refused_whatever_the_body_is),
        CASE(only_post_is_a_write),
        CASE(the_tenant_header_decides),
        CASE(a_tenant_header_that_is_not_one_tenant_is_refused),
        CASE(a_partial_write_is_400_with_counts_and_the_rest_is_kept),
        CASE(a_broken_body_is_400_and_a_large_one_413),
        CASE(the_reply_comes_when_the_write_is_durable),
        CASE(a_store_that_takes_no_writes_is_503_with_a_time_to_retry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
