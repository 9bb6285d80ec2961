#include "http/outgoing.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/words.h"

enum { HEAD_MAX_BYTES = 64 << 10, READ_BYTES = 16 << 10, REPLY_MAX_BYTES = 4 << 20 };

struct outgoing {
    struct url url;
    int socket; /* -1 when there is none */
    struct buffer received;
};

/* ---- url ---- */

static enum status copy_part(char *to, size_t capacity, struct str part, const char *what,
                             struct error *err)
{
    if (part.len == 0 || part.len >= capacity)
        return error_set(err, STATUS_INVALID, "url: no %s, or a too long one", what);
    for (size_t i = 0; i < part.len; i++) {
        if (part.ptr[i] <= ' ' || part.ptr[i] == 0x7f)
            return error_set(err, STATUS_INVALID, "url: a blank or control character in the %s",
                             what);
    }
    memcpy(to, part.ptr, part.len);
    to[part.len] = '\0';
    return STATUS_OK;
}

static enum status parse_authority(struct str authority, struct url *out, struct error *err)
{
    bool is_bracketed = str_starts_with(authority, STR("["));
    size_t host_end = str_find(authority, is_bracketed ? ']' : ':', 0);
    struct str host =
        is_bracketed ? str_slice(authority, 1, host_end - 1) : str_slice(authority, 0, host_end);
    struct str rest = str_slice(authority, host_end + is_bracketed, SIZE_MAX);
    struct str port = rest.len == 0 ? STR("80") : str_slice(rest, 1, SIZE_MAX);
    uint64_t number;
    bool is_open = is_bracketed && host_end == authority.len;
    if (is_open || (rest.len > 0 && rest.ptr[0] != ':') || !parse_u64(port, &number) ||
        number == 0 || number > 65535)
        return error_set(err, STATUS_INVALID, "url: not a port: \"%.*s\"", STR_ARG(rest));
    TRY(copy_part(out->host, sizeof out->host, host, "host", err));
    return copy_part(out->port, sizeof out->port, port, "port", err);
}

enum status url_parse(struct str text, struct url *out, struct error *err)
{
    const struct str scheme = STR("http://");
    if (!str_starts_with(text, scheme))
        return error_set(err, STATUS_INVALID, "url: got \"%.*s\", want http://host:port",
                         STR_ARG(str_slice(text, 0, 100)));
    struct str rest = str_slice(text, scheme.len, SIZE_MAX);
    size_t slash = str_find(rest, '/', 0);
    struct str path = slash < rest.len ? str_slice(rest, slash, SIZE_MAX) : STR("/");
    TRY(parse_authority(str_slice(rest, 0, slash), out, err));
    return copy_part(out->path, sizeof out->path, path, "path", err);
}

/* ---- the connection ---- */

struct outgoing *outgoing_new(const struct url *url)
{
    struct outgoing *outgoing = mem_alloc_zeroed(1, sizeof *outgoing);
    outgoing->url = *url;
    outgoing->socket = -1;
    buffer_init(&outgoing->received, HEAD_MAX_BYTES + REPLY_MAX_BYTES);
    return outgoing;
}

static void disconnect(struct outgoing *outgoing)
{
    if (outgoing->socket >= 0)
        close(outgoing->socket);
    outgoing->socket = -1;
    buffer_reset(&outgoing->received);
}

void outgoing_free(struct outgoing *outgoing)
{
    if (outgoing == NULL)
        return;
    disconnect(outgoing);
    buffer_deinit(&outgoing->received);
    mem_free(outgoing);
}

static enum status failed(const struct outgoing *outgoing, const char *what, const char *why,
                          struct error *err)
{
    return error_set(err, STATUS_IO, "%s:%s: %s: %s", outgoing->url.host, outgoing->url.port, what,
                     why);
}

