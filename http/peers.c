#include "http/peers.h"

#include <sys/socket.h>

#include "base/check.h"
#include "base/mem.h"

void peers_init(struct peers *peers)
{
    *peers = (struct peers){0};
    mutex_init(&peers->lock);
}

void peers_deinit(struct peers *peers)
{
    CHECK(peers->first == NULL);
    mutex_deinit(&peers->lock);
}

struct peer *peers_add(struct peers *peers, int socket, uint64_t now_ns)
{
    struct peer *peer = mem_alloc_zeroed(1, sizeof *peer);
    peer->socket = socket;
    buffer_init(&peer->query, SIZE_MAX);
    peer_note_reply(peer, now_ns);
    mutex_lock(&peers->lock);
    peer->next = peers->first;
    if (peer->next != NULL)
        peer->next->previous = peer;
    peers->first = peer;
    mutex_unlock(&peers->lock);
    return peer;
}

void peers_remove(struct peers *peers, struct peer *peer)
{
    mutex_lock(&peers->lock);
    if (peer->previous != NULL)
        peer->previous->next = peer->next;
    else
        peers->first = peer->next;
    if (peer->next != NULL)
        peer->next->previous = peer->previous;
    mutex_unlock(&peers->lock);
    buffer_deinit(&peer->query);
    mem_free(peer);
}

void peer_note_headers(struct peer *peer)
{
    counter_set(&peer->waiting_since_ns, UINT64_MAX);
}

void peer_note_request(struct peer *peer)
{
    counter_set(&peer->is_answering, 1);
}

void peer_note_reply(struct peer *peer, uint64_t now_ns)
{
    counter_set(&peer->is_answering, 0);
    counter_set(&peer->waiting_since_ns, now_ns);
}

/* Nothing more will come, and all that came has been read. Who has sent a whole request may have
   shut down his side on purpose and still wants the reply. */
static bool is_ended(const struct peer *peer)
{
    uint8_t byte;
    return counter_get(&peer->is_answering) == 0 &&
           recv(peer->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void peers_cut(struct peers *peers, uint64_t since_ns)
{
    mutex_lock(&peers->lock);
    for (struct peer *peer = peers->first; peer != NULL; peer = peer->next) {
        /* at one look alone, a request that was just read may be about to be answered */
        bool was_ended = peer->was_ended;
        peer->was_ended = is_ended(peer);
        if (counter_get(&peer->waiting_since_ns) < since_ns || (was_ended && peer->was_ended))
            shutdown(peer->socket, SHUT_RDWR);
    }
    mutex_unlock(&peers->lock);
}
