/* The gate in front of a real server: who gets in where, and what he is granted. */
#include "server/credential.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/thread.h"
#include "http/server.h"
#include "server/backoff.h"
#include "tests/http/client.h"
#include "tests/support/test.h"

enum { CLOSE_TIMEOUT_MS = 30000 };

static struct {
    struct sim_clock clock; /* of the credentials */
    struct credentials *credentials;
    struct http_server *server;
    struct client client;
    struct mutex lock;
    struct cond has_held;
    struct exchange *held; /* guarded by lock */
} rig;

/* Says what the caller was granted. */
static void handle_grant(void *context, struct exchange *exchange)
{
    (void)context;
    const struct grant *grant = exchange_grant(exchange);
    if (grant == NULL)
        exchange_reply_text(exchange, 200, "everything");
    else
        exchange_reply_text(exchange, 200, "reads %s, writes %s",
                            grant->read.is_all             ? "all"
                            : grant->read.tenant_count > 0 ? grant->read.tenants[0].text
                                                           : "nothing",
                            grant->write.is_all             ? "all"
                            : grant->write.tenant_count > 0 ? grant->write.tenants[0].text
                                                            : "nothing");
}

static void handle_hold(void *context, struct exchange *exchange)
{
    (void)context;
    mutex_lock(&rig.lock);
    rig.held = exchange;
    cond_signal(&rig.has_held);
    mutex_unlock(&rig.lock);
}

static const struct route routes[] = {
    {.methods = HTTP_GET, .pattern = "/open", .handle = handle_grant, .access = ROUTE_OPEN},
    {.methods = HTTP_GET, .pattern = "/known", .handle = handle_grant, .access = ROUTE_KNOWN},
    {.methods = HTTP_GET, .pattern = "/read", .handle = handle_grant, .access = ROUTE_READ},
    {.methods = HTTP_GET | HTTP_POST,
     .pattern = "/write",
     .handle = handle_grant,
     .access = ROUTE_WRITE},
    {.methods = HTTP_GET, .pattern = "/operate", .handle = handle_grant, .access = ROUTE_OPERATOR},
    {.methods = HTTP_GET | HTTP_POST, .pattern = "/admin", .handle = handle_grant},
    {.methods = HTTP_POST,
     .pattern = "/read-by-post",
     .handle = handle_grant,
     .access = ROUTE_KNOWN},
    {.methods = HTTP_GET, .pattern = "/hold", .handle = handle_hold, .access = ROUTE_READ},
};

static struct credential make(const char *name, struct grant grant)
{
    /* the token is the name with an exclamation mark */
    char token[32];
    snprintf(token, sizeof token, "%s!", name);
    return (struct credential){.name = str_from(name),
                               .user = str_from(name),
                               .token = sha256_of(bytes_of_str(str_from(token))),
                               .grant = grant};
}

static const struct tenant_id tenant_a = {.len = 1, .text = "a"};

static void give_credentials(void)
{
    const struct scope all = {.is_all = true}, a = {.tenants = &tenant_a, .tenant_count = 1};
    struct credential list[] = {
        make("reader", (struct grant){.read = a}),
        make("writer", (struct grant){.write = a}),
        make("grafana", (struct grant){.read = all}),
        make("ops", (struct grant){.is_admin = true}),
        make("nobody", (struct grant){.is_admin = false}),
    };
    credentials_replace(rig.credentials, list, sizeof list / sizeof *list);
}

static int begin(void **state)
{
    (void)state;
    struct error err;
    memset(&rig, 0, sizeof rig);
    mutex_init(&rig.lock);
    cond_init(&rig.has_held);
    sim_clock_init(&rig.clock, 0);
    rig.credentials = credentials_new(&rig.clock.base);
    struct http_server_options options = {.listen = STR("127.0.0.1:0"),
                                          .thread_count = 2,
                                          .connections_max = 16,
                                          .idle_timeout_s = 60,
                                          .routes = routes,
                                          .route_count = sizeof routes / sizeof *routes,
                                          .clock = clock_real(),
                                          .gate = credentials_gate(rig.credentials)};
    expect_ok(http_server_open(&options, &rig.server, &err));
    client_open(&rig.client, http_server_port(rig.server));
    give_credentials();
    return 0;
}

static int end(void **state)
{
    (void)state;
    struct error err;
    client_close(&rig.client);
    expect_ok(http_server_close(rig.server, CLOSE_TIMEOUT_MS, &err));
    credentials_free(rig.credentials);
    cond_deinit(&rig.has_held);
    mutex_deinit(&rig.lock);
    return 0;
}

