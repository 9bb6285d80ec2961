#include "http/server_impl.h"

#include "base/check.h"
#include "base/words.h"
#include "http/framing.h"
#include "http/problem.h"

enum {
    HEADER_COUNT_MAX = 100,
    HEADER_BYTES_MAX = 32 << 10,
    DISCARD_BYTES_MAX = 256 << 10, /* of a body that nobody wants, to keep its connection */
};

static bool refuse_headers(struct exchange *exchange, const struct framing *framing)
{
    if (framing->is_ambiguous)
        exchange_reply_text(exchange, MHD_HTTP_BAD_REQUEST,
                            "request: want well-formed header fields, one Host, and either one "
                            "Content-Length or chunked encoding");
    else if (framing->field_count > HEADER_COUNT_MAX)
        exchange_reply_text(exchange, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
                            "request: got %zu header fields, the limit is %d", framing->field_count,
                            HEADER_COUNT_MAX);
    else if (framing->field_bytes > HEADER_BYTES_MAX)
        exchange_reply_text(exchange, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
                            "request: got %zu bytes of header fields, the limit is %d",
                            framing->field_bytes, HEADER_BYTES_MAX);
    return exchange->code != 0;
}

static const struct {
    const char *name;
    enum http_method method;
} METHODS[] = {
    {MHD_HTTP_METHOD_GET, HTTP_GET},       {MHD_HTTP_METHOD_HEAD, HTTP_HEAD},
    {MHD_HTTP_METHOD_POST, HTTP_POST},     {MHD_HTTP_METHOD_PUT, HTTP_PUT},
    {MHD_HTTP_METHOD_DELETE, HTTP_DELETE}, {MHD_HTTP_METHOD_OPTIONS, HTTP_OPTIONS},
};

enum { METHOD_COUNT = sizeof METHODS / sizeof METHODS[0] };

/* 0 for a method that no route can have. */
static unsigned method_of(const char *name)
{
    for (size_t index = 0; index < METHOD_COUNT; index++) {
        if (strcmp(METHODS[index].name, name) == 0)
            return METHODS[index].method;
    }
    return 0;
}

static bool is_api(const struct router_match *match)
{
    return str_starts_with(str_from(match->pattern), STR("/api/"));
}

/* Adds the Allow header: what the routes take, and what is taken on their behalf. */
static void add_allow(struct exchange *exchange, const struct router_match *match)
{
    unsigned methods = match->methods;
    if ((methods & HTTP_GET) != 0)
        methods |= HTTP_HEAD;
    if (is_api(match))
        methods |= HTTP_OPTIONS;
    struct buffer list;
    buffer_init(&list, 128);
    for (size_t index = 0; index < METHOD_COUNT; index++) {
        if ((methods & METHODS[index].method) != 0)
            buffer_append_format(&list, "%s%s", list.len > 0 ? ", " : "", METHODS[index].name);
    }
    buffer_append_byte(&list, '\0');
    exchange_reply_header(exchange, MHD_HTTP_HEADER_ALLOW, (const char *)list.ptr);
    buffer_deinit(&list);
}

/* The question of a browser whether its page may call us. */
static void reply_preflight(struct exchange *exchange, const struct router_match *match)
{
    add_allow(exchange, match);
    exchange_reply_header(exchange, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_HEADERS,
                          "Accept, Authorization, Content-Type, Origin");
    exchange_reply_header(exchange, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_METHODS,
                          "GET, POST, OPTIONS");
    exchange_reply_header(exchange, MHD_HTTP_HEADER_ACCESS_CONTROL_EXPOSE_HEADERS, "Date");
    if (exchange->server->cors_origin != NULL)
        exchange_reply_header(exchange, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN,
                              exchange->server->cors_origin);
    exchange_reply_empty(exchange);
}

