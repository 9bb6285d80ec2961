#include "http/peers.h"

#include <linux/tcp.h> /* the C library's tcp_info is an older one */
#include <netinet/in.h>
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
    peer->came_ns = now_ns;
    peer_note_end(peer, now_ns);
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
    counter_set(&peer->replying_ns, now_ns);
}

void peer_note_end(struct peer *peer, uint64_t now_ns)
{
    counter_set(&peer->replying_ns, 0);
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

/* What the other side has acknowledged of all that was ever sent to it; 0 where the kernel does not
   count it. */
static uint64_t taken_bytes(const struct peer *peer)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    getsockopt(peer->socket, IPPROTO_TCP, TCP_INFO, &info, &len);
    return info.tcpi_bytes_acked;
}

/* Looks how its reply gets on; it is watched from when the first of it was taken. */
static bool reads_too_slowly(struct peer *peer, uint64_t now_ns)
{
    uint64_t replying_ns = counter_get(&peer->replying_ns);
    uint64_t before = peer->taken_bytes;
    bool is_watched = replying_ns != 0 && replying_ns == peer->watched_ns;
    peer->watched_ns = 0;
    peer->is_stalled = false;
    if (replying_ns == 0)
        return false;
    peer->taken_bytes = taken_bytes(peer);
    if (peer->taken_bytes == 0)
        return false;
    peer->watched_ns = replying_ns;
    if (!is_watched)
        progress_begin(&peer->reading, peer->taken_bytes, now_ns);
    peer->is_stalled = is_watched && peer->taken_bytes == before;
    return progress_is_slow(&peer->reading, peer->taken_bytes, now_ns);
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

void peers_cut(struct peers *peers, uint64_t now_ns, uint64_t waiting_ns_max)
{
    uint64_t since_ns = now_ns > waiting_ns_max ? now_ns - waiting_ns_max : 0;
    mutex_lock(&peers->lock);
    for (struct peer *peer = peers->first; peer != NULL; peer = peer->next) {
        /* at one look alone, a request that was just read may be about to be answered */
        bool was_ended = peer->was_ended;
        peer->was_ended = is_ended(peer);
        if (counter_get(&peer->waiting_since_ns) < since_ns || (was_ended && peer->was_ended) ||
            reads_too_slowly(peer, now_ns))
            let_go_locked(peers, peer);
    }
    mutex_unlock(&peers->lock);
}

/* Each look takes its time from those who are accepted, so it finds several. */
enum { LET_GO_MAX = 8 };

/* An honest client asks as soon as it has connected. */
static const uint64_t STRANGER_NS = 2000000000;

/* A request that has begun must not be safe: to send half of one costs its sender nothing. */
static bool may_give_way(const struct peer *peer)
{
    return !peer->is_leaving && (counter_get(&peer->is_answering) == 0 || peer->is_stalled);
}

static bool is_stranger(const struct peer *peer, uint64_t now_ns)
{
    return counter_get(&peer->is_known) == 0 && peer->came_ns + STRANGER_NS < now_ns;
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

static size_t find_strangers_locked(const struct peers *peers, uint64_t now_ns,
                                    struct peer *longest[LET_GO_MAX]) REQUIRES(peers->lock)
{
    size_t count = 0;
    for (struct peer *peer = peers->first; peer != NULL; peer = peer->next) {
        if (may_give_way(peer) && is_stranger(peer, now_ns))
            keep_longest(longest, &count, peer);
    }
    return count;
}

static size_t find_largest_locked(const struct peers *peers, struct str address,
                                  struct peer *longest[LET_GO_MAX]) REQUIRES(peers->lock)
{
    unsigned all[PEER_PLACES] = {0}, waiting[PEER_PLACES] = {0}, most = 0;
    for (struct peer *peer = peers->first; peer != NULL; peer = peer->next) {
        all[peer->place]++;
        waiting[peer->place] += may_give_way(peer);
        if (waiting[peer->place] > most)
            most = waiting[peer->place];
    }
    size_t count = 0, own = all[place_of(address)];
    for (struct peer *peer = peers->first; most > 0 && peer != NULL; peer = peer->next) {
        if (may_give_way(peer) && waiting[peer->place] == most && own <= all[peer->place])
            keep_longest(longest, &count, peer);
    }
    return count;
}

void peers_make_room(struct peers *peers, struct str address, uint64_t now_ns)
{
    struct peer *longest[LET_GO_MAX];
    mutex_lock(&peers->lock);
    size_t count = find_strangers_locked(peers, now_ns, longest);
    if (count == 0)
        count = find_largest_locked(peers, address, longest);
    for (size_t i = 0; i < count; i++)
        let_go_locked(peers, longest[i]);
    mutex_unlock(&peers->lock);
}

void peers_cut_waiting(struct peers *peers)
{
    mutex_lock(&peers->lock);
    for (struct peer *peer = peers->first; peer != NULL; peer = peer->next) {
        if (may_give_way(peer))
            let_go_locked(peers, peer);
    }
    mutex_unlock(&peers->lock);
}