static struct reply ask(const char *path, const char *headers)
{
    char request[1000];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: croft\r\n%s\r\n", path, headers);
    return client_ask(&rig.client, request);
}

static void expect_reply(const char *path, const char *headers, unsigned code, const char *body)
{
    struct reply reply = ask(path, headers);
    if (reply.code != code)
        fail_msg("%s %s: got %u, want %u", path, headers, reply.code, code);
    if (body != NULL)
        expect_str(str_of_bytes(reply.body), body);
}

#define BEARER(token) "Authorization: Bearer " token "\r\n"

TEST(each_right_opens_its_routes_and_no_others)
{
    static const char *const paths[] = {"/open", "/known", "/read", "/write", "/operate", "/admin"};
    static const struct {
        const char *headers;
        unsigned codes[6]; /* one per path */
    } rows[] = {
        {"", {200, 401, 401, 401, 401, 401}},
        {BEARER("wrong"), {200, 401, 401, 401, 401, 401}},
        {BEARER("reader!"), {200, 200, 200, 403, 403, 403}},
        {BEARER("writer!"), {200, 200, 403, 200, 403, 403}},
        {BEARER("grafana!"), {200, 200, 200, 403, 200, 403}},
        {BEARER("ops!"), {200, 200, 403, 403, 200, 200}},
        {BEARER("nobody!"), {200, 200, 403, 403, 403, 403}},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        for (size_t p = 0; p < sizeof paths / sizeof *paths; p++)
            expect_reply(paths[p], rows[r].headers, rows[r].codes[p], NULL);
    }
    assert_int_equal(counter_get(&credentials_counters(rig.credentials)->unknown), 10);
    assert_int_equal(counter_get(&credentials_counters(rig.credentials)->denied), 14);
}

TEST(the_handler_sees_what_was_granted)
{
    expect_reply("/read", BEARER("reader!"), 200, "reads a, writes nothing\n");
    expect_reply("/read", BEARER("grafana!"), 200, "reads all, writes nothing\n");
    expect_reply("/write", BEARER("writer!"), 200, "reads nothing, writes a\n");
    expect_reply("/open", BEARER("writer!"), 200, "everything\n");
}

TEST(basic_auth_takes_the_token_as_password_of_the_right_user)
{
    /* grafana:grafana!  ops:grafana!  :grafana!  grafana:wrong */
    expect_reply("/read", "Authorization: Basic Z3JhZmFuYTpncmFmYW5hIQ==\r\n", 200, NULL);
    expect_reply("/read", "Authorization: Basic b3BzOmdyYWZhbmEh\r\n", 401, NULL);
    expect_reply("/read", "Authorization: Basic OmdyYWZhbmEh\r\n", 401, NULL);
    expect_reply("/read", "Authorization: Basic Z3JhZmFuYTp3cm9uZw==\r\n", 401, NULL);
}

TEST(a_refusal_says_how_to_ask_and_nothing_of_the_token)
{
    struct reply reply = ask("/read", "");
    assert_int_equal(reply.code, 401);
    assert_true(reply_has(&reply, "WWW-Authenticate: Bearer realm=\"croft\""));
    assert_true(reply_has(&reply, "WWW-Authenticate: Basic realm=\"croft\", charset=\"UTF-8\""));
    expect_str(str_of_bytes(reply.body),
               "{\"status\":\"error\",\"errorType\":\"unauthorized\",\"error\":\"Authorization: "
               "missing, want a bearer token or basic auth\"}");
    expect_reply("/read", BEARER("writer!"), 403,
                 "{\"status\":\"error\",\"errorType\":\"forbidden\",\"error\":\"credential "
                 "\\\"writer\\\" may not read any tenant\"}");
    expect_reply("/write", BEARER("guess"), 401, "no credential has this token\n");
    expect_reply("/write", BEARER("reader!"), 403,
                 "credential \"reader\" may not write any tenant\n");
}

TEST(two_headers_are_none)
{
    expect_reply("/read", BEARER("reader!") BEARER("reader!"), 401, NULL);
    expect_reply("/read", BEARER("reader!") BEARER("ops!"), 401, NULL);
    expect_reply("/read?token=reader!&access_token=reader!", "", 401, NULL);
    expect_reply("/read", "Authorization: reader!\r\n", 401, NULL);
    expect_reply("/read", "Authorization: Bearer\r\n", 401, NULL);
}

TEST(a_stranger_is_refused_before_his_body_is_read)
{
    struct reply reply =
        client_ask(&rig.client, "POST /write HTTP/1.1\r\nHost: croft\r\nContent-Length: "
                                "99999999\r\nExpect: 100-continue\r\n\r\n");
    assert_int_equal(reply.code, 401);
    assert_true(client_is_ended(&rig.client));
}

