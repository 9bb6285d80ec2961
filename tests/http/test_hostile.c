/*
 * What no HTTP library would send. Every case ends with a healthy request, on the same connection
 * where it must survive, else on a new one.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/http/visit.h"

#define POST "POST /api/v1/echo HTTP/1.1\r\n" HOST
#define NEXT GET("/api/v1/label/next/values")

static void reconnect(void)
{
    client_close(&client);
    client_open(&client, fixture.port);
}

static void expect_next(void)
{
    expect_reply(NEXT, 200, "next");
}

/* `code` and the connection ends: what follows on it is not taken for a request. */
static void expect_refused(const char *request, unsigned code)
{
    reconnect();
    client_send(&client, request);
    client_send(&client, NEXT);
    struct reply reply = client_read(&client, false);
    if (reply.code != code)
        fail_msg("got %u, want %u for:\n%s", reply.code, code, request);
    while (client_read(&client, false).code != 0)
        assert_null(memmem(client.received.ptr, client.received.len, "next", 4));
    assert_false(client.is_stuck);
    reconnect();
    expect_next();
}

/* `code` and the connection goes on. */
static void expect_answered(const char *request, unsigned code)
{
    struct reply reply = client_ask(&client, request);
    if (reply.code != code)
        fail_msg("got %u, want %u for:\n%s", reply.code, code, request);
    expect_next();
}

