/* The memory that the bodies of all requests share. */
#include "tests/support/test.h"

#include <stdio.h>

#include "tests/http/client.h"
#include "tests/http/fixture.h"

#define ECHO "POST /api/v1/echo HTTP/1.1\r\nHost: croft\r\n"

/* The one sender gets half of the memory of bodies: 1,000 bytes. */
TEST(a_body_takes_its_share_of_the_memory_before_it_is_read)
{
    struct budget *budget = budget_new("request-memory", 2000);
    struct fixture fixture;
    struct client first, second;
    static char body[1001];
    char head[200];
    memset(body, 'x', sizeof body);
    fixture_open_with(&fixture, (struct http_server_options){.memory = budget});
    client_open(&first, fixture.port);
    client_open(&second, fixture.port);
    for (int len = 999; len <= 1001; len++) {
        snprintf(head, sizeof head, ECHO "Content-Length: %d\r\n\r\n", len);
        client_send(&first, head);
        client_send_bytes(&first, body, (size_t)len);
        struct reply reply = client_read(&first, false);
        assert_int_equal(reply.code, len <= 1000 ? 200 : 503);
        if (reply.code == 503) {
            assert_true(reply_has(&reply, "Retry-After: 1\r\n"));
            assert_non_null(memmem(reply.body.ptr, reply.body.len, "(limit request-memory)", 22));
        }
    }
    /* what has not arrived yet counts as well: 600 are announced, so 400 are
       left for this sender */
    client_send(&first, ECHO "Content-Length: 600\r\n\r\n");
    while (budget_held_bytes(budget) < 600)
        continue;
    client_send(&second, ECHO "Content-Length: 401\r\n\r\n");
    client_send_bytes(&second, body, 401);
    assert_int_equal(client_read(&second, false).code, 503);
    client_send(&second, ECHO "Content-Length: 400\r\n\r\n");
    client_send_bytes(&second, body, 400);
    assert_int_equal(client_read(&second, false).code, 200);
    client_send_bytes(&first, body, 600);
    assert_int_equal(client_read(&first, false).code, 200);
    client_close(&first);
    client_close(&second);
    fixture_close(&fixture);
    assert_int_equal(budget_held_bytes(budget), 0);
    budget_free(budget);
}

TEST(a_chunked_body_takes_its_share_as_it_arrives)
{
    struct budget *budget = budget_new("request-memory", 2000);
    struct fixture fixture;
    struct client first;
    static char chunk[600];
    memset(chunk, 'x', sizeof chunk);
    fixture_open_with(&fixture, (struct http_server_options){.memory = budget});
    client_open(&first, fixture.port);
    for (int chunks = 1; chunks <= 2; chunks++) {
        client_send(&first, ECHO "Transfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < chunks; i++) {
            client_send(&first, "258\r\n");
            client_send_bytes(&first, chunk, sizeof chunk);
            client_send(&first, "\r\n");
        }
        client_send(&first, "0\r\n\r\n");
        assert_int_equal(client_read(&first, false).code, chunks == 1 ? 200 : 503);
    }
    client_close(&first);
    fixture_close(&fixture);
    budget_free(budget);
}

TEST(a_request_without_a_body_is_let_in_whatever_its_payer_holds)
{
    struct budget *budget = budget_new("request-memory", 2000);
    struct charge charge;
    struct fixture fixture;
    struct client client;
    charge_init(&charge, budget, STR(""));
    charge_force(&charge, 1500);
    fixture_open_with(&fixture, (struct http_server_options){.memory = budget});
    client_open(&client, fixture.port);
    client_send(&client, ECHO "Content-Length: 1\r\n\r\nx");
    assert_int_equal(client_read(&client, false).code, 503);
    client_send(&client, ECHO "Content-Length: 0\r\n\r\n");
    assert_int_equal(client_read(&client, false).code, 200);
    client_close(&client);
    fixture_close(&fixture);
    charge_deinit(&charge);
    budget_free(budget);
}

TEST_MAIN(RUN(a_body_takes_its_share_of_the_memory_before_it_is_read),
          RUN(a_chunked_body_takes_its_share_as_it_arrives),
          RUN(a_request_without_a_body_is_let_in_whatever_its_payer_holds))
