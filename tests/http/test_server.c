/* Requests and their replies. */
#include <stdio.h>
#include <zlib.h>

#include "base/mem.h"
#include "tests/http/visit.h"

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

/* An odd size: what is sent is given back by the page, and nothing that is still to be sent. */
TEST(a_reply_of_many_pieces_arrives_whole)
{
    enum { SIZE = 20000001 };
    struct reply reply = client_ask(&client, GET("/big?size=20000001"));
    assert_int_equal(reply.body.len, SIZE);
    for (size_t i = 0; i < SIZE; i++)
        assert_int_equal(reply.body.ptr[i], 'x');
    reply = client_ask(&client, "HEAD /big?size=20000001 HTTP/1.1\r\n" HOST "\r\n");
    assert_true(reply_has(&reply, "Content-Length: 20000001\r\n"));
    expect_reply(GET("/api/v1/label/next/values"), 200, "next");
}

TEST(a_line_break_cannot_split_the_reply)
{
    struct reply reply = client_ask(&client, GET("/big?size=1&x=a%0d%0aSet-Cookie:%20b"));
    assert_int_equal(reply.code, 200);
    assert_false(reply_has(&reply, "Set-Cookie"));
}

TEST_MAIN(VISIT(one_connection_carries_many_requests),
          VISIT(pipelined_requests_are_answered_in_order),
          VISIT(form_and_url_are_merged_and_the_form_wins), VISIT(a_chunked_body_arrives_whole),
          VISIT(a_body_over_the_limit_is_answered_413),
          VISIT(a_chunked_body_over_the_limit_is_answered_413_at_its_end),
          VISIT(a_body_at_the_limit_is_taken), VISIT(admission_is_decided_before_the_body),
          VISIT(an_expected_100_continue_is_sent), VISIT(a_wrong_method_is_answered_405_with_allow),
          VISIT(head_is_get_without_the_body), VISIT(options_below_api_are_answered_for_the_routes),
          VISIT(a_configured_origin_is_let_in), VISIT(a_large_reply_is_compressed_when_asked),
          VISIT(a_reply_of_many_pieces_arrives_whole), VISIT(a_line_break_cannot_split_the_reply))
