#include "http/server.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "tests/http/client.h"
#include "tests/http/fixture.h"
#include "tests/support/test.h"

#define HOST        "Host: croft\r\n"
#define GET(target) "GET " target " HTTP/1.1\r\n" HOST "\r\n"

static struct fixture fixture;
static struct client client;

static int begin(void **state)
{
    (void)state;
    fixture_open(&fixture);
    client_open(&client, fixture.port);
    return 0;
}

static int end(void **state)
{
    (void)state;
    client_close(&client);
    fixture_close(&fixture);
    return 0;
}

static struct str body_of(struct reply reply)
{
    return str_of_bytes(reply.body);
}

/* Sends `request` on the open connection and compares the reply. */
static void expect_reply(const char *request, unsigned code, const char *body)
{
    struct reply reply = client_ask(&client, request);
    assert_int_equal(reply.code, code);
    if (body != NULL)
        expect_str(body_of(reply), body);
}

TEST(one_connection_carries_many_requests)
{
    for (int count = 0; count < 50; count++) {
        expect_reply(GET("/api/v1/label/job/values"), 200, "job");
        expect_reply("POST /api/v1/push HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 204, "");
        expect_reply(GET("/nowhere"), 404, "404 page not found\n");
    }
    const struct http_server_counters *counters = http_server_counters(fixture.server);
    assert_int_equal(counter_get(&counters->requests), 100);
    assert_int_equal(counter_get(&counters->refused), 50);
    assert_int_equal(counter_get(&counters->replies[2]), 100);
    assert_int_equal(counter_get(&counters->replies[4]), 50);
}

TEST(pipelined_requests_are_answered_in_order)
{
    client_send(&client, GET("/api/v1/label/a/values") GET("/nowhere") GET("/api/v1/late"));
    client_send(&client, "POST /api/v1/echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi");
    client_send(&client, GET("/api/v1/label/b/values"));
    expect_str(body_of(client_read(&client, false)), "a");
    assert_int_equal(client_read(&client, false).code, 404);
    desk_wait(&fixture.desk, 1);
    exchange_reply_text(desk_take(&fixture.desk), 200, "late");
    expect_str(body_of(client_read(&client, false)), "late\n");
    expect_str(body_of(client_read(&client, false)), "method=2 a=none body=hi");
    expect_str(body_of(client_read(&client, false)), "b");
}

TEST(form_and_url_are_merged_and_the_form_wins)
{
    expect_reply("POST /api/v1/echo?a=url&match[]=u%2B&x HTTP/1.1\r\n" HOST
                 "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"
                 "Content-Length: 32\r\n\r\na=form+1&match[]=f1&match%5b]=f2",
                 200, "method=2 a=form 1 match=f1 match=f2 match=u+ body=");
    expect_reply("POST /api/v1/echo?a=url HTTP/1.1\r\n" HOST
                 "Content-Type: text/plain\r\nContent-Length: 6\r\n\r\na=form",
                 200, "method=2 a=url body=a=form");
    expect_reply("POST /api/v1/echo?a=b+c%3D HTTP/1.1\r\n" HOST
                 "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n\r\n",
                 200, "method=2 a=b c= body=");
    expect_reply(GET("/api/v1/echo?&&a"), 200, "method=1 a= body=");
    expect_reply(GET("/api/v1/echo?a=%zz"), 400,
                 "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parameters: bad "
                 "percent escape, want %XX\"}");
    expect_reply(GET("/api/v1/label/%zz/values"), 400, "path: bad percent escape, want %XX\n");
}

TEST(a_chunked_body_arrives_whole)
{
    expect_reply("POST /api/v1/echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                 "3\r\nabc\r\n0a\r\n0123456789\r\n0\r\n\r\n",
                 200, "method=2 a=none body=abc0123456789");
    expect_reply(GET("/api/v1/label/next/values"), 200, "next");
}

TEST(a_body_over_the_limit_is_answered_413)
{
    /* announced and small: read and forgotten, the connection lives */
    struct buffer request;
    buffer_init(&request, 1 << 20);
    buffer_append_format(&request,
                         "POST /api/v1/push HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n",
                         PUSH_BYTES_MAX + 1);
    memset(buffer_reserve(&request, PUSH_BYTES_MAX + 1), 'x', PUSH_BYTES_MAX + 1);
    request.len += PUSH_BYTES_MAX + 1;
    client_send_bytes(&client, request.ptr, request.len);
    assert_int_equal(client_read(&client, false).code, 413);
    expect_reply(GET("/api/v1/label/next/values"), 200, "next");
    buffer_deinit(&request);
    /* announced and large: answered before a byte of it has come */
    struct reply reply = client_ask(&client, "POST /api/v1/push HTTP/1.1\r\n" HOST
                                             "Content-Length: 99999999999\r\n\r\n");
    assert_int_equal(reply.code, 413);
    assert_true(reply_has(&reply, "Connection: close"));
    assert_true(client_is_ended(&client));
}

TEST(a_chunked_body_over_the_limit_is_answered_413_at_its_end)
{
    client_send(&client,
                "POST /api/v1/push HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    char chunk[1024];
    memset(chunk, 'x', sizeof chunk);
    for (int count = 0; count < PUSH_BYTES_MAX / 1024 + 2; count++) {
        client_send(&client, "400\r\n");
        client_send_bytes(&client, chunk, sizeof chunk);
        client_send(&client, "\r\n");
    }
    client_send(&client, "0\r\n\r\n");
    assert_int_equal(client_read(&client, false).code, 413);
    expect_reply(GET("/api/v1/label/next/values"), 200, "next");
}

TEST(a_body_at_the_limit_is_taken)
{
    char body[PUSH_BYTES_MAX], head[128];
    memset(body, 'x', sizeof body);
    snprintf(head, sizeof head, "POST /api/v1/push HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n",
             sizeof body);
    client_send(&client, head);
    client_send_bytes(&client, body, sizeof body);
    assert_int_equal(client_read(&client, false).code, 204);
}

TEST(admission_is_decided_before_the_body)
{
    struct reply reply = client_ask(&client, "POST /api/v1/guarded HTTP/1.1\r\n" HOST
                                             "Content-Length: 5\r\n\r\nhello");
    assert_int_equal(reply.code, 401);
    assert_true(reply_has(&reply, "WWW-Authenticate: Bearer\r\n"));
    expect_reply("POST /api/v1/guarded HTTP/1.1\r\n" HOST
                 "Key: right\r\nContent-Length: 5\r\n\r\nhello",
                 204, "");
    reply = client_ask(&client, "POST /api/v1/guarded HTTP/1.1\r\n" HOST
                                "Expect: 100-continue\r\nContent-Length: 500000\r\n\r\n");
    assert_int_equal(reply.code, 401); /* and no 100 before it */
    assert_true(client_is_ended(&client));
}

TEST(an_expected_100_continue_is_sent)
{
    struct reply reply = client_ask(&client, "POST /api/v1/push HTTP/1.1\r\n" HOST
                                             "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_int_equal(reply.code, 100);
    client_send(&client, "hi");
    assert_int_equal(client_read(&client, false).code, 204);
}

TEST(a_wrong_method_is_answered_405_with_allow)
{
    struct reply reply = client_ask(&client, GET("/api/v1/push"));
    assert_int_equal(reply.code, 405);
    assert_true(reply_has(&reply, "Allow: POST, OPTIONS\r\n"));
    reply = client_ask(&client, "DELETE /big HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(reply.code, 405);
    assert_true(reply_has(&reply, "Allow: GET, HEAD\r\n"));
    reply = client_ask(&client, "BREW /api/v1/echo HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(reply.code, 405);
    assert_true(reply_has(&reply, "Allow: GET, HEAD, POST, OPTIONS\r\n"));
    expect_reply("BREW /nowhere HTTP/1.1\r\n" HOST "\r\n", 404, NULL);
    expect_reply("OPTIONS /big HTTP/1.1\r\n" HOST "\r\n", 405, NULL);
}

TEST(head_is_get_without_the_body)
{
    struct reply reply = client_ask(&client, "HEAD /big?size=12 HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(reply.code, 200);
    assert_true(reply_has(&reply, "Content-Length: 12\r\n"));
    expect_reply(GET("/api/v1/label/next/values"), 200, "next");
}

TEST(options_below_api_are_answered_for_the_routes)
{
    struct reply reply = client_ask(&client, "OPTIONS /api/v1/echo HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(reply.code, 204);
    assert_true(reply_has(&reply, "Access-Control-Allow-Methods: GET, POST, OPTIONS\r\n"));
    assert_true(reply_has(&reply, "Access-Control-Allow-Headers: Accept, Authorization, "
                                  "Content-Type, Origin\r\n"));
    assert_true(reply_has(&reply, "Access-Control-Expose-Headers: Date\r\n"));
    assert_false(reply_has(&reply, "Access-Control-Allow-Origin"));
    expect_reply("OPTIONS /prometheus/api/v1/echo HTTP/1.1\r\n" HOST "\r\n", 204, NULL);
    expect_reply("OPTIONS /api/v1/nowhere HTTP/1.1\r\n" HOST "\r\n", 404, NULL);
}

TEST(a_configured_origin_is_let_in)
{
    struct fixture open;
    fixture_open_with(&open, (struct http_server_options){.cors_origin = "*"});
    struct client browser;
    client_open(&browser, open.port);
    struct reply reply = client_ask(&browser, "OPTIONS /api/v1/echo HTTP/1.1\r\n" HOST "\r\n");
    assert_true(reply_has(&reply, "Access-Control-Allow-Origin: *\r\n"));
    reply = client_ask(&browser, GET("/api/v1/echo"));
    assert_true(reply_has(&reply, "Access-Control-Allow-Origin: *\r\n"));
    client_close(&browser);
    fixture_close(&open);
}

TEST(a_large_reply_is_compressed_when_asked)
{
    enum { SIZE = 100000 };
    struct reply reply = client_ask(&client, "GET /big?size=100000 HTTP/1.1\r\n" HOST
                                             "Accept-Encoding: br, gzip\r\n\r\n");
    assert_int_equal(reply.code, 200);
    assert_true(reply_has(&reply, "Content-Encoding: gzip\r\n"));
    assert_true(reply_has(&reply, "Vary: Accept-Encoding, Origin\r\n"));
    uint8_t *plain = mem_alloc(SIZE + 1);
    z_stream stream = {.next_in = (z_const Bytef *)reply.body.ptr,
                       .avail_in = (uInt)reply.body.len,
                       .next_out = plain,
                       .avail_out = SIZE + 1};
    inflateInit2(&stream, 15 + 16);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, SIZE);
    inflateEnd(&stream);
    mem_free(plain);
    reply = client_ask(&client, GET("/big?size=100000"));
    assert_int_equal(reply.body.len, SIZE);
    assert_false(reply_has(&reply, "Content-Encoding"));
    assert_true(reply_has(&reply, "Vary: Accept-Encoding, Origin\r\n"));
    reply =
        client_ask(&client, "GET /big?size=1000 HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n");
    assert_false(reply_has(&reply, "Content-Encoding"));
}

TEST(a_line_break_cannot_split_the_reply)
{
    struct reply reply = client_ask(&client, GET("/big?size=1&x=a%0d%0aSet-Cookie:%20b"));
    assert_int_equal(reply.code, 200);
    assert_false(reply_has(&reply, "Set-Cookie"));
}

TEST(a_quick_route_answers_while_two_hundred_exchanges_wait)
{
    enum { COUNT = 200 };
    static struct client waiting[COUNT];
    for (size_t index = 0; index < COUNT; index++) {
        client_open(&waiting[index], fixture.port);
        client_send(&waiting[index], GET("/api/v1/late"));
    }
    desk_wait(&fixture.desk, COUNT);
    expect_reply(GET("/api/v1/label/quick/values"), 200, "quick");
    for (size_t index = 0; index < COUNT; index++)
        exchange_reply_text(desk_take(&fixture.desk), 200, "late");
    for (size_t index = 0; index < COUNT; index++) {
        expect_str(body_of(client_read(&waiting[index], false)), "late\n");
        client_close(&waiting[index]);
    }
}

enum { RACE_ROUNDS = 4000, RACE_DELAYS = 100 };

/* Takes an exchange without sleeping, so that its handler may not have returned yet. */
static struct exchange *snatch(struct desk *desk)
{
    struct exchange *exchange = NULL;
    while (exchange == NULL) {
        mutex_lock(&desk->lock);
        if (desk->count > 0)
            exchange = desk->exchanges[--desk->count];
        mutex_unlock(&desk->lock);
    }
    return exchange;
}

/* Replies after a different tiny delay each time: before, while and after the connection
   suspends. */
static void run_replier(void *context)
{
    for (int round = 0; round < RACE_ROUNDS; round++) {
        struct exchange *exchange = snatch(context);
        for (volatile int delay = round % RACE_DELAYS * 10; delay > 0; delay--)
            continue;
        if (round % 2 == 0)
            exchange_reply_empty(exchange);
        else
            exchange_reply_text(exchange, 200, "late");
    }
}

TEST(a_reply_may_race_with_the_end_of_the_handler)
{
    struct thread replier = {0};
    thread_start(&replier, "replier", run_replier, &fixture.desk);
    for (int round = 0; round < RACE_ROUNDS; round++)
        expect_reply(GET("/api/v1/late"), round % 2 == 0 ? 204 : 200, NULL);
    thread_join(&replier);
}

TEST(a_client_that_has_gone_is_noticed)
{
    struct client leaver;
    client_open(&leaver, fixture.port);
    client_send(&leaver, GET("/api/v1/late"));
    desk_wait(&fixture.desk, 1);
    struct exchange *exchange = desk_take(&fixture.desk);
    assert_false(exchange_is_abandoned(exchange));
    client_send(&leaver, GET("/big?size=1")); /* pipelined: still there */
    assert_false(exchange_is_abandoned(exchange));
    client_close(&leaver);
    for (int tries = 0; tries < 10000 && !exchange_is_abandoned(exchange); tries++)
        usleep(1000);
    assert_true(exchange_is_abandoned(exchange));
    exchange_reply_text(exchange, 200, "to nobody");
    expect_reply(GET("/api/v1/label/next/values"), 200, "next");
}

TEST(a_reset_in_the_middle_of_a_large_reply_harms_nobody)
{
    for (int count = 0; count < 5; count++) {
        struct client leaver;
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        client_open(&leaver, fixture.port);
        setsockopt(leaver.socket, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        client_send(&leaver, GET("/big?size=20000000"));
        uint8_t some[1000];
        assert_true(recv(leaver.socket, some, sizeof some, 0) > 0);
        client_close(&leaver);
    }
    expect_reply(GET("/api/v1/label/next/values"), 200, "next");
}

TEST(a_suspended_connection_outlives_the_idle_timeout)
{
    struct fixture hasty;
    struct client waiting, idle;
    fixture_open_with(&hasty, (struct http_server_options){.idle_timeout_s = 1});
    client_open(&waiting, hasty.port);
    client_open(&idle, hasty.port);
    client_send(&waiting, GET("/api/v1/late"));
    desk_wait(&hasty.desk, 1);
    assert_true(client_is_ended(&idle)); /* the timeout has passed */
    exchange_reply_text(desk_take(&hasty.desk), 200, "late");
    expect_str(body_of(client_read(&waiting, false)), "late\n");
    client_close(&waiting);
    client_close(&idle);
    fixture_close(&hasty);
}

TEST(a_draining_server_finishes_what_it_has_and_takes_nothing_new)
{
    struct fixture draining;
    struct client waiting, idle;
    struct error err;
    fixture_open(&draining);
    client_open(&waiting, draining.port);
    client_open(&idle, draining.port);
    client_ask(&idle, GET("/api/v1/label/a/values"));
    client_send(&waiting, GET("/api/v1/late"));
    desk_wait(&draining.desk, 1);
    http_server_drain(draining.server);
    struct reply reply = client_ask(&idle, GET("/api/v1/label/b/values"));
    expect_str(body_of(reply), "b");
    assert_true(reply_has(&reply, "Connection: close"));
    assert_true(client_is_ended(&idle));
    expect_status(http_server_close(draining.server, 1, &err), STATUS_TIMEOUT);
    exchange_reply_empty(desk_take(&draining.desk));
    reply = client_read(&waiting, false);
    assert_int_equal(reply.code, 204);
    assert_true(reply_has(&reply, "Connection: close"));
    client_close(&waiting);
    client_close(&idle);
    fixture_close(&draining);
}

TEST(a_drained_server_has_no_listening_socket)
{
    struct fixture draining;
    fixture_open(&draining);
    http_server_drain(draining.server);
    struct http_server_options options = {.listen = STR("127.0.0.1:0"),
                                          .thread_count = 1,
                                          .connections_max = 1,
                                          .clock = clock_real()};
    char text[32];
    snprintf(text, sizeof text, "127.0.0.1:%u", draining.port);
    options.listen = str_from(text);
    struct http_server *next;
    struct error err;
    expect_ok(http_server_open(&options, &next, &err));
    expect_ok(http_server_close(next, 1000, &err));
    fixture_close(&draining);
}

static void expect_listen(const char *address, enum status want)
{
    struct http_server *server = NULL;
    struct error err;
    struct http_server_options options = {.listen = str_from(address),
                                          .thread_count = 1,
                                          .connections_max = 1,
                                          .clock = clock_real()};
    expect_status(http_server_open(&options, &server, &err), want);
    if (want == STATUS_OK) {
        assert_int_not_equal(http_server_port(server), 0);
        expect_ok(http_server_close(server, 1000, &err));
    }
}

TEST(a_listen_address_is_host_and_port)
{
    expect_listen("127.0.0.1:0", STATUS_OK);
    expect_listen("localhost:0", STATUS_OK);
    expect_listen(":0", STATUS_OK);
    expect_listen("", STATUS_INVALID);
    expect_listen("9009", STATUS_INVALID);
    expect_listen("127.0.0.1", STATUS_INVALID);
    expect_listen("127.0.0.1:", STATUS_INVALID);
    expect_listen("127.0.0.1:http", STATUS_INVALID);
    expect_listen("127.0.0.1:65536", STATUS_INVALID);
    expect_listen("127.0.0.1:-1", STATUS_INVALID);
    expect_listen("::1:9009", STATUS_INVALID);
    expect_listen("[::1]", STATUS_INVALID);
    expect_listen("[127.0.0.1]:0", STATUS_INVALID);
    expect_listen("192.0.2.1:0", STATUS_UNAVAILABLE); /* nobody's address (RFC 5737) */
    char taken[32];
    snprintf(taken, sizeof taken, "127.0.0.1:%u", fixture.port);
    expect_listen(taken, STATUS_UNAVAILABLE);
}

TEST(connections_beyond_the_limit_are_closed)
{
    struct fixture small;
    struct client first, second, third;
    fixture_open_with(&small, (struct http_server_options){.connections_per_ip_max = 2});
    client_open(&first, small.port);
    client_open(&second, small.port);
    assert_int_equal(client_ask(&first, GET("/api/v1/label/a/values")).code, 200);
    assert_int_equal(client_ask(&second, GET("/api/v1/label/a/values")).code, 200);
    client_open(&third, small.port);
    assert_true(client_is_ended(&third));
    assert_int_equal(client_ask(&first, GET("/api/v1/label/a/values")).code, 200);
    client_close(&first);
    client_close(&second);
    client_close(&third);
    fixture_close(&small);
}

/* Many at once, for all of them are accepted before the first has been seen to by its thread. */
TEST(a_crowd_at_the_limit_harms_nobody)
{
    enum { CROWD = 200, CONNECTIONS_MAX = 4 };
    static struct client crowd[CROWD];
    struct fixture small;
    struct client first, later;
    fixture_open_with(&small, (struct http_server_options){.connections_max = CONNECTIONS_MAX});
    client_open(&first, small.port);
    assert_int_equal(client_ask(&first, GET("/api/v1/label/a/values")).code, 200);
    for (size_t i = 0; i < CROWD; i++)
        client_open(&crowd[i], small.port);
    for (size_t i = CONNECTIONS_MAX - 1; i < CROWD; i++)
        assert_true(client_is_ended(&crowd[i]));
    for (size_t i = 0; i < CONNECTIONS_MAX - 1; i++)
        assert_int_equal(client_ask(&crowd[i], GET("/api/v1/label/a/values")).code, 200);
    assert_int_equal(client_ask(&first, GET("/api/v1/label/a/values")).code, 200);
    for (size_t i = 0; i < CROWD; i++)
        client_close(&crowd[i]);
    while (counter_get(&http_server_counters(small.server)->connections) > 1)
        usleep(1000);
    client_open(&later, small.port);
    assert_int_equal(client_ask(&later, GET("/api/v1/label/a/values")).code, 200);
    client_close(&later);
    client_close(&first);
    fixture_close(&small);
}

TEST(who_takes_long_is_asked_to_end_when_the_server_does)
{
    struct fixture ending;
    struct client waiting;
    struct error err;
    fixture_open(&ending);
    client_open(&waiting, ending.port);
    client_send(&waiting, GET("/api/v1/late"));
    desk_wait(&ending.desk, 1);
    struct exchange *exchange = desk_take(&ending.desk);
    http_server_drain(ending.server);
    assert_false(exchange_is_abandoned(exchange));
    expect_status(http_server_close(ending.server, 1, &err), STATUS_TIMEOUT);
    assert_true(exchange_is_abandoned(exchange));
    exchange_reply_empty(exchange);
    assert_int_equal(client_read(&waiting, false).code, 204);
    client_close(&waiting);
    fixture_close(&ending);
}

TEST(without_descriptors_callers_wait_and_are_served_later)
{
    struct rlimit before, one_more;
    struct client waiting;
    expect_reply(GET("/api/v1/label/a/values"), 200, "a");
    int lowest_free = dup(client.socket);
    close(lowest_free);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    one_more = before;
    one_more.rlim_cur = (rlim_t)lowest_free + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &one_more), 0);
    client_open(&waiting, fixture.port); /* takes the last one: the server cannot accept */
    client_send(&waiting, GET("/api/v1/label/b/values"));
    expect_reply(GET("/api/v1/label/a/values"), 200, "a");
    assert_int_equal(recv(waiting.socket, &(char){0}, 1, MSG_DONTWAIT), -1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    expect_str(body_of(client_read(&waiting, false)), "b");
    client_close(&waiting);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_connection_carries_many_requests),
        CASE(pipelined_requests_are_answered_in_order),
        CASE(form_and_url_are_merged_and_the_form_wins),
        CASE(a_chunked_body_arrives_whole),
        CASE(a_body_over_the_limit_is_answered_413),
        CASE(a_chunked_body_over_the_limit_is_answered_413_at_its_end),
        CASE(a_body_at_the_limit_is_taken),
        CASE(admission_is_decided_before_the_body),
        CASE(an_expected_100_continue_is_sent),
        CASE(a_wrong_method_is_answered_405_with_allow),
        CASE(head_is_get_without_the_body),
        CASE(options_below_api_are_answered_for_the_routes),
        CASE(a_configured_origin_is_let_in),
        CASE(a_large_reply_is_compressed_when_asked),
        CASE(a_line_break_cannot_split_the_reply),
        CASE(a_quick_route_answers_while_two_hundred_exchanges_wait),
        CASE(a_reply_may_race_with_the_end_of_the_handler),
        CASE(a_client_that_has_gone_is_noticed),
        CASE(a_reset_in_the_middle_of_a_large_reply_harms_nobody),
        CASE(a_suspended_connection_outlives_the_idle_timeout),
        CASE(a_draining_server_finishes_what_it_has_and_takes_nothing_new),
        CASE(a_drained_server_has_no_listening_socket),
        CASE(a_listen_address_is_host_and_port),
        CASE(connections_beyond_the_limit_are_closed),
        CASE(a_crowd_at_the_limit_harms_nobody),
        CASE(who_takes_long_is_asked_to_end_when_the_server_does),
        CASE(without_descriptors_callers_wait_and_are_served_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
