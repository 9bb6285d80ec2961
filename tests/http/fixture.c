#include "tests/http/fixture.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/number.h"

enum { CLOSE_TIMEOUT_MS = 30000 };

static void handle_echo(void *context, struct exchange *exchange)
{
    (void)context;
    struct str *matches;
    struct buffer text;
    bool has_a;
    buffer_init(&text, ECHO_BYTES_MAX * 2);
    struct str a = exchange_param(exchange, "a", &has_a);
    buffer_append_format(&text, "method=%d a=%s%.*s", (int)exchange_method(exchange),
                         has_a ? "" : "none", STR_ARG(a));
    size_t count = exchange_params(exchange, "match[]", &matches);
    for (size_t index = 0; index < count; index++)
        buffer_append_format(&text, " match=%.*s", STR_ARG(matches[index]));
    buffer_append_format(&text, " body=");
    buffer_append_str(&text, str_of_bytes(exchange_body(exchange)));
    exchange_reply_buffer(exchange, 200, "text/plain", &text);
}

static void handle_label(void *context, struct exchange *exchange)
{
    (void)context;
    exchange_reply(exchange, 200, "text/plain", exchange_capture(exchange));
}

static void handle_push(void *context, struct exchange *exchange)
{
    (void)context;
    exchange_reply_empty(exchange);
}

static bool admit_with_key(void *context, struct exchange *exchange)
{
    (void)context;
    if (str_eq(exchange_header(exchange, "key", NULL), STR("right")))
        return true;
    exchange_reply_header(exchange, "WWW-Authenticate", "Bearer");
    exchange_reply_text(exchange, 401, "who are you");
    return false;
}

static void handle_late(void *context, struct exchange *exchange)
{
    struct desk *desk = context;
    mutex_lock(&desk->lock);
    CHECK(desk->count < DESK_MAX);
    desk->exchanges[desk->count++] = exchange;
    cond_broadcast(&desk->has_changed);
    mutex_unlock(&desk->lock);
}

static void handle_big(void *context, struct exchange *exchange)
{
    (void)context;
    uint64_t size = 0;
    CHECK(parse_u64(exchange_param(exchange, "size", NULL), &size) && size <= 64 << 20);
    struct str echo = exchange_param(exchange, "x", NULL);
    exchange_reply_header(exchange, "X-Echo",
                          arena_format(exchange_arena(exchange), "%.*s", STR_ARG(echo)).ptr);
    struct buffer body;
    buffer_init(&body, SIZE_MAX);
    memset(buffer_reserve(&body, size), 'x', size);
    body.len = size;
    exchange_reply_buffer(exchange, 200, "text/plain", &body);
}

void desk_wait(struct desk *desk, size_t count)
{
    mutex_lock(&desk->lock);
    while (desk->count < count)
        cond_wait(&desk->has_changed, &desk->lock);
    mutex_unlock(&desk->lock);
}

struct exchange *desk_take(struct desk *desk)
{
    mutex_lock(&desk->lock);
    CHECK(desk->count > 0);
    struct exchange *exchange = desk->exchanges[--desk->count];
    mutex_unlock(&desk->lock);
    return exchange;
}

static const struct route ROUTES[] = {
    {.methods = HTTP_GET | HTTP_POST,
     .pattern = "/api/v1/echo",
     .handle = handle_echo,
     .body_max_bytes = ECHO_BYTES_MAX},
    {.methods = HTTP_GET, .pattern = "/api/v1/label/*/values", .handle = handle_label},
    {.methods = HTTP_POST,
     .pattern = "/api/v1/push",
     .handle = handle_push,
     .body_max_bytes = PUSH_BYTES_MAX},
    {.methods = HTTP_POST,
     .pattern = "/api/v1/guarded",
     .handle = handle_push,
     .body_max_bytes = SIZE_MAX,
     .admit = admit_with_key},
    {.methods = HTTP_GET, .pattern = "/api/v1/late", .handle = handle_late},
    {.methods = HTTP_GET, .pattern = "/big", .handle = handle_big},
};

enum { ROUTE_COUNT = sizeof ROUTES / sizeof ROUTES[0] };

/* The routes with the desk as their context; freed by fixture_close. */
static struct route *routes_of(struct desk *desk)
{
    struct route *routes = mem_alloc(sizeof ROUTES);
    memcpy(routes, ROUTES, sizeof ROUTES);
    for (size_t index = 0; index < ROUTE_COUNT; index++)
        routes[index].context = desk;
    return routes;
}

void fixture_open_with(struct fixture *fixture, struct http_server_options changes)
{
    struct error err;
    mutex_init(&fixture->desk.lock);
    cond_init(&fixture->desk.has_changed);
    fixture->desk.count = 0;
    fixture->routes = routes_of(&fixture->desk);
    sim_clock_init(&fixture->clock, 1700000000000);
    sim_clock_advance(&fixture->clock, 1000); /* as of a real one: no moment of it is 0 */
    struct http_server_options options = {
        .listen = changes.listen.len > 0 ? changes.listen : STR("127.0.0.1:0"),
        .thread_count = 2,
        .connections_max = changes.connections_max > 0 ? changes.connections_max : 1000,
        .connections_per_ip_max = changes.connections_per_ip_max,
        .idle_timeout_s = changes.idle_timeout_s > 0 ? changes.idle_timeout_s : 60,
        .routes = fixture->routes,
        .route_count = ROUTE_COUNT,
        .alias_prefix = STR("/prometheus"),
        .cors_origin = changes.cors_origin,
        .clock = &fixture->clock.base,
        .memory = changes.memory,
    };
    enum status status = http_server_open(&options, &fixture->server, &err);
    CHECK(status == STATUS_OK);
    fixture->port = http_server_port(fixture->server);
}

void fixture_open(struct fixture *fixture)
{
    fixture_open_with(fixture, (struct http_server_options){0});
}

void fixture_close(struct fixture *fixture)
{
    struct error err;
    CHECK(http_server_close(fixture->server, CLOSE_TIMEOUT_MS, &err) == STATUS_OK);
    cond_deinit(&fixture->desk.has_changed);
    mutex_deinit(&fixture->desk.lock);
    mem_free(fixture->routes);
}
