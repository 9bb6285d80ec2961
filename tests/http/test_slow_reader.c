/* Who asks for much and takes little or nothing of the reply. */
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/http/visit.h"

/* The server looks once a second, of real time. */
TEST(a_reply_that_nobody_reads_is_given_up)
{
    const struct counter *open = &http_server_counters(fixture.server)->connections;
    expect_reply(GET("/api/v1/label/a/values"), 200, "a");
    client_send(&client, "GET /big?size=16000000 HTTP/1.1\r\n" HOST "\r\n");
    for (int count = 0; count < CLIENT_PATIENCE_S * 100 && counter_get(open) > 0; count++) {
        sim_clock_advance(&fixture.clock, 1000);
        usleep(10000);
    }
    assert_int_equal(counter_get(open), 0);
    assert_int_equal(client_read(&client, false).code, 0);
}

/* Some 60 KB a second of the server's clock, for four minutes of it. */
TEST(a_reply_that_is_read_slowly_arrives_whole)
{
    static uint8_t part[300 << 10];
    size_t len = 0;
    client_send(&client, "GET /big?size=16000000 HTTP/1.1\r\n" HOST "\r\n");
    for (ssize_t got = 1; got > 0 && len < 16000000; len += (size_t)got) {
        sim_clock_advance(&fixture.clock, 5000);
        usleep(50000);
        got = recv(client.socket, part, sizeof part, 0);
    }
    assert_true(len > 16000000);
}

/* The server's end of the connection. */
static int other_end(const struct client *of)
{
    struct sockaddr_in own, peer;
    socklen_t len = sizeof own;
    assert_int_equal(getsockname(of->socket, (struct sockaddr *)&own, &len), 0);
    for (int fd = 0; fd < 1000; fd++) {
        len = sizeof peer;
        if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 && peer.sin_port == own.sin_port)
            return fd;
    }
    fail_msg("the connection has no other end");
    return -1;
}

/* Memory of the kernel, which nobody is charged for. */
TEST(little_of_a_reply_that_nobody_reads_lies_in_the_kernel)
{
    static uint8_t part[1 << 20];
    client_send(&client, "GET /big?size=60000000 HTTP/1.1\r\n" HOST "\r\n");
    for (size_t len = 0; len < 40000000;)
        len += (size_t)recv(client.socket, part, sizeof part, 0);
    int unsent = 0, end = other_end(&client);
    usleep(500000); /* of filling */
    assert_int_equal(ioctl(end, SIOCOUTQNSD, &unsent), 0);
    assert_true(unsent < 512 << 10);
}

/* All connections there may be are taken by those who do not read. */
TEST(who_does_not_read_gives_way)
{
    enum { CONNECTIONS_MAX = 4 };
    struct client deaf[CONNECTIONS_MAX], newcomer;
    struct fixture small;
    fixture_open_with(&small, (struct http_server_options){.connections_max = CONNECTIONS_MAX});
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        client_open(&deaf[i], small.port);
        client_send(&deaf[i], GET("/big?size=16000000"));
        assert_int_equal(recv(deaf[i].socket, &(char){0}, 1, MSG_PEEK), 1);
    }
    unsigned code = 0;
    while (code == 0) {
        client_open_from(&newcomer, small.port, "127.0.0.2");
        code = client_ask(&newcomer, GET("/api/v1/label/a/values")).code;
        client_close(&newcomer);
        usleep(100000);
    }
    assert_int_equal(code, 200);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        client_close(&deaf[i]);
    fixture_close(&small);
}

/* The server's clock stands still: nobody is too slow by it. */
TEST(a_server_that_stops_does_not_wait_for_who_does_nothing)
{
    enum { FOREVER_MS = 1000 * 1000 };
    struct client deaf, silent;
    struct fixture stopping;
    struct error err;
    fixture_open(&stopping);
    client_open(&deaf, stopping.port);
    client_send(&deaf, GET("/big?size=16000000"));
    assert_int_equal(recv(deaf.socket, &(char){0}, 1, MSG_PEEK), 1);
    client_open(&silent, stopping.port);
    client_send(&silent, "POST /api/v1/echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhi");
    expect_ok(http_server_close(stopping.server, FOREVER_MS, &err));
    stopping.server = NULL;
    fixture_close(&stopping);
    client_close(&deaf);
    client_close(&silent);
}

/* Reads a piece of a reply every 400 ms, until its end. */
struct reader {
    struct client client;
    struct thread thread;
    size_t len;
    uint64_t gap_ns; /* the longest time without a piece */
};

static void read_on(void *context)
{
    struct reader *reader = context;
    static uint8_t piece[120 << 10];
    uint64_t before_ns = clock_monotonic_ns(clock_real());
    for (ssize_t got = 1; got > 0; reader->len += got > 0 ? (size_t)got : 0) {
        thread_sleep_ms(400);
        got = recv(reader->client.socket, piece, sizeof piece, 0);
        uint64_t now_ns = clock_monotonic_ns(clock_real());
        if (now_ns - before_ns > reader->gap_ns)
            reader->gap_ns = now_ns - before_ns;
        before_ns = now_ns;
    }
}

TEST(a_server_that_stops_waits_for_who_reads_on)
{
    enum { TIMEOUT_MS = 60000, SIZE = 1500000, ROOM = 30000 };
    struct reader reader = {0};
    struct fixture stopping;
    struct error err;
    fixture_open(&stopping);
    client_open(&reader.client, stopping.port);
    setsockopt(reader.client.socket, SOL_SOCKET, SO_RCVBUF, &(int){ROOM}, sizeof(int));
    client_send(&reader.client, GET("/big?size=1500000"));
    assert_int_equal(recv(reader.client.socket, &(char){0}, 1, MSG_PEEK), 1);
    thread_start(&reader.thread, "reader", read_on, &reader);
    expect_ok(http_server_close(stopping.server, TIMEOUT_MS, &err));
    stopping.server = NULL;
    thread_join(&reader.thread);
    /* who was held up himself for long proves nothing */
    assert_true(reader.len > SIZE || reader.gap_ns > 900000000);
    fixture_close(&stopping);
    client_close(&reader.client);
}

TEST_MAIN(VISIT(a_reply_that_nobody_reads_is_given_up),
          VISIT(a_reply_that_is_read_slowly_arrives_whole),
          VISIT(little_of_a_reply_that_nobody_reads_lies_in_the_kernel),
          VISIT(who_does_not_read_gives_way),
          VISIT(a_server_that_stops_does_not_wait_for_who_does_nothing),
          VISIT(a_server_that_stops_waits_for_who_reads_on))
