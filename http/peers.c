#include "http/peers.h"

#include <sys/socket.h>

#include "base/check.h"
#include "base/hash.h"
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

static size_t place_of(struct str address)
{
    return (size_t)(hash_bytes(bytes_of_str(address)) % PEER_PLACES);
}

struct peer *peers_add(struct peers *peers, int socket, struct str address, uint64_t now_ns)
{
    struct peer *peer = mem_alloc_zeroed(1, sizeof *peer);
    peer->socket = socket;
    peer->place = place_of(address);
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
    if (peer->is_leaving)
        counter_sub(&peers->leaving, 1);
    mutex_unlock(&peers->lock);
    buffer_deinit(&peer->query);
    mem_free(peer);
}

void peer_note_headers(struct peer *peer, uint64_t now_ns)
{
    counter_set(&peer->waiting_since_ns, UINT64_MAX);
    counter_set(&peer->moved_ns, now_ns);
}

void peer_note_request(struct peer *peer)
{
    counter_set(&peer->is_answering, 1);
}

void peer_note_reply(struct peer *peer, uint64_t now_ns)
{
    counter_set(&peer->is_answering, 0);
    counter_set(&peer->waiting_since_ns, now_ns);
    counter_set(&peer->moved_ns, now_ns);
}

/* Nothing more will come, and all that came has been read. Who has sent a whole request may have
   shut down his side on purpose and still wants the reply. */
static bool is_ended(const struct peer *peer)
{
    uint8_t byte;
    return counter_get(&peer->is_answering) == 0 &&
           recv(peer->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void let_go_locked(struct peers *peers, struct peer *peer) REQUIRES(peers->lock);
static void let_go_locked(struct peers *peers, struct peer *peer)
{
    CHECK(mutex_is_held(&peers->lock));
    shutdown(peer->socket, SHUT_RDWR);
    if (!peer->is_leaving)
        counter_add(&peers->leaving, 1);
    peer->is_leaving = true;
}

void peers_cut(struct peers *peers, uint64_t since_ns)
{
    mutex_lock(&peers->lock);
    for (struct peer *peer = peers->first; peer != NULL; peer = peer->next) {
        /* at one look alone, a request that was just read may be about to be answered */
        bool was_ended = peer->was_ended;
        peer->was_ended = is_ended(peer);
        if (counter_get(&peer->waiting_since_ns) < since_ns || (was_ended && peer->was_ended))
            let_go_locked(peers, peer);
    }
    mutex_unlock(&peers->lock);
}

/* Each look takes its time from those who are accepted, so it finds several. */
enum { LET_GO_MAX = 8 };

/* A request that has begun must not be safe: to send half of one costs its sender nothing. */
static bool may_give_way(const struct peer *peer)
{
    return !peer->is_leaving && counter_get(&peer->is_answering) == 0;
}

/* Keeps `longest` (of `count`) sorted, who waits longest first. */
static void keep_longest(struct peer *longest[LET_GO_MAX], size_t *count, struct peer *peer)
{
    uint64_t moved_ns = counter_get(&peer->moved_ns);
    size_t at = *count;
    while (at > 0 && counter_get(&longest[at - 1]->moved_ns) >= moved_ns)
        at--;
    if (at == LET_GO_MAX)
        return;
    if (*count < LET_GO_MAX)
        (*count)++;
    for (size_t i = *count - 1; i > at; i--)
        longest[i] = longest[i - 1];
    longest[at] = peer;
}

void peers_make_room(struct peers *peers, struct str address)
{
    unsigned all[PEER_PLACES] = {0}, waiting[PEER_PLACES] = {0};
    struct peer *longest[LET_GO_MAX];
    size_t most = 0, count = 0;
    mutex_lock(&peers->lock);
    for (struct peer *peer = peers->first; peer != NULL; peer = peer->next) {
        all[peer->place]++;
        if (may_give_way(peer) && ++waiting[peer->place] > waiting[most])
            most = peer->place;
    }
    bool is_fair = all[place_of(address)] <= all[most];
    for (struct peer *peer = peers->first; is_fair && peer != NULL; peer = peer->next) {
        if (may_give_way(peer) && peer->place == most)
            keep_longest(longest, &count, peer);
    }
    for (size_t i = 0; i < count; i++)
        let_go_locked(peers, longest[i]);
    mutex_unlock(&peers->lock);
}
