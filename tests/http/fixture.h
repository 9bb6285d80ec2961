/*
 * fixture: a server on a free port with a few routes, and a desk where exchanges wait for a reply.
 *
 *     GET POST /api/v1/echo             what arrived, as text: method, "a", "match[]", body
 *     GET      /api/v1/label/<*>/values what the star took
 *     POST     /api/v1/push             204; at most PUSH_BYTES_MAX
 *     POST     /api/v1/guarded          204, or 401 before the body without the header "Key: right"
 *     GET      /api/v1/late             left on the desk
 *     GET      /big?size=n              n bytes, the header "X-Echo" with the parameter "x"
 */
#ifndef CROFT_TESTS_HTTP_FIXTURE_H
#define CROFT_TESTS_HTTP_FIXTURE_H

#include "base/clock.h"
#include "base/thread.h"
#include "http/server.h"

enum { PUSH_BYTES_MAX = 4096, ECHO_BYTES_MAX = 1 << 20, DESK_MAX = 256 };

/* Exchanges whose handler has returned, or is about to. */
struct desk {
    struct mutex lock;
    struct cond has_changed;
    struct exchange *exchanges[DESK_MAX]; /* guarded by lock */
    size_t count;                         /* guarded by lock */
};

struct fixture {
    struct http_server *server;
    struct sim_clock clock;
    struct desk desk;
    struct route *routes;
    unsigned port;
};

void fixture_open(struct fixture *fixture);
/* The same, with some of the options changed by the caller: those that are not zero. */
void fixture_open_with(struct fixture *fixture, struct http_server_options changes);
/* Checks that the server closes. */
void fixture_close(struct fixture *fixture);

/* Waits until at least `count` exchanges lie on the desk. */
void desk_wait(struct desk *desk, size_t count);
/* Takes the newest. */
struct exchange *desk_take(struct desk *desk);

#endif