static int connect_to(const struct addrinfo *address)
{
    struct timeval patience = {.tv_sec = OUTGOING_TIMEOUT_S};
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static enum status connect_once(struct outgoing *outgoing, struct error *err)
{
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    if (outgoing->socket >= 0)
        return STATUS_OK;
    int failure = getaddrinfo(outgoing->url.host, outgoing->url.port, &wanted, &found);
    if (failure != 0)
        return failed(outgoing, "address", gai_strerror(failure), err);
    for (const struct addrinfo *at = found; at != NULL && outgoing->socket < 0; at = at->ai_next)
        outgoing->socket = connect_to(at);
    int error = errno;
    freeaddrinfo(found);
    return outgoing->socket >= 0 ? STATUS_OK
                                 : failed(outgoing, "connect", strerrordesc_np(error), err);
}

static enum status send_all(const struct outgoing *outgoing, struct bytes data, struct error *err)
{
    while (data.len > 0) {
        ssize_t sent = send(outgoing->socket, data.ptr, data.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return failed(outgoing, "send", strerrordesc_np(errno), err);
        data.ptr += sent;
        data.len -= (size_t)sent;
    }
    return STATUS_OK;
}

/* `*is_ended`: the other side has closed. */
static enum status receive_more(struct outgoing *outgoing, bool *is_ended, struct error *err)
{
    uint8_t *to = buffer_reserve(&outgoing->received, READ_BYTES);
    if (to == NULL)
        return failed(outgoing, "reply", "too long", err);
    ssize_t got;
    do {
        got = recv(outgoing->socket, to, READ_BYTES, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return failed(outgoing, "receive", strerrordesc_np(errno), err);
    outgoing->received.len += (size_t)got;
    *is_ended = got == 0;
    return STATUS_OK;
}

/* ---- the reply ---- */

/* The value of a header in `head`; empty when it is missing. */
static struct str find_header(struct str head, struct str name)
{
    for (size_t at = str_find(head, '\n', 0); at < head.len; at = str_find(head, '\n', at + 1)) {
        struct str line = str_slice(head, at + 1, str_find(head, '\r', at + 1) - at - 1);
        if (line.len <= name.len || line.ptr[name.len] != ':' ||
            !str_starts_with_caseless(line, name))
            continue;
        struct str value = str_slice(line, name.len + 1, SIZE_MAX);
        while (value.len > 0 && (value.ptr[0] == ' ' || value.ptr[0] == '\t'))
            value = str_slice(value, 1, SIZE_MAX);
        while (value.len > 0 && (value.ptr[value.len - 1] == ' '))
            value.len--;
        return value;
    }
    return STR("");
}

static enum status receive_head(struct outgoing *outgoing, struct str *head, struct error *err)
{
    for (;;) {
        struct str all = buffer_str(&outgoing->received);
        const char *end = all.len == 0 ? NULL : memmem(all.ptr, all.len, "\r\n\r\n", 4);
        bool is_ended = false;
        if (end != NULL) {
            *head = str_slice(all, 0, (size_t)(end - all.ptr) + 4);
            return STATUS_OK;
        }
        if (all.len > HEAD_MAX_BYTES)
            return failed(outgoing, "reply", "its head is too long", err);
        TRY(receive_more(outgoing, &is_ended, err));
        if (is_ended)
            return failed(outgoing, "reply", "the connection ended before it", err);
    }
}

static enum status parse_head(const struct outgoing *outgoing, struct str head,
                              struct outgoing_reply *reply, struct error *err)
{
    uint64_t number;
    if (!str_starts_with(head, STR("HTTP/1.")) || !parse_u64(str_slice(head, 9, 3), &number))
        return failed(outgoing, "reply", "not HTTP/1", err);
    reply->code = (unsigned)number;
    /* the form with a date is rare, and then the caller's own delay is as good */
    bool has_delay = parse_u64(find_header(head, STR("Retry-After")), &number);
    reply->retry_after_s = has_delay && number < INT32_MAX ? (int64_t)number : -1;
    return STATUS_OK;
}

struct reply_frame {
    size_t head_len;
    uint64_t body_len; /* UINT64_MAX: up to the end of the connection */
    bool is_last;      /* the connection ends with it */
};

/* A body in chunks shows as it comes: only errors have one, and their text stays readable. */
static struct reply_frame frame_reply(struct str head, unsigned code)
{
    struct reply_frame frame = {.head_len = head.len, .body_len = UINT64_MAX};
    struct str connection = find_header(head, STR("Connection"));
    if (code == 204 || code == 304)
        frame.body_len = 0;
    else if (!parse_u64(find_header(head, STR("Content-Length")), &frame.body_len))
        frame.body_len = UINT64_MAX;
    frame.is_last = frame.body_len == UINT64_MAX || str_eq_caseless(connection, STR("close"));
    return frame;
}

static enum status receive_body(struct outgoing *outgoing, const struct reply_frame *frame,
                                struct error *err)
{
    bool is_ended = false;
    while (!is_ended && outgoing->received.len - frame->head_len < frame->body_len)
        TRY(receive_more(outgoing, &is_ended, err));
    if (is_ended && frame->body_len != UINT64_MAX)
        return failed(outgoing, "reply", "the connection ended within it", err);
    return STATUS_OK;
}

static void drop_received(struct outgoing *outgoing, size_t len)
{
    struct buffer *received = &outgoing->received;
    memmove(received->ptr, received->ptr + len, received->len - len);
    received->len -= len;
}

/* Past interim replies: 100 Continue and the like. */
static enum status receive_final_head(struct outgoing *outgoing, struct str *head,
                                      struct outgoing_reply *reply, struct error *err)
{
    for (;;) {
        TRY(receive_head(outgoing, head, err));
        TRY(parse_head(outgoing, *head, reply, err));
        if (reply->code >= 200)
            return STATUS_OK;
        drop_received(outgoing, head->len);
    }
}

static enum status receive_reply(struct outgoing *outgoing, struct outgoing_reply *reply,
                                 struct error *err)
{
    struct str head;
    buffer_reset(&outgoing->received);
    TRY(receive_final_head(outgoing, &head, reply, err));
    struct reply_frame frame = frame_reply(head, reply->code);
    TRY(receive_body(outgoing, &frame, err));
    struct str body =
        str_slice(buffer_str(&outgoing->received), frame.head_len, sizeof reply->text - 1);
    if (body.len > 0)
        memcpy(reply->text, body.ptr, body.len);
    reply->text[body.len] = '\0';
    if (frame.is_last)
        disconnect(outgoing);
    return STATUS_OK;
}

static enum status exchange(struct outgoing *outgoing, struct str headers, struct bytes body,
                            struct outgoing_reply *reply, struct error *err)
{
    struct buffer head;
    buffer_init(&head, HEAD_MAX_BYTES);
    buffer_append_format(
        &head, "POST %s HTTP/1.1\r\nHost: %s:%s\r\nContent-Length: %zu\r\n%.*s\r\n",
        outgoing->url.path, outgoing->url.host, outgoing->url.port, body.len, STR_ARG(headers));
    enum status status = connect_once(outgoing, err);
    if (status == STATUS_OK)
        status = send_all(outgoing, buffer_bytes(&head), err);
    buffer_deinit(&head);
    TRY(status);
    /* who refuses early answers and closes before all is sent: the answer counts */
    struct error unsent;
    enum status sent = send_all(outgoing, body, &unsent);
    status = receive_reply(outgoing, reply, err);
    return status == STATUS_OK || sent == STATUS_OK ? status
                                                    : error_set(err, sent, "%s", unsent.text);
}

enum status outgoing_post(struct outgoing *outgoing, struct str headers, struct bytes body,
                          struct outgoing_reply *reply, struct error *err)
{
    *reply = (struct outgoing_reply){.retry_after_s = -1};
    enum status status = exchange(outgoing, headers, body, reply, err);
    if (status != STATUS_OK)
        disconnect(outgoing);
    return status;
}
