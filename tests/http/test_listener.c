/* Whom a server takes on: its address, as many connections as fit, nobody new once it ends. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/listener.h"
#include "tests/http/visit.h"

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

TEST(a_bound_listener_lets_nobody_in_before_it_starts)
{
    struct listener *listener;
    struct error err;
    char address[32];
    expect_ok(listener_open(STR("127.0.0.1:0"), &listener, &err));
    snprintf(address, sizeof address, "127.0.0.1:%u", listener_port(listener));
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)listener_port(listener)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), -1);
    close(fd);
    struct http_server *first = NULL, *second = NULL;
    struct http_server_options options = {.listen = str_from(address),
                                          .thread_count = 1,
                                          .connections_max = 1,
                                          .clock = clock_real()};
    expect_ok(http_server_open(&options, &first, &err)); /* as long as nobody listens */
    options.listener = listener;
    expect_status(http_server_open(&options, &second, &err), STATUS_UNAVAILABLE);
    expect_ok(http_server_close(first, 1000, &err));
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
TEST(a_crowd_at_the_limit_harms_nobody_who_asks)
{
    enum { CROWD = 200, CONNECTIONS_MAX = 4 };
    static struct client crowd[CROWD];
    struct fixture small;
    struct client later;
    fixture_open_with(&small, (struct http_server_options){.connections_max = CONNECTIONS_MAX});
    for (size_t i = 0; i < CROWD; i++)
        client_open(&crowd[i], small.port);
    /* as long as the threads still see to the crowd, who comes is turned away */
    unsigned code = 0;
    for (size_t i = 0; i < 1000 && code != 200; i++) {
        if (i > 0)
            client_close(&later);
        client_open(&later, small.port);
        code = client_ask(&later, GET("/api/v1/label/a/values")).code;
    }
    assert_int_equal(code, 200);
    assert_true(counter_get(&http_server_counters(small.server)->connections) <= CONNECTIONS_MAX);
    client_close(&later);
    for (size_t i = 0; i < CROWD; i++)
        client_close(&crowd[i]);
    fixture_close(&small);
}

TEST(who_waits_at_the_address_with_most_connections_gives_way)
{
    enum { CROWD = 200, CONNECTIONS_MAX = 20 };
    static struct client crowd[CROWD];
    struct fixture small;
    struct client modest, busy;
    fixture_open_with(&small, (struct http_server_options){.connections_max = CONNECTIONS_MAX});
    client_open_from(&modest, small.port, "127.0.0.2");
    assert_int_equal(client_ask(&modest, GET("/api/v1/label/a/values")).code, 200);
    client_open(&busy, small.port);
    client_send(&busy, GET("/api/v1/late"));
    desk_wait(&small.desk, 1);
    for (size_t i = 0; i < CROWD; i++) {
        client_open(&crowd[i], small.port);
        assert_int_equal(client_ask(&crowd[i], GET("/api/v1/label/a/values")).code, 200);
    }
    assert_true(client_is_ended(&crowd[0]));
    assert_int_equal(client_ask(&modest, GET("/api/v1/label/a/values")).code, 200);
    exchange_reply_text(desk_take(&small.desk), 200, "late");
    expect_str(body_of(client_read(&busy, false)), "late\n");
    for (size_t i = 0; i < CROWD; i++)
        client_close(&crowd[i]);
    client_close(&busy);
    client_close(&modest);
    fixture_close(&small);
}

/* A request of which nothing comes any more behind its headers; the reply to the one before tells
   that the server has got this far. */
static void open_half(struct client *out, unsigned port, const char *target)
{
    char text[512];
    snprintf(text, sizeof text, "%sPOST %s HTTP/1.1\r\n%sContent-Length: 100\r\n\r\nx",
             GET("/api/v1/label/a/values"), target, HOST);
    client_open(out, port);
    assert_int_equal(client_ask(out, text).code, 200);
}

