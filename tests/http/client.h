/*
 * client: one raw TCP connection to the server under test, which may send what no library would.
 */
#ifndef CROFT_TESTS_HTTP_CLIENT_H
#define CROFT_TESTS_HTTP_CLIENT_H

#include "base/buffer.h"

struct client {
    int socket;
    struct buffer received; /* read from the socket; begins with the last reply */
    size_t taken_bytes;     /* of that reply */
    bool is_stuck;          /* neither bytes nor the end came in CLIENT_PATIENCE_S */
};

struct reply {
    unsigned code;     /* 0: the connection ended before a whole reply */
    struct str head;   /* status line and headers; lives until the next read */
    struct bytes body; /* the same */
};

/* A read that takes longer than this is a failure of the server, not slowness. */
enum { CLIENT_PATIENCE_S = 30 };

void client_open(struct client *client, unsigned port);
/* From an address of this machine, such as 127.0.0.2. */
void client_open_from(struct client *client, unsigned port, const char *address);
void client_close(struct client *client);
void client_send(struct client *client, const char *text);
void client_send_bytes(struct client *client, const void *ptr, size_t len);
/* Reads one reply; `is_head`: it answers a HEAD request and has no body. */
struct reply client_read(struct client *client, bool is_head);
/* Sends `request` and reads its reply. */
struct reply client_ask(struct client *client, const char *request);
/* True when the server ends the connection and sends nothing more. */
bool client_is_ended(struct client *client);

bool reply_has(const struct reply *reply, const char *header);

#endif
