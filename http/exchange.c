#include "http/exchange_impl.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "base/check.h"
#include "base/mem.h"
#include "http/gzip.h"
#include "http/large_body.h"
#include "http/server_impl.h"

enum { TEXT_BYTES_MAX = 1024 };

enum http_method exchange_method(const struct exchange *exchange)
{
    return exchange->method;
}

struct str exchange_capture(const struct exchange *exchange)
{
    return exchange->capture;
}

struct str exchange_header(const struct exchange *exchange, const char *name, bool *is_present)
{
    const char *value = NULL;
    size_t len = 0;
    enum MHD_Result found = MHD_lookup_connection_value_n(exchange->connection, MHD_HEADER_KIND,
                                                          name, strlen(name), &value, &len);
    if (is_present != NULL)
        *is_present = found == MHD_YES;
    /* libmicrohttpd leaves the blanks behind a value where they are */
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        len--;
    return len > 0 ? (struct str){value, len} : STR("");
}

struct str network_of(const struct sockaddr *address)
{
    enum { NETWORK_BYTES = 8, MAPPED_AT = 12 };
    if (address->sa_family == AF_INET6) {
        const struct in6_addr *in6 =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        /* on a socket of both families, a client of IPv4 */
        if (IN6_IS_ADDR_V4MAPPED(in6))
            return (struct str){(const char *)in6 + MAPPED_AT, sizeof(struct in_addr)};
        return (struct str){(const char *)in6, NETWORK_BYTES};
    }
    const struct in_addr *in = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    return (struct str){(const char *)in, sizeof *in};
}

struct str exchange_address(const struct exchange *exchange)
{
    return network_of(
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
            ->client_addr);
}

struct header_count {
    const char *name;
    size_t count;
};

static enum MHD_Result count_header(void *context, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    (void)kind;
    (void)value;
    struct header_count *sought = context;
    sought->count += strcasecmp(name, sought->name) == 0;
    return MHD_YES;
}

size_t exchange_header_count(const struct exchange *exchange, const char *name)
{
    struct header_count sought = {.name = name};
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, count_header, &sought);
    return sought.count;
}

struct str exchange_param(const struct exchange *exchange, const char *name, bool *is_present)
{
    const struct param *param = params_find(&exchange->params, str_from(name));
    if (is_present != NULL)
        *is_present = param != NULL;
    return param != NULL ? param->value : STR("");
}

size_t exchange_params(struct exchange *exchange, const char *name, struct str **out)
{
    return params_values(&exchange->params, str_from(name), &exchange->arena, out);
}

struct bytes exchange_body(const struct exchange *exchange)
{
    return buffer_bytes(&exchange->body);
}

const struct grant *exchange_grant(const struct exchange *exchange)
{
    return exchange->grant;
}

struct str exchange_payer(const struct exchange *exchange)
{
    return exchange->payer;
}

struct arena *exchange_arena(struct exchange *exchange)
{
    return &exchange->arena;
}

void exchange_charge_reply(struct exchange *exchange, struct budget *budget, struct str payer)
{
    CHECK(exchange->reply_charge.budget == NULL);
    charge_init(&exchange->reply_charge, budget, payer);
}

struct charge *exchange_body_charge(struct exchange *exchange)
{
    return &exchange->body_charge;
}

struct charge *exchange_reply_charge(struct exchange *exchange)
{
    return &exchange->reply_charge;
}

void exchange_reply_header(struct exchange *exchange, const char *name, const char *value)
{
    struct reply_header *header = arena_alloc(&exchange->arena, sizeof *header);
    header->next = exchange->reply_headers;
    header->name = arena_format(&exchange->arena, "%s", name).ptr;
    header->value = arena_format(&exchange->arena, "%s", value).ptr;
    exchange->reply_headers = header;
}

static void resume(struct exchange *exchange)
{
    /* the exchange may be recycled as soon as its connection runs again */
    struct exchange_pool *pool = &exchange->server->pool;
    MHD_resume_connection(exchange->connection);
    exchange_pool_end_answer(pool);
}

bool exchange_suspend(struct exchange *exchange)
{
    if (refcount_is_sole(&exchange->owners)) {
        exchange_pool_end_answer(&exchange->server->pool);
        return false;
    }
    MHD_suspend_connection(exchange->connection);
    if (refcount_release(&exchange->owners))
        resume(exchange);
    return true;
}

