/*
 * listener: a listening socket and the thread that accepts from it.
 *
 * When the process is out of file descriptors the thread waits a moment and tries again; the kernel
 * keeps the callers meanwhile.
 */
#ifndef CROFT_HTTP_LISTENER_H
#define CROFT_HTTP_LISTENER_H

#include <sys/socket.h>

#include "base/bytes.h"
#include "base/status.h"

struct listener;

/* Called on the listener's thread with a non-blocking socket, which is taken. */
typedef void (*listener_accept)(void *context, int socket, const struct sockaddr *address,
                                socklen_t address_len);
typedef void (*listener_tick)(void *context);

/* Binds, and refuses who asks before listener_start.
   `address`: "127.0.0.1:9009", "[::1]:9009", "localhost:9009", or ":9009" for all addresses of both
   families; port 0 picks a free one.
   STATUS_INVALID: it cannot be parsed; STATUS_UNAVAILABLE: it cannot be resolved or bound. */
MUST_USE enum status listener_open(struct str address, struct listener **out, struct error *err);
unsigned listener_port(const struct listener *listener);
/* Listens and accepts. `context` is kept. `tick` is called on the same thread about once a second.
   STATUS_UNAVAILABLE: somebody else listens on the address. */
MUST_USE enum status listener_start(struct listener *listener, listener_accept accept,
                                    listener_tick tick, void *context, struct error *err);
/* Hands over what is waiting, then closes the socket and ends the thread; twice is fine. */
void listener_stop(struct listener *listener);
/* Stops, then frees; NULL is fine. */
void listener_close(struct listener *listener);

#endif