/* He who sends halves opens the next as soon as one is closed; "guarded" is refused, and what
   arrives of its body forgotten. */
TEST(who_has_sent_half_a_request_gives_way)
{
    enum { ROUNDS = 50, CONNECTIONS_MAX = 20, CROWD = CONNECTIONS_MAX - 1 + ROUNDS };
    static struct client crowd[CROWD];
    struct fixture small;
    struct client modest, newcomer;
    fixture_open_with(&small, (struct http_server_options){.connections_max = CONNECTIONS_MAX});
    client_open_from(&modest, small.port, "127.0.0.2");
    assert_int_equal(client_ask(&modest, GET("/api/v1/label/a/values")).code, 200);
    size_t count = 0;
    while (count < CROWD) {
        open_half(&crowd[count], small.port, count % 2 == 0 ? "/api/v1/push" : "/api/v1/guarded");
        if (++count < CONNECTIONS_MAX - 1)
            continue;
        client_open_from(&newcomer, small.port, "127.0.0.3");
        assert_int_equal(client_ask(&newcomer, GET("/api/v1/label/a/values")).code, 200);
        client_close(&newcomer);
        assert_int_equal(client_ask(&modest, GET("/api/v1/label/a/values")).code, 200);
    }
    assert_true(client_is_ended(&crowd[0]));
    for (size_t i = 0; i < CROWD; i++)
        client_close(&crowd[i]);
    client_close(&modest);
    fixture_close(&small);
}

TEST(who_has_most_connections_pushes_nobody_else_out)
{
    enum { BUSY = 3 };
    struct client busy[BUSY], modest, more;
    struct fixture small;
    fixture_open_with(&small, (struct http_server_options){.connections_max = BUSY + 1});
    client_open_from(&modest, small.port, "127.0.0.2");
    assert_int_equal(client_ask(&modest, GET("/api/v1/label/a/values")).code, 200);
    for (size_t i = 0; i < BUSY; i++) {
        client_open(&busy[i], small.port);
        client_send(&busy[i], GET("/api/v1/late"));
    }
    desk_wait(&small.desk, BUSY);
    client_open(&more, small.port);
    assert_true(client_is_ended(&more));
    assert_int_equal(client_ask(&modest, GET("/api/v1/label/a/values")).code, 200);
    for (size_t i = 0; i < BUSY; i++)
        exchange_reply_text(desk_take(&small.desk), 200, "late");
    for (size_t i = 0; i < BUSY; i++) {
        assert_int_equal(client_read(&busy[i], false).code, 200);
        client_close(&busy[i]);
    }
    client_close(&more);
    client_close(&modest);
    fixture_close(&small);
}

TEST(of_addresses_with_as_many_who_waits_longest_gives_way)
{
    const char *addresses[] = {"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"};
    enum { COUNT = sizeof addresses / sizeof *addresses };
    struct client waiting[COUNT];
    struct fixture small;
    fixture_open_with(&small, (struct http_server_options){.connections_max = COUNT - 1});
    for (size_t i = 0; i < COUNT; i++) {
        sim_clock_advance(&small.clock, 100);
        client_open_from(&waiting[i], small.port, addresses[i]);
        assert_int_equal(client_ask(&waiting[i], GET("/api/v1/label/a/values")).code, 200);
    }
    assert_true(client_is_ended(&waiting[0]));
    for (size_t i = 0; i < COUNT; i++)
        client_close(&waiting[i]);
    fixture_close(&small);
}

