/* Exchanges that are answered after their handler has returned. */
#include <sys/socket.h>
#include <unistd.h>

#include "tests/http/visit.h"

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

TEST_MAIN(VISIT(a_quick_route_answers_while_two_hundred_exchanges_wait),
          VISIT(a_reply_may_race_with_the_end_of_the_handler),
          VISIT(a_client_that_has_gone_is_noticed),
          VISIT(a_reset_in_the_middle_of_a_large_reply_harms_nobody),
          VISIT(a_suspended_connection_outlives_the_idle_timeout))
