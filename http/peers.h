/*
 * peers: the open connections, so that those on which no request will get complete can be cut.
 *
 * 1. A client that sends its headers byte by byte: each byte counts as activity, and the idle
 *    timeout never comes. So there is a limit on the time from one request to the next.
 * 2. A client that hung up in the middle of a request: libmicrohttpd does not see an end that
 *    arrives together with the last bytes, and would wait for the rest until the idle timeout.
 * 3. A client that reads its reply byte by byte, or not at all: what the network has taken of it
 *    must grow at the pace of `progress`.
 *
 * Somebody who opens all connections there may be: those that idle, whose request is not whole yet
 * or who do not read their reply are let go, so that others find room. First strangers: who has
 * been here for a while, and sent nothing that the gate let in. Else, as nginx closes idle
 * connections when it has no more, but of the address that has most of them: behind a proxy all
 * have one, and it opens the next as it needs it. Who holds more than that address has to do
 * without.
 *
 * Ownership:  peers owns each peer from peers_add to peers_remove.
 * Threads:    any; a peer's own calls belong to its connection's thread.
 */
#ifndef CROFT_HTTP_PEERS_H
#define CROFT_HTTP_PEERS_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/counter.h"
#include "base/thread.h"
#include "http/progress.h"

struct tls;

enum { PEER_PLACES = 1024 };

struct peer {
    struct peer *previous; /* guarded by the lock of peers */
    struct peer *next;     /* guarded by the lock of peers */
    int socket;
    size_t place;          /* of its address, among PEER_PLACES */
    struct buffer query;   /* of the URL of the request at hand, encoded */
    struct tls *tls;       /* NULL: plain HTTP; set by whoever adds the peer */
    uint64_t roots_number; /* by which of its client roots it was trusted: tls_trusts */
    uint64_t came_ns;
    struct counter waiting_since_ns; /* for headers; UINT64_MAX while a request is under way */
    struct counter is_answering;     /* 1 from the end of the request to the end of the reply */
    struct counter replying_ns;      /* when its reply could be sent; 0 while there is none */
    struct counter moved_ns;         /* when it came, its headers did, or the reply was sent */
    struct counter is_known;         /* 1 when the gate has let a request of it in */
    uint64_t watched_ns;     /* guarded by the lock of peers; replying_ns of the reply watched */
    uint64_t taken_bytes;    /* guarded by the lock of peers; by the network, at the last look */
    struct progress reading; /* guarded by the lock of peers; of that */
    bool is_stalled;         /* guarded by the lock of peers; no more of its reply was taken */
    bool was_ended;          /* guarded by the lock of peers; at the last look */
    bool is_leaving;         /* guarded by the lock of peers; its socket was shut down */
};

struct peers {
    struct mutex lock;
    struct peer *first;     /* guarded by lock */
    struct counter leaving; /* peers whose sockets were shut down and that are still here */
};

void peers_init(struct peers *peers);
/* Every peer must have been removed. */
void peers_deinit(struct peers *peers);

struct peer *peers_add(struct peers *peers, int socket, struct str address, uint64_t now_ns);
/* To be called before the socket is closed. */
void peers_remove(struct peers *peers, struct peer *peer);

/* The headers have arrived; the whole request has; the reply can be sent; it has been. */
void peer_note_headers(struct peer *peer, uint64_t now_ns);
void peer_note_request(struct peer *peer);
void peer_note_reply(struct peer *peer, uint64_t now_ns);
void peer_note_end(struct peer *peer, uint64_t now_ns);

/* Shuts down the socket of everybody whose headers have been awaited for longer than
   `waiting_ns_max`, of everybody who was found hung up at this look and at the one before, and of
   everybody who reads too slowly; their threads see the end of the connection and close it. To be
   called about once a second. */
void peers_cut(struct peers *peers, uint64_t now_ns, uint64_t waiting_ns_max);
/* Does the same to a few of those who may give way, who wait longest first: strangers, else those
   of the addresses that have most of them, or nobody if the newcomer's `address` has more
   connections. */
void peers_make_room(struct peers *peers, struct str address, uint64_t now_ns);
/* Does the same to all who may give way: nobody is awaited who does nothing himself. */
void peers_cut_waiting(struct peers *peers);

#endif