TEST(without_credentials_nobody_gets_in_until_it_is_open_to_all)
{
    credentials_replace(rig.credentials, NULL, 0);
    expect_reply("/read", BEARER("reader!"), 401, NULL);
    expect_reply("/open", "", 200, NULL);
    credentials_open_to_all(rig.credentials, false);
    expect_reply("/read", "", 200, "everything\n");
    expect_reply("/admin", BEARER("wrong"), 200, "everything\n");
}

TEST(open_to_all_may_be_only_under_names_that_lead_nowhere_else)
{
    credentials_open_to_all(rig.credentials, true);
    expect_reply("/read", "", 403, NULL); /* Host: croft */
    expect_reply("/admin", "", 403, NULL);
    expect_reply("/open", "", 200, NULL);
    struct reply reply = client_ask(&rig.client, "GET /read HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n");
    assert_int_equal(reply.code, 200);
}

static unsigned change(const char *path, const char *headers)
{
    char request[1000];
    snprintf(request, sizeof request,
             "POST %s HTTP/1.1\r\nHost: croft\r\n" BEARER("ops!") "%sContent-Length: 0\r\n\r\n",
             path, headers);
    return client_ask(&rig.client, request).code;
}

TEST(a_page_of_another_site_changes_nothing)
{
    assert_int_equal(change("/admin", ""), 200);
    assert_int_equal(change("/admin", "Origin: http://croft\r\n"), 200);
    assert_int_equal(change("/admin", "Origin: http://evil\r\n"), 403);
    assert_int_equal(change("/admin", "Sec-Fetch-Site: cross-site\r\n"), 403);
    assert_int_equal(change("/read-by-post", "Origin: http://evil\r\n"), 200);
    assert_int_equal(counter_get(&credentials_counters(rig.credentials)->foreign), 2);
    expect_reply("/admin", BEARER("ops!") "Origin: http://evil\r\n", 200, NULL);
}

TEST(too_many_wrong_tokens_are_429_and_right_ones_pass)
{
    for (int i = 0; i < BACKOFF_BURST; i++)
        expect_reply("/read", BEARER("wrong"), 401, NULL);
    struct reply reply = ask("/read", BEARER("wrong"));
    assert_int_equal(reply.code, 429);
    assert_true(reply_has(&reply, "Retry-After: 1\r\n"));
    reply = ask("/operate", BEARER("wrong"));
    assert_int_equal(reply.code, 429);
    assert_true(reply_has(&reply, "Retry-After: 1\r\n"));
    expect_reply("/read", BEARER("reader!"), 200, NULL);
    expect_reply("/read", "", 401, NULL); /* that was no guess */
    sim_clock_advance(&rig.clock, 1000);
    expect_reply("/read", BEARER("wrong"), 401, NULL);
    expect_reply("/read", BEARER("wrong"), 429, NULL);
    assert_int_equal(counter_get(&credentials_counters(rig.credentials)->slowed), 3);
}

TEST(a_revoked_token_is_refused_at_once_and_what_runs_ends_as_it_began)
{
    struct client other;
    client_open(&other, http_server_port(rig.server));
    client_send(&other, "GET /hold HTTP/1.1\r\nHost: croft\r\n" BEARER("reader!") "\r\n");
    mutex_lock(&rig.lock);
    while (rig.held == NULL)
        cond_wait(&rig.has_held, &rig.lock);
    mutex_unlock(&rig.lock);
    credentials_replace(rig.credentials, NULL, 0);
    expect_reply("/read", BEARER("reader!"), 401, NULL);
    /* its grant is still there, whatever has become of its credential */
    exchange_reply_text(rig.held, 200, "%s", exchange_grant(rig.held)->read.tenants[0].text);
    struct reply reply = client_read(&other, false);
    expect_str(str_of_bytes(reply.body), "a\n");
    client_close(&other);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_right_opens_its_routes_and_no_others),
        CASE(the_handler_sees_what_was_granted),
        CASE(basic_auth_takes_the_token_as_password_of_the_right_user),
        CASE(a_refusal_says_how_to_ask_and_nothing_of_the_token),
        CASE(two_headers_are_none),
        CASE(a_stranger_is_refused_before_his_body_is_read),
        CASE(without_credentials_nobody_gets_in_until_it_is_open_to_all),
        CASE(open_to_all_may_be_only_under_names_that_lead_nowhere_else),
        CASE(a_page_of_another_site_changes_nothing),
        CASE(too_many_wrong_tokens_are_429_and_right_ones_pass),
        CASE(a_revoked_token_is_refused_at_once_and_what_runs_ends_as_it_began),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