/* Finds the route, or replies that there is none. */
static bool refuse_route(struct exchange *exchange, const char *method_name)
{
    struct router_match match;
    struct error err;
    unsigned method = method_of(method_name);
    unsigned accepted = method == HTTP_HEAD ? HTTP_HEAD | HTTP_GET : method;
    if (router_find(exchange->server->router, exchange->path, accepted, &exchange->arena, &match,
                    &err) != STATUS_OK) {
        exchange_reply_text(exchange, MHD_HTTP_BAD_REQUEST, "%s", err.text);
    } else if (match.pattern == NULL) {
        exchange_reply_text(exchange, MHD_HTTP_NOT_FOUND, "404 page not found");
    } else if (match.route == NULL && method == HTTP_OPTIONS && is_api(&match)) {
        reply_preflight(exchange, &match);
    } else if (match.route == NULL) {
        add_allow(exchange, &match);
        exchange_reply_text(exchange, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed");
    } else {
        exchange->route = match.route;
        exchange->capture = match.capture;
        /* a route that knows only GET need not know of HEAD: libmicrohttpd leaves the body out */
        exchange->method = (match.route->methods & method) != 0 ? method : HTTP_GET;
    }
    return exchange->code != 0;
}

/* Senders log the text; others look for the envelope of the API. */
static void refuse(struct exchange *exchange, unsigned code, const char *type,
                   const struct error *err)
{
    enum route_access access = exchange->route->access;
    if (access == ROUTE_WRITE || access == ROUTE_OPERATOR)
        exchange_reply_text(exchange, code, "%s", err->text);
    else
        problem_reply(exchange, code, type, str_from(err->text));
}

static bool refuse_body(struct exchange *exchange, uint64_t length)
{
    struct error err;
    size_t max_bytes = exchange->route->body_max_bytes;
    if (length <= max_bytes)
        return false;
    error_set(&err, STATUS_LIMIT, "body: got a Content-Length of %zu bytes, the limit is %zu",
              (size_t)length, max_bytes);
    refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "bad_data", &err);
    return true;
}

static bool refuse_peer(struct exchange *exchange)
{
    struct peer *peer = exchange->peer;
    if (peer->tls != NULL && !tls_trusts(peer->tls, exchange->connection, &peer->roots_number))
        exchange_reply_text(exchange, MHD_HTTP_FORBIDDEN,
                            "tls: want a client certificate signed by one of our client CAs");
    return exchange->code != 0;
}

static bool refuse_caller(struct exchange *exchange)
{
    const struct gate *gate = &exchange->server->gate;
    enum route_access access = exchange->route->access;
    if (gate->admit != NULL && access != ROUTE_OPEN)
        CHECK(gate->admit(gate->context, exchange, access, &exchange->grant) ==
              (exchange->code == 0));
    if (exchange->code == 0)
        exchange->payer = gate->payer == NULL ? STR("") : gate->payer(gate->context, exchange);
    return exchange->code != 0;
}

static bool refuse_admission(struct exchange *exchange)
{
    const struct route *route = exchange->route;
    if (route->admit != NULL)
        CHECK(route->admit(route->context, exchange) == (exchange->code == 0));
    return exchange->code != 0;
}

static void refuse_for_now(struct exchange *exchange, const struct error *err)
{
    exchange_reply_header(exchange, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "unavailable", err);
}

/* Before the body is read; one whose length is not known is charged as it arrives. */
static bool refuse_memory(struct exchange *exchange, uint64_t length)
{
    struct http_server *server = exchange->server;
    struct error err;
    charge_init(&exchange->body_charge, server->memory, exchange->payer);
    if (length > 0 && charge_take(&exchange->body_charge, (size_t)length, &err) != STATUS_OK)
        refuse_for_now(exchange, &err);
    return exchange->code != 0;
}

/* A refused body is read and forgotten while it is small, which keeps the connection and makes sure
   that the client gets to read the reply; otherwise the reply goes out at once and ends both. */
static void decide_phase(struct exchange *exchange, const struct framing *framing)
{
    bool has_body = framing->is_chunked || framing->length > 0;
    bool can_discard =
        !framing->is_chunked && framing->length <= DISCARD_BYTES_MAX && !framing->expects_continue;
    exchange->phase = exchange->code == 0 ? EXCHANGE_READING : EXCHANGE_REFUSED;
    exchange->must_close =
        exchange->code != 0 && (framing->is_ambiguous || (has_body && !can_discard));
}

/* Whoever takes us for a proxy names the whole URL (RFC 9112, 3.2.2). */
static struct str path_of(const char *target)
{
    const struct str schemes[] = {STR("http://"), STR("https://")};
    struct str text = str_from(target);
    for (size_t i = 0; i < 2; i++) {
        if (str_starts_with_caseless(text, schemes[i]))
            return str_slice(text, str_find(text, '/', schemes[i].len), SIZE_MAX);
    }
    return text;
}