/* Many addresses have a connection each on which nothing is asked; a proxy has two that it uses. */
TEST(strangers_give_way_to_whoever_comes)
{
    const char *addresses[] = {"127.0.0.2", "127.0.0.3", "127.0.0.4"};
    enum { STRANGERS = sizeof addresses / sizeof *addresses, BUSY = 2 };
    struct client strangers[STRANGERS], busy[BUSY], more;
    struct fixture small;
    fixture_open_with(&small, (struct http_server_options){.connections_max = STRANGERS + BUSY});
    for (size_t i = 0; i < STRANGERS; i++)
        client_open_from(&strangers[i], small.port, addresses[i]);
    for (size_t i = 0; i < BUSY; i++) {
        client_open(&busy[i], small.port);
        client_send(&busy[i], GET("/api/v1/late"));
    }
    desk_wait(&small.desk, BUSY);
    sim_clock_advance(&small.clock, 3000);
    client_open(&more, small.port);
    assert_int_equal(client_ask(&more, GET("/api/v1/label/a/values")).code, 200);
    assert_true(client_is_ended(&strangers[0]));
    for (size_t i = 0; i < BUSY; i++) {
        exchange_reply_text(desk_take(&small.desk), 200, "late");
        client_close(&busy[i]);
    }
    for (size_t i = 0; i < STRANGERS; i++)
        client_close(&strangers[i]);
    client_close(&more);
    fixture_close(&small);
}

/* The socket for all addresses is one of IPv6, where IPv4 shows as ::ffff:127.0.0.1. */
TEST(clients_of_ipv4_are_told_apart_on_a_socket_of_both_families)
{
    enum { CROWD = 8 };
    struct client crowd[CROWD], modest;
    struct fixture both;
    fixture_open_with(
        &both, (struct http_server_options){.listen = STR(":0"), .connections_max = CROWD / 2});
    client_open_from(&modest, both.port, "127.0.0.2");
    assert_int_equal(client_ask(&modest, GET("/api/v1/label/a/values")).code, 200);
    for (size_t i = 0; i < CROWD; i++) {
        client_open(&crowd[i], both.port);
        assert_int_equal(client_ask(&crowd[i], GET("/api/v1/label/a/values")).code, 200);
    }
    assert_int_equal(client_ask(&modest, GET("/api/v1/label/a/values")).code, 200);
    for (size_t i = 0; i < CROWD; i++)
        client_close(&crowd[i]);
    client_close(&modest);
    fixture_close(&both);
}

/* Where all have asked, there is nobody to let go. */
TEST(a_connection_more_than_may_ask_at_once_is_closed)
{
    enum { CONNECTIONS_MAX = 4 };
    struct client askers[CONNECTIONS_MAX], more;
    struct fixture small;
    fixture_open_with(&small, (struct http_server_options){.connections_max = CONNECTIONS_MAX});
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        client_open(&askers[i], small.port);
        client_send(&askers[i], GET("/api/v1/late"));
    }
    desk_wait(&small.desk, CONNECTIONS_MAX);
    client_open(&more, small.port);
    assert_true(client_is_ended(&more));
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        exchange_reply_text(desk_take(&small.desk), 200, "late");
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        assert_int_equal(client_read(&askers[i], false).code, 200);
        client_close(&askers[i]);
    }
    client_close(&more);
    fixture_close(&small);
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

TEST_MAIN(VISIT(a_draining_server_finishes_what_it_has_and_takes_nothing_new),
          VISIT(a_drained_server_has_no_listening_socket), VISIT(a_listen_address_is_host_and_port),
          VISIT(a_bound_listener_lets_nobody_in_before_it_starts),
          VISIT(connections_beyond_the_limit_are_closed),
          VISIT(a_crowd_at_the_limit_harms_nobody_who_asks),
          VISIT(who_waits_at_the_address_with_most_connections_gives_way),
          VISIT(who_has_sent_half_a_request_gives_way),
          VISIT(who_has_most_connections_pushes_nobody_else_out),
          VISIT(of_addresses_with_as_many_who_waits_longest_gives_way),
          VISIT(strangers_give_way_to_whoever_comes),
          VISIT(clients_of_ipv4_are_told_apart_on_a_socket_of_both_families),
          VISIT(a_connection_more_than_may_ask_at_once_is_closed),
          VISIT(who_takes_long_is_asked_to_end_when_the_server_does),
          VISIT(without_descriptors_callers_wait_and_are_served_later))
