/* A request that comes before http_server_open has returned: its handler finds the server. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/thread.h"
#include "http/exchange.h"
#include "http/listener.h"
#include "http/server.h"
#include "tests/support/test.h"

enum { ROUNDS = 20, REPLY_MAX = 1024 };

/* As /metrics does. */
static void handle_count(void *context, struct exchange *exchange)
{
    struct http_server *const *server = context;
    bool is_known = *server != NULL && counter_get(&http_server_counters(*server)->requests) == 1;
    exchange_reply_text(exchange, is_known ? 200 : 500, "%s", is_known ? "known" : "unknown");
}

struct asker {
    unsigned port;
    char reply[REPLY_MAX];
    struct thread thread;
};

static int connect_when_listening(unsigned port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (;;) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
            return fd;
        CHECK(errno == ECONNREFUSED);
        close(fd);
    }
}

static void ask(void *context)
{
    static const char request[] =
        "GET /count HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    struct asker *asker = context;
    int fd = connect_when_listening(asker->port);
    CHECK(send(fd, request, sizeof request - 1, 0) == sizeof request - 1);
    CHECK(recv(fd, asker->reply, sizeof asker->reply - 1, 0) > 0);
    close(fd);
}

static void ask_while_it_opens(void)
{
    struct error err = {0};
    struct http_server *server = NULL;
    struct listener *listener;
    const struct route route = {
        .methods = HTTP_GET, .pattern = "/count", .handle = handle_count, .context = &server};
    expect_ok(listener_open(STR("127.0.0.1:0"), &listener, &err));
    struct asker asker = {.port = listener_port(listener)};
    const struct http_server_options options = {.listener = listener,
                                                .thread_count = 2,
                                                .connections_max = 10,
                                                .idle_timeout_s = 60,
                                                .routes = &route,
                                                .route_count = 1,
                                                .clock = clock_real()};
    thread_start(&asker.thread, "ask", ask, &asker);
    expect_ok(http_server_open(&options, &server, &err));
    thread_join(&asker.thread);
    assert_true(str_starts_with(str_from(asker.reply), STR("HTTP/1.1 200")));
    expect_ok(http_server_close(server, 30000, &err));
}

TEST(the_first_request_finds_the_server_whose_counters_it_shows)
{
    for (int i = 0; i < ROUNDS; i++)
        ask_while_it_opens();
}

TEST_MAIN(RUN(the_first_request_finds_the_server_whose_counters_it_shows))