static struct exchange *new_exchange(struct http_server *server, struct MHD_Connection *connection,
                                     const char *url)
{
    struct exchange *exchange = exchange_pool_take(&server->pool);
    exchange->server = server;
    exchange->connection = connection;
    exchange->peer =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    uint64_t now_ns = clock_monotonic_ns(server->clock);
    progress_begin(&exchange->progress, 0, now_ns);
    peer_note_headers(exchange->peer, now_ns);
    exchange->path = path_of(url);
    refcount_init(&exchange->owners);
    refcount_acquire(&exchange->owners);
    return exchange;
}

struct exchange *intake_begin(struct http_server *server, struct MHD_Connection *connection,
                              const char *url, const char *method, const char *version)
{
    struct exchange *exchange = new_exchange(server, connection, url);
    struct framing framing = framing_of(connection, version);
    bool is_refused = refuse_headers(exchange, &framing) || refuse_peer(exchange) ||
                      refuse_route(exchange, method) || refuse_caller(exchange) ||
                      refuse_body(exchange, framing.length) || refuse_admission(exchange) ||
                      refuse_memory(exchange, framing.length);
    decide_phase(exchange, &framing);
    if (!is_refused && framing.length > 0)
        buffer_reserve(&exchange->body, (size_t)framing.length);
    return exchange;
}

/* What comes beyond the length that was charged; replies when there is no memory for it. */
static bool charge_part(struct exchange *exchange, size_t len)
{
    struct error err;
    size_t want_bytes = exchange->body.len + len, held_bytes = exchange->body_charge.held_bytes;
    if (want_bytes <= held_bytes ||
        charge_take(&exchange->body_charge, want_bytes - held_bytes, &err) == STATUS_OK)
        return true;
    refuse_for_now(exchange, &err);
    return false;
}

bool intake_receive(struct exchange *exchange, struct bytes part)
{
    size_t max_bytes = exchange->route == NULL ? 0 : exchange->route->body_max_bytes;
    exchange->received_bytes += part.len;
    if (exchange->phase == EXCHANGE_READING && part.len > max_bytes - exchange->body.len) {
        /* chunked: the length was not known before */
        struct error err;
        error_set(&err, STATUS_LIMIT, "body: larger than the limit of %zu bytes", max_bytes);
        refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "bad_data", &err);
        exchange->phase = EXCHANGE_REFUSED;
    }
    if (exchange->phase == EXCHANGE_READING && !charge_part(exchange, part.len))
        exchange->phase = EXCHANGE_REFUSED;
    if (exchange->phase == EXCHANGE_READING)
        buffer_append(&exchange->body, part.ptr, part.len);
    bool is_endless = exchange->phase == EXCHANGE_REFUSED &&
                      exchange->received_bytes > max_bytes + DISCARD_BYTES_MAX;
    return !is_endless && !progress_is_slow(&exchange->progress, exchange->received_bytes,
                                            clock_monotonic_ns(exchange->server->clock));
}

static enum status read_params(struct exchange *exchange, struct error *err)
{
    struct str type = exchange_header(exchange, MHD_HTTP_HEADER_CONTENT_TYPE, NULL);
    struct buffer *body = &exchange->body, *query = &exchange->peer->query;
    if (body->len > 0 && params_is_form(type)) {
        size_t len = body->len;
        body->len = 0; /* decoded where it lies, it is no longer what was sent */
        TRY(params_add_form(&exchange->params, &exchange->arena, (char *)body->ptr, len, err));
    }
    TRY(params_add_form(&exchange->params, &exchange->arena, (char *)query->ptr, query->len, err));
    return STATUS_OK;
}

bool intake_finish(struct exchange *exchange)
{
    struct error err;
    peer_note_request(exchange->peer);
    if (exchange->phase == EXCHANGE_REFUSED)
        return true;
    exchange->phase = EXCHANGE_REFUSED;
    exchange->arena.charge = &exchange->body_charge;
    if (read_params(exchange, &err) != STATUS_OK) {
        refuse(exchange, MHD_HTTP_BAD_REQUEST, "bad_data", &err);
        return true;
    }
    if (!exchange_pool_begin_answer(&exchange->server->pool)) {
        exchange_reply_text(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "shutting down");
        return true;
    }
    exchange->phase = EXCHANGE_ASKED;
    if (exchange->route->access != ROUTE_OPEN)
        counter_set(&exchange->peer->is_known, 1);
    counter_add(&exchange->server->counters.requests, 1);
    exchange->route->handle(exchange->route->context, exchange);
    return !exchange_suspend(exchange);
}
