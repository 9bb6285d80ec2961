#include "http/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/thread.h"

enum {
    HOST_LEN_MAX = 255,
    BACKLOG = 4096, /* what Linux allows: all agents come at once when the server is back */
    EXHAUSTED_PAUSE_MS = 100,
    TICK_MS = 1000,
    /* of a reply that the kernel keeps, which charges it to nobody, beyond what is on its way */
    UNSENT_BYTES_MAX = 128 << 10,
};

struct listener {
    int socket; /* -1 once stopped */
    int wake;   /* an eventfd that ends the thread */
    unsigned port;
    listener_accept accept;
    listener_tick tick;
    void *context;
    struct thread thread;
};

struct address {
    char host[HOST_LEN_MAX + 1]; /* empty for all */
    char port[6];
};

/* "host:port", "[v6]:port" or ":port". */
static enum status parse_address(struct str text, struct address *out, struct error *err)
{
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    struct str host = str_slice(text, 0, colon == 0 ? 0 : colon - 1);
    struct str port = str_slice(text, colon, SIZE_MAX);
    uint64_t number = 0;
    bool is_bracketed = str_starts_with(host, STR("[")) && str_ends_with(host, STR("]"));
    if (is_bracketed)
        host = str_slice(host, 1, host.len - 2);
    bool has_colon = str_find(host, ':', 0) < host.len;
    if (colon == 0 || has_colon != is_bracketed || host.len > HOST_LEN_MAX ||
        memchr(host.ptr, 0, host.len) != NULL || !parse_u64(port, &number) || number > UINT16_MAX)
        return error_set(err, STATUS_INVALID,
                         "listen address: got \"%.*s\", want host:port, [v6]:port or :port",
                         STR_ARG(text));
    snprintf(out->host, sizeof out->host, "%.*s", STR_ARG(host));
    snprintf(out->port, sizeof out->port, "%u", (unsigned)number);
    return STATUS_OK;
}

/* A socket bound to `info`, or -1 with errno. */
static int try_bind(const struct addrinfo *info)
{
    int fd = socket(info->ai_family, info->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    info->ai_protocol);
    if (fd < 0)
        return -1;
    int on = 1, off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (info->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

/* The first address of `family` that can be bound, or -1 with errno. */
static int bind_family(const struct addrinfo *all, int family)
{
    int fd = -1;
    for (const struct addrinfo *info = all; info != NULL && fd < 0; info = info->ai_next) {
        if (family == AF_UNSPEC || info->ai_family == family)
            fd = try_bind(info);
    }
    return fd;
}

static enum status bind_address(struct str text, const struct address *address, int *out,
                                struct error *err)
{
    bool is_any = address->host[0] == '\0';
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *all = NULL;
    int result = getaddrinfo(is_any ? NULL : address->host, address->port, &hints, &all);
    if (result != 0)
        return error_set(err, STATUS_UNAVAILABLE, "listen address: cannot resolve \"%.*s\": %s",
                         STR_ARG(text), gai_strerror(result));
    /* one IPv6 socket serves both families, where the machine has IPv6 */
    *out = is_any ? bind_family(all, AF_INET6) : -1;
    if (*out < 0)
        *out = bind_family(all, is_any ? AF_INET : AF_UNSPEC);
    int reason = errno;
    freeaddrinfo(all);
    if (*out < 0)
        return error_set(err, STATUS_UNAVAILABLE, "listen address: cannot bind \"%.*s\": %s",
                         STR_ARG(text), strerrordesc_np(reason));
    return STATUS_OK;
}

static unsigned port_of(int fd)
{
    struct sockaddr_storage name;
    socklen_t len = sizeof name;
    CHECK(getsockname(fd, (struct sockaddr *)&name, &len) == 0);
    if (name.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&name)->sin6_port);
    return ntohs(((struct sockaddr_in *)&name)->sin_port);
}

enum status listener_open(struct str address, struct listener **out, struct error *err)
{
    struct address parsed;
    int fd = -1;
    TRY(parse_address(address, &parsed, err));
    TRY(bind_address(address, &parsed, &fd, err));
    struct listener *listener = mem_alloc_zeroed(1, sizeof *listener);
    listener->socket = fd;
    listener->port = port_of(fd);
    listener->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CHECK(listener->wake >= 0);
    *out = listener;
    return STATUS_OK;
}

unsigned listener_port(const struct listener *listener)
{
    return listener->port;
}

/* Accepts who is waiting. False when the process is out of descriptors or memory. */
static bool accept_waiting(struct listener *listener)
{
    for (unsigned count = 0; count < BACKLOG; count++) {
        struct sockaddr_storage address;
        socklen_t len = sizeof address;
        int fd = accept4(listener->socket, (struct sockaddr *)&address, &len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            int on = 1, unsent = UNSENT_BYTES_MAX;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
            listener->accept(listener->context, fd, (struct sockaddr *)&address, len);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            return false;
        } else if (errno == EAGAIN) {
            return true;
        }
        /* everything else is the failure of that one caller: the next may be fine */
    }
    return true;
}

/* Real time, whatever the clock of the server says: this is about how often to look. */
static void tick_if_due(struct listener *listener, uint64_t *next_tick_ns)
{
    uint64_t now_ns = clock_monotonic_ns(clock_real());
    if (now_ns < *next_tick_ns)
        return;
    *next_tick_ns = now_ns + TICK_MS * (uint64_t)1000000;
    listener->tick(listener->context);
}

static void run(void *context)
{
    struct listener *listener = context;
    struct pollfd wake = {.fd = listener->wake, .events = POLLIN};
    bool is_exhausted = false;
    uint64_t next_tick_ns = 0;
    while (wake.revents == 0) {
        struct pollfd ends[2] = {wake, {.fd = listener->socket, .events = POLLIN}};
        poll(ends, is_exhausted ? 1 : 2, is_exhausted ? EXHAUSTED_PAUSE_MS : TICK_MS);
        wake.revents = ends[0].revents;
        bool was_exhausted = is_exhausted;
        is_exhausted = !accept_waiting(listener);
        if (is_exhausted && !was_exhausted)
            log_warn("listener: out of file descriptors or memory, new connections have to wait");
        tick_if_due(listener, &next_tick_ns);
    }
}

enum status listener_start(struct listener *listener, listener_accept accept, listener_tick tick,
                           void *context, struct error *err)
{
    /* who bound the address as well, and listens already, is met only here */
    if (listen(listener->socket, BACKLOG) != 0)
        return error_set(err, STATUS_UNAVAILABLE, "listen address: cannot listen on port %u: %s",
                         listener->port, strerrordesc_np(errno));
    listener->accept = accept;
    listener->tick = tick;
    listener->context = context;
    thread_start(&listener->thread, "http-accept", run, listener);
    return STATUS_OK;
}

void listener_stop(struct listener *listener)
{
    if (listener->socket < 0)
        return;
    eventfd_write(listener->wake, 1);
    thread_join(&listener->thread);
    close(listener->socket);
    listener->socket = -1;
}

void listener_close(struct listener *listener)
{
    if (listener == NULL)
        return;
    listener_stop(listener);
    close(listener->wake);
    mem_free(listener);
}