/* Hands the reply over to the connection's thread; the exchange must not be touched afterwards. */
static void give_reply(struct exchange *exchange, unsigned code, struct MHD_Response *response)
{
    CHECK(exchange->code == 0);
    CHECK(code >= 200 && code < 600);
    for (struct reply_header *header = exchange->reply_headers; header != NULL;
         header = header->next)
        MHD_add_response_header(response, header->name, header->value);
    exchange->code = code;
    exchange->response = response;
    if (refcount_release(&exchange->owners))
        resume(exchange);
}

/* `body` is taken. */
static struct MHD_Response *response_of(struct buffer *body)
{
    if (body->len >= LARGE_BODY_BYTES_MIN)
        return large_body_response(body);
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        body->len, body->ptr == NULL ? (void *)"" : body->ptr, body->ptr == NULL ? NULL : mem_free,
        body->ptr);
    *body = (struct buffer){0};
    return response;
}

static bool is_compressed(const struct exchange *exchange, struct str body)
{
    return body.len >= GZIP_MIN_BYTES &&
           gzip_is_accepted(exchange_header(exchange, MHD_HTTP_HEADER_ACCEPT_ENCODING, NULL));
}

/* Gives the reply whose body, compressed or not, is `body`, which is taken. */
static void reply_with(struct exchange *exchange, unsigned code, const char *content_type,
                       struct buffer *body, bool is_gzip)
{
    bool varies = code == MHD_HTTP_OK && body->len > 0;
    CHECK(body->charge == NULL || body->charge == &exchange->reply_charge);
    if (body->charge == NULL)
        charge_force(&exchange->reply_charge, body->capacity);
    struct MHD_Response *response = response_of(body);
    CHECK(response != NULL);
    if (content_type != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    if (is_gzip)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    if (varies)
        MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept-Encoding, Origin");
    if (varies && exchange->server->cors_origin != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN,
                                exchange->server->cors_origin);
    give_reply(exchange, code, response);
}

/* Takes `body`, whose charge may end with the exchange. */
static void reply_compressed(struct exchange *exchange, unsigned code, const char *content_type,
                             struct buffer *body)
{
    struct buffer packed;
    buffer_init(&packed, SIZE_MAX);
    gzip_compress(buffer_bytes(body), &packed);
    buffer_deinit(body);
    reply_with(exchange, code, content_type, &packed, true);
}

void exchange_reply(struct exchange *exchange, unsigned code, const char *content_type,
                    struct str body)
{
    struct buffer copy;
    buffer_init(&copy, SIZE_MAX);
    buffer_append_str(&copy, body);
    exchange_reply_buffer(exchange, code, content_type, &copy);
}

void exchange_reply_buffer(struct exchange *exchange, unsigned code, const char *content_type,
                           struct buffer *body)
{
    if (body->is_overflown) {
        size_t max_bytes = body->max_bytes;
        buffer_deinit(body);
        exchange_reply_text(exchange, MHD_HTTP_INTERNAL_SERVER_ERROR,
                            "reply: too large, the limit is %zu bytes", max_bytes);
    } else if (is_compressed(exchange, buffer_str(body))) {
        reply_compressed(exchange, code, content_type, body);
    } else {
        reply_with(exchange, code, content_type, body, false);
    }
}

void exchange_reply_packed(struct exchange *exchange, unsigned code, const char *content_type,
                           struct buffer *body)
{
    CHECK(!body->is_overflown);
    reply_with(exchange, code, content_type, body, true);
}

void exchange_reply_empty(struct exchange *exchange)
{
    struct MHD_Response *response = NULL;
    if (exchange->reply_headers != NULL)
        response = response_of(&(struct buffer){0});
    give_reply(exchange, MHD_HTTP_NO_CONTENT, response);
}

void exchange_reply_text(struct exchange *exchange, unsigned code, const char *format, ...)
{
    struct buffer text;
    buffer_init(&text, TEXT_BYTES_MAX);
    va_list args;
    va_start(args, format);
    char *to = (char *)buffer_reserve(&text, TEXT_BYTES_MAX);
    int len = vsnprintf(to, TEXT_BYTES_MAX - 1, format, args);
    va_end(args);
    CHECK(len >= 0);
    text.len = (size_t)len < TEXT_BYTES_MAX - 2 ? (size_t)len : TEXT_BYTES_MAX - 2;
    buffer_append_byte(&text, '\n');
    reply_with(exchange, code, "text/plain; charset=utf-8", &text, false);
}

bool exchange_is_abandoned(struct exchange *exchange)
{
    if (flag_is_set(&exchange->server->is_ending))
        return true;
    struct pollfd end = {.fd = exchange->peer->socket, .events = POLLRDHUP};
    return poll(&end, 1, 0) > 0 && (end.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}
