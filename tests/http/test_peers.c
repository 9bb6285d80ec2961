#include "http/peers.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/test.h"

#define SECOND_NS UINT64_C(1000000000)
#define START_NS  (1000 * SECOND_NS)
#define LONG_NS   (1000 * SECOND_NS)

/* Both ends of a connection. */
struct wire {
    int server;
    int client;
};

static void wire_open(struct wire *wire)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    wire->client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(wire->client, (struct sockaddr *)&address, len), 0);
    wire->server = accept(listener, NULL, NULL);
    assert_true(wire->server >= 0);
    close(listener);
}

static void wire_close(struct wire *wire)
{
    close(wire->server);
    close(wire->client);
}

/* The client has a byte of the reply and says so: what it sends acknowledges it. */
static void take_byte(struct wire *wire)
{
    char byte = 'a';
    assert_int_equal(send(wire->server, &byte, 1, 0), 1);
    assert_int_equal(recv(wire->client, &byte, 1, 0), 1);
    assert_int_equal(send(wire->client, &byte, 1, 0), 1);
    assert_int_equal(recv(wire->server, &byte, 1, 0), 1);
}

/* Far away, the first look may come before anything of the first reply is acknowledged. */
TEST(a_reply_of_which_nothing_was_taken_at_the_first_look_has_its_time)
{
    struct peers peers;
    struct wire wire;
    wire_open(&wire);
    peers_init(&peers);
    struct peer *peer = peers_add(&peers, wire.server, STR("a"), START_NS);
    peer_note_headers(peer, START_NS);
    peer_note_request(peer);
    peer_note_reply(peer, START_NS);
    peers_cut(&peers, START_NS, LONG_NS);
    take_byte(&wire);
    for (uint64_t second = 1; second <= 30; second++) {
        peers_cut(&peers, START_NS + second * SECOND_NS, LONG_NS);
        assert_int_equal(counter_get(&peers.leaving), 0);
    }
    peers_cut(&peers, START_NS + 31 * SECOND_NS, LONG_NS);
    assert_int_equal(counter_get(&peers.leaving), 1);
    peers_remove(&peers, peer);
    peers_deinit(&peers);
    wire_close(&wire);
}

TEST_MAIN(RUN(a_reply_of_which_nothing_was_taken_at_the_first_look_has_its_time))
