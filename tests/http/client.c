#include "tests/http/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/number.h"

enum { RECEIVED_BYTES_MAX = 64 << 20, READ_BYTES = 64 << 10 };

void client_open_from(struct client *client, unsigned port, const char *address)
{
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(address)};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = CLIENT_PATIENCE_S};
    client->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(client->socket >= 0);
    setsockopt(client->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    CHECK(bind(client->socket, (struct sockaddr *)&from, sizeof from) == 0);
    CHECK(connect(client->socket, (struct sockaddr *)&to, sizeof to) == 0);
    buffer_init(&client->received, RECEIVED_BYTES_MAX);
    client->taken_bytes = 0;
    client->is_stuck = false;
}

void client_open(struct client *client, unsigned port)
{
    client_open_from(client, port, "127.0.0.1");
}

void client_close(struct client *client)
{
    close(client->socket);
    buffer_deinit(&client->received);
}

void client_send_bytes(struct client *client, const void *ptr, size_t len)
{
    const uint8_t *from = ptr;
    while (len > 0) {
        ssize_t sent = send(client->socket, from, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the server has hung up; what it said before can still be read */
        from += sent;
        len -= (size_t)sent;
    }
}

void client_send(struct client *client, const char *text)
{
    client_send_bytes(client, text, strlen(text));
}

/* False at the end of the connection. */
static bool receive_more(struct client *client)
{
    uint8_t *to = buffer_reserve(&client->received, READ_BYTES);
    CHECK(to != NULL);
    ssize_t got = recv(client->socket, to, READ_BYTES, 0);
    if (got > 0)
        client->received.len += (size_t)got;
    client->is_stuck = got < 0 && errno == EAGAIN;
    return got > 0;
}

/* The value of a header in `head`, or an empty view. */
static struct str header_value(struct str head, const char *name)
{
    size_t len = strlen(name);
    for (size_t at = str_find(head, '\n', 0); at + len + 1 < head.len;
         at = str_find(head, '\n', at + 1)) {
        struct str line = str_slice(head, at + 1, SIZE_MAX);
        if (line.len > len && line.ptr[len] == ':' && strncasecmp(line.ptr, name, len) == 0) {
            return str_slice(line, len + 2, str_find(line, '\r', 0) - len - 2);
        }
    }
    return STR("");
}

/* Forgets the reply that the caller has seen. */
static void drop_taken(struct client *client)
{
    struct buffer *received = &client->received;
    received->len -= client->taken_bytes;
    if (received->len > 0)
        memmove(received->ptr, received->ptr + client->taken_bytes, received->len);
    client->taken_bytes = 0;
}

static struct str read_head(struct client *client)
{
    for (;;) {
        struct str all = buffer_str(&client->received);
        const char *end = all.len == 0 ? NULL : memmem(all.ptr, all.len, "\r\n\r\n", 4);
        if (end != NULL)
            return str_slice(all, 0, (size_t)(end - all.ptr) + 4);
        if (!receive_more(client))
            return STR("");
    }
}

struct reply client_read(struct client *client, bool is_head)
{
    struct reply reply = {0};
    drop_taken(client);
    struct str head = read_head(client);
    uint64_t code = 0, length = 0;
    if (head.len == 0 || !parse_u64(str_slice(head, STR("HTTP/1.1 ").len, 3), &code))
        return reply;
    parse_u64(header_value(head, "Content-Length"), &length);
    if (is_head || code == 204 || code < 200)
        length = 0;
    client->taken_bytes = head.len + (size_t)length;
    while (client->received.len < client->taken_bytes) {
        if (!receive_more(client)) {
            client->taken_bytes = client->received.len;
            return reply;
        }
    }
    reply.code = (unsigned)code;
    reply.head = str_slice(buffer_str(&client->received), 0, head.len);
    reply.body = (struct bytes){client->received.ptr + head.len, (size_t)length};
    return reply;
}

struct reply client_ask(struct client *client, const char *request)
{
    client_send(client, request);
    return client_read(client, strncmp(request, "HEAD ", 5) == 0);
}

bool client_is_ended(struct client *client)
{
    drop_taken(client);
    return client->received.len == 0 && !receive_more(client) && !client->is_stuck;
}

bool reply_has(const struct reply *reply, const char *header)
{
    return memmem(reply->head.ptr, reply->head.len, header, strlen(header)) != NULL;
}