TEST(an_ambiguous_length_is_refused)
{
    expect_refused(POST "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi", 400);
    expect_refused(POST "Content-Length: 2\r\nContent-Length: 60\r\n\r\nhi", 400);
    expect_refused(POST "Content-Length: 2\r\ncontent-length: 0\r\n\r\nhi", 400);
    expect_refused(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
    expect_refused(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400);
    expect_refused(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"
                        "0\r\n\r\n",
                   400);
}

TEST(a_malformed_length_is_refused)
{
    expect_refused(POST "Content-Length: 2, 2\r\n\r\nhi", 400);
    expect_refused(POST "Content-Length: +2\r\n\r\nhi", 400);
    expect_refused(POST "Content-Length: -2\r\n\r\nhi", 400);
    expect_refused(POST "Content-Length: 0x2\r\n\r\nhi", 400);
    expect_refused(POST "Content-Length: 1 2\r\n\r\nhi", 400);
    expect_refused(POST "Content-Length:\r\n\r\nhi", 400);
    expect_refused(POST "Content-Length: 18446744073709551615\r\n\r\nhi", 413);
    expect_refused(POST "Content-Length: 99999999999999999999999\r\n\r\nhi", 413);
}

TEST(an_encoding_other_than_chunked_is_refused)
{
    expect_refused(POST "Transfer-Encoding: identity\r\n\r\nhi", 400);
    expect_refused(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400);
    expect_refused(POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400);
    expect_refused(POST "Transfer-Encoding: \x0b"
                        "chunked\r\n\r\n0\r\n\r\n",
                   400);
    expect_refused(
        "POST /api/v1/echo HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
}

TEST(a_hidden_framing_field_is_refused)
{
    expect_refused(POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400);
    expect_refused(POST "Content-Length : 2\r\n\r\nhi", 400);
    expect_refused(POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400);
    expect_refused(POST "X-Scope-OrgID:\r\n finance\r\nContent-Length: 0\r\n\r\n", 400);
    expect_refused(POST "Content-Length: 1\r\n 2\r\n\r\nh", 400);
    expect_refused(POST "X: y\rContent-Length: 50\r\n\r\n", 400);
    expect_refused(POST "X: y\r\n folded, with blanks\r\n\r\n", 400);
}

TEST(malformed_lines_are_refused)
{
    expect_refused(POST "garbage\r\n\r\n", 400);
    expect_refused(POST "X Y: z\r\n\r\n", 400);
    expect_refused(POST "X(Y): z\r\n\r\n", 400);
    expect_refused(POST "X: \x01\r\n\r\n", 400);
    expect_refused(POST HOST "\r\n", 400);
    expect_refused("POST /api/v1/echo HTTP/1.1\r\n\r\n", 400);
    expect_refused("GET /api/v1/echo HTTP/9.9\r\n" HOST "\r\n", 505);
    expect_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
}

TEST(broken_chunks_are_refused)
{
    const char *chunked = POST "Transfer-Encoding: chunked\r\n\r\n";
    const char *bodies[] = {"zz\r\nhi\r\n0\r\n\r\n", "0x2\r\nhi\r\n0\r\n\r\n",
                            "-2\r\nhi\r\n0\r\n\r\n", "2\r\nhiXX0\r\n\r\n", " 2\r\nhi\r\n0\r\n\r\n"};
    for (size_t index = 0; index < sizeof bodies / sizeof bodies[0]; index++) {
        char request[256];
        snprintf(request, sizeof request, "%s%s", chunked, bodies[index]);
        expect_refused(request, 400);
    }
}

TEST(what_is_odd_but_clear_is_answered)
{
    expect_answered("\r\n" NEXT, 200);
    expect_answered(POST "Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", 200);
    expect_answered(POST "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0\r\nX: y\r\n\r\n", 200);
    expect_answered("GET /api/v1/echo HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody", 200);
    expect_answered("GET http://croft/api/v1/echo?a=1 HTTP/1.1\r\n" HOST "\r\n", 200);
    expect_answered("GET HTTPS://croft:9009/api/v1/echo HTTP/1.1\r\n" HOST "\r\n", 200);
    expect_answered("GET http://croft HTTP/1.1\r\n" HOST "\r\n", 404);
    expect_answered("GET http://croft?a=1 HTTP/1.1\r\n" HOST "\r\n", 404);
    expect_answered("GET /nowhere HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody", 404);
    expect_answered("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 404);
    expect_answered("CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", 404);
}

TEST(the_body_of_a_refused_request_is_not_the_next_request)
{
    /* 62 bytes of body that look like a request */
    client_send(&client, "GET /nowhere HTTP/1.1\r\n" HOST "Content-Length: 62\r\n\r\n"
                         "GET /api/v1/label/body/values HTTP/1.1\r\nHost: croft\r\nX: 4567\r\n");
    assert_int_equal(client_read(&client, false).code, 404);
    expect_next();
    expect_refused("DELETE /nowhere HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n" NEXT,
                   404);
}

static void fill(char *to, size_t len, const char *before, const char *unit, size_t count,
                 const char *after)
{
    int at = snprintf(to, len, "%s", before);
    for (size_t index = 0; index < count; index++)
        at += snprintf(to + at, len - (size_t)at, "%s", unit);
    snprintf(to + at, len - (size_t)at, "%s", after);
}

static char long_request[512 << 10];

TEST(a_long_request_line_is_taken_up_to_its_limit)
{
    fill(long_request, sizeof long_request, "GET /api/v1/echo?a=", "0123456789abcdef", 4200,
         " HTTP/1.1\r\n" HOST "\r\n");
    expect_answered(long_request, 200);
    fill(long_request, sizeof long_request, "GET /api/v1/echo?a=", "0123456789abcdef", 20000,
         " HTTP/1.1\r\n" HOST "\r\n");
    expect_refused(long_request, 414);
}

TEST(header_fields_are_taken_up_to_their_limits)
{
    fill(long_request, sizeof long_request, "GET /api/v1/echo HTTP/1.1\r\n" HOST, "X: y\r\n", 99,
         "\r\n");
    expect_answered(long_request, 200);
    fill(long_request, sizeof long_request, "GET /api/v1/echo HTTP/1.1\r\n" HOST, "X: y\r\n", 100,
         "\r\n");
    expect_answered(long_request, 431);
    fill(long_request, sizeof long_request, "GET /api/v1/echo HTTP/1.1\r\n" HOST, "X: y\r\n", 9000,
         "\r\n");
    expect_refused(long_request, 431);
    fill(long_request, sizeof long_request,
         "GET /api/v1/echo HTTP/1.1\r\n" HOST "X: ", "0123456789abcdef", 2040, "\r\n\r\n");
    expect_answered(long_request, 200);
    fill(long_request, sizeof long_request,
         "GET /api/v1/echo HTTP/1.1\r\n" HOST "X: ", "0123456789abcdef", 2060, "\r\n\r\n");
    expect_answered(long_request, 431);
}

TEST(a_body_of_single_bytes_arrives_whole)
{
    fill(long_request, sizeof long_request, POST "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n",
         20000, "0\r\n\r\n");
    struct reply reply = client_ask(&client, long_request);
    assert_int_equal(reply.body.len, strlen("method=2 a=none body=") + 20000);
}

TEST(an_endless_chunked_body_is_cut_off)
{
    client_send(&client,
                "POST /api/v1/push HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    fill(long_request, sizeof long_request, "", "8\r\nabcdefgh\r\n", 20000, "");
    for (int count = 0; count < 5; count++)
        client_send(&client, long_request);
    assert_true(client_is_ended(&client));
    reconnect();
    expect_next();
}

/* The connection has been ended by the server; does not wait. */
static bool is_cut_off(void)
{
    ssize_t got = recv(client.socket, &(char){0}, 1, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN);
}

/* One byte a second of its clock; true when the server ends it within two minutes of that. */
static bool drip_is_cut_off(void)
{
    for (int count = 0; count < 120 && !is_cut_off(); count++) {
        sim_clock_advance(&fixture.clock, 1000);
        client_send(&client, "x");
        usleep(1000); /* of real time, to let the server read them one by one */
    }
    return is_cut_off();
}

TEST(a_body_that_drips_is_cut_off)
{
    client_send(&client, POST "Content-Length: 100000\r\n\r\n");
    assert_true(drip_is_cut_off());
    reconnect();
    expect_next();
}

/* Half a megabyte buys no time at all. */
TEST(a_body_that_was_quick_and_then_drips_is_cut_off)
{
    client_send(&client, POST "Content-Length: 1000000\r\n\r\n");
    memset(long_request, 'x', sizeof long_request);
    client_send_bytes(&client, long_request, sizeof long_request);
    assert_true(drip_is_cut_off());
    reconnect();
    expect_next();
}

TEST(headers_that_drip_are_cut_off)
{
    client_send(&client, "GET /api/v1/echo HTTP/1.1\r\nX: ");
    for (int count = 0; count < CLIENT_PATIENCE_S * 1000 && !is_cut_off(); count++) {
        sim_clock_advance(&fixture.clock, 100);
        client_send(&client, "x");
        usleep(1000);
    }
    assert_true(is_cut_off());
    reconnect();
    expect_next();
}

TEST(a_connection_that_ends_in_the_middle_harms_nobody)
{
    const char *cut[] = {"",
                         "G",
                         "GET /api",
                         POST "Content-Le",
                         POST "Content-Length: 9\r\n\r\nabc",
                         POST "Transfer-Encoding: chunked\r\n\r\n5\r\nab"};
    for (size_t index = 0; index < sizeof cut / sizeof cut[0]; index++) {
        reconnect();
        client_send(&client, cut[index]);
    }
    reconnect();
    expect_next();
    /* all but this one are noticed, long before the idle timeout */
    const struct counter *open = &http_server_counters(fixture.server)->connections;
    for (int count = 0; count < CLIENT_PATIENCE_S * 1000 && counter_get(open) > 1; count++)
        usleep(1000);
    assert_int_equal(counter_get(open), 1);
}

TEST(who_shuts_down_after_a_whole_request_still_gets_the_reply)
{
    client_send(&client, "GET /api/v1/late HTTP/1.1\r\n" HOST "\r\n");
    shutdown(client.socket, SHUT_WR);
    desk_wait(&fixture.desk, 1);
    usleep(2500000); /* the server has looked twice */
    exchange_reply_text(desk_take(&fixture.desk), 200, "late");
    struct reply reply = client_read(&client, false);
    expect_str(body_of(reply), "late\n");
    reconnect();
}

/* 64 KiB of URL; libmicrohttpd by itself has memory for some 2,600 parameters. */
TEST(a_url_may_consist_of_parameters)
{
    struct buffer request;
    buffer_init(&request, 1 << 20);
    for (size_t count = 2000; count <= 32000; count *= 2) {
        buffer_reset(&request);
        buffer_append_str(&request, STR("GET /api/v1/echo?a=first"));
        for (size_t i = 1; i < count; i++)
            buffer_append_str(&request, STR("&b"));
        buffer_append_str(&request, STR("&match[]=last HTTP/1.1\r\n" HOST "\r\n"));
        buffer_append_byte(&request, '\0');
        reconnect();
        struct reply reply = client_ask(&client, (const char *)request.ptr);
        assert_int_equal(reply.code, 200);
        expect_str(body_of(reply), "method=1 a=first match=last body=");
        expect_next();
    }
    buffer_deinit(&request);
}

TEST(parameters_of_one_request_are_gone_in_the_next)
{
    struct reply reply = client_ask(&client, "GET /api/v1/echo?a=1 HTTP/1.1\r\n" HOST "\r\n");
    expect_str(body_of(reply), "method=1 a=1 body=");
    reply = client_ask(&client, "GET /api/v1/echo HTTP/1.1\r\n" HOST "\r\n");
    expect_str(body_of(reply), "method=1 a=none body=");
    reply = client_ask(&client, "GET /api/v1/echo? HTTP/1.1\r\n" HOST "\r\n");
    expect_str(body_of(reply), "method=1 a=none body=");
    reply = client_ask(&client, "GET /api/v1/echo?a=?b?&c HTTP/1.1\r\n" HOST "\r\n");
    expect_str(body_of(reply), "method=1 a=?b? body=");
}

TEST_MAIN(VISIT(an_ambiguous_length_is_refused), VISIT(a_malformed_length_is_refused),
          VISIT(an_encoding_other_than_chunked_is_refused),
          VISIT(a_hidden_framing_field_is_refused), VISIT(malformed_lines_are_refused),
          VISIT(broken_chunks_are_refused), VISIT(what_is_odd_but_clear_is_answered),
          VISIT(the_body_of_a_refused_request_is_not_the_next_request),
          VISIT(a_long_request_line_is_taken_up_to_its_limit),
          VISIT(header_fields_are_taken_up_to_their_limits),
          VISIT(a_body_of_single_bytes_arrives_whole), VISIT(an_endless_chunked_body_is_cut_off),
          VISIT(a_body_that_drips_is_cut_off),
          VISIT(a_body_that_was_quick_and_then_drips_is_cut_off),
          VISIT(headers_that_drip_are_cut_off),
          VISIT(a_connection_that_ends_in_the_middle_harms_nobody),
          VISIT(who_shuts_down_after_a_whole_request_still_gets_the_reply),
          VISIT(a_url_may_consist_of_parameters),
          VISIT(parameters_of_one_request_are_gone_in_the_next))
