#include "http/server.h"

#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/thread.h"
#include "http/server_impl.h"

/* A request line of 64 KiB with headers of 24, or of 48 with 32; half of it is the buffer that
   receives at first. libmicrohttpd clears all of it after each request, so it is in memory for each
   connection that is kept, and with many of them it has left the caches until it is cleared. */
enum { CONNECTION_MEMORY_BYTES = 96 << 10 };

_Static_assert(CONNECTION_MEMORY_BYTES <= (int)HTTP_CONNECTION_BYTES_MAX - (64 << 10),
               "and a TLS session");

/* After being idle as long as it may, a client has this long to send its headers. */
enum { HEADER_S_MAX = 10 };

enum {
    CLOSE_STEP_MS = 200,
    CLOSE_LOOK_MS = 1000, /* as the listener: who has read nothing for so long is stalled */
    /* for the rest of a request, and for a reply to be read on */
    CLOSE_PATIENCE_MS = 5000,
};

enum { ROOM_WAIT_MS = 1000 };

static const uint64_t NS_PER_S = 1000000000;

static enum MHD_Result send_reply(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    struct MHD_Response *response = exchange->response;
    bool must_close = exchange->must_close || flag_is_set(&server->is_draining);
    if (response == NULL)
        response = must_close ? server->empty_close : server->empty;
    else if (must_close)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    if (exchange->phase == EXCHANGE_REFUSED)
        counter_add(&server->counters.refused, 1);
    peer_note_reply(exchange->peer, clock_monotonic_ns(server->clock));
    counter_add(&server->counters.replies[exchange->code / 100], 1);
    return MHD_queue_response(exchange->connection, exchange->code, response);
}

/* libmicrohttpd calls this when the headers are there, for each part of the body, at the end of the
   body, and again when a suspended connection is resumed. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *part,
                                  size_t *part_len, void **request)
{
    struct exchange *exchange = *request;
    if (exchange == NULL) {
        exchange = intake_begin(context, connection, url, method, version);
        *request = exchange;
        return exchange->must_close ? send_reply(exchange) : MHD_YES;
    }
    if (*part_len > 0) {
        struct bytes bytes = {(const uint8_t *)part, *part_len};
        *part_len = 0;
        return intake_receive(exchange, bytes) ? MHD_YES : MHD_NO;
    }
    bool is_ready = exchange->phase == EXCHANGE_ASKED || intake_finish(exchange);
    return is_ready ? send_reply(exchange) : MHD_YES;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode how)
{
    (void)connection;
    (void)how;
    struct http_server *server = context;
    struct exchange *exchange = *request;
    if (exchange == NULL)
        return;
    if (exchange->response != NULL)
        MHD_destroy_response(exchange->response);
    if (exchange->grant != NULL)
        server->gate.release(server->gate.context, exchange->grant);
    charge_deinit(&exchange->body_charge);
    charge_deinit(&exchange->reply_charge);
    buffer_deinit(&exchange->peer->query);
    buffer_init(&exchange->peer->query, SIZE_MAX);
    peer_note_end(exchange->peer, clock_monotonic_ns(server->clock));
    exchange_pool_give(&server->pool, exchange);
    *request = NULL;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **peer,
                          enum MHD_ConnectionNotificationCode event)
{
    struct http_server *server = context;
    if (event == MHD_CONNECTION_NOTIFY_STARTED) {
        int socket =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        const struct sockaddr *address =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
        struct peer *added = peers_add(&server->peers, socket, network_of(address),
                                       clock_monotonic_ns(server->clock));
        added->tls = server->tls;
        *peer = added;
    } else {
        counter_sub(&server->counters.connections, 1);
        peers_remove(&server->peers, *peer);
    }
}

static struct peer *peer_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* libmicrohttpd 0.9.75 takes 72 bytes of a connection's memory for each parameter of the URL. When
   that is used up it answers and then waits for the headers that it has read already: the client
   hears nothing until the idle timeout. So it is shown no parameters: the text behind the '?' is
   kept here, and ends for the library where it begins. */
static void *on_url(void *context, const char *url, struct MHD_Connection *connection)
{
    (void)context;
    struct buffer *query = &peer_of(connection)->query;
    char *mark = url == NULL ? NULL : strchr(url, '?');
    buffer_reset(query); /* of a request that came to nothing */
    if (mark == NULL)
        return NULL;
    buffer_append(query, mark + 1, strlen(mark + 1));
    mark[1] = '\0';
    return NULL;
}

/* Paths are decoded by us, after they have been split. */
static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

static bool is_full(const struct http_server *server)
{
    return counter_get(&server->counters.connections) >= server->connections_max;
}

/* Who was let go is still here until his thread sees it; the next callers wait in the kernel's
   queue meanwhile. */
static void make_room(struct http_server *server, const struct sockaddr *address)
{
    peers_make_room(&server->peers, network_of(address), clock_monotonic_ns(server->clock));
    for (int ms = 0; ms < ROOM_WAIT_MS && is_full(server); ms++) {
        if (counter_get(&server->peers.leaving) == 0)
            return;
        thread_sleep_ms(1);
    }
}

static void on_accept(void *context, int socket, const struct sockaddr *address,
                      socklen_t address_len)
{
    struct http_server *server = context;
    if (is_full(server))
        make_room(server, address);
    if (is_full(server)) {
        close(socket);
        return;
    }
    counter_add(&server->counters.connections, 1);
    /* one beyond the limit of its address libmicrohttpd closes itself */
    if (MHD_add_connection(server->daemon, socket, address, address_len) != MHD_YES)
        counter_sub(&server->counters.connections, 1);
}

/* More than a thread ever gets. The limit of all is kept in on_accept, because libmicrohttpd 0.9.75
   never unlocks a mutex when one of its threads finds that its own limit has been passed. */
static unsigned connection_limit(const struct http_server_options *options)
{
    unsigned thread_count = options->thread_count > 1 ? options->thread_count : 1;
    return (options->connections_max + 1) * thread_count;
}

static void on_tick(void *context)
{
    struct http_server *server = context;
    peers_cut(&server->peers, clock_monotonic_ns(server->clock), server->waiting_ns_max);
}

static struct MHD_Daemon *start_daemon(struct http_server *server,
                                       const struct http_server_options *options)
{
    unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET;
    if (options->tls != NULL)
        flags |= MHD_USE_TLS;
    struct MHD_OptionItem of_tls[TLS_ITEMS];
    tls_items(options->tls, of_tls);
    unsigned pool_size = options->thread_count > 1 ? options->thread_count : 0;
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, server},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, server},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_url, server},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, NULL},
        {MHD_OPTION_THREAD_POOL_SIZE, pool_size, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, connection_limit(options), NULL},
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, options->connections_per_ip_max, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, options->idle_timeout_s, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY_BYTES, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, server, MHD_OPTION_ARRAY, items,
                            MHD_OPTION_ARRAY, of_tls, MHD_OPTION_END);
}

static struct MHD_Response *new_empty_response(void)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
    CHECK(response != NULL);
    return response;
}

static void server_free(struct http_server *server)
{
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    listener_close(server->listener);
    MHD_destroy_response(server->empty);
    MHD_destroy_response(server->empty_close);
    router_free(server->router);
    exchange_pool_deinit(&server->pool);
    peers_deinit(&server->peers);
    mem_free(server);
}

static enum status start(struct http_server *server, const struct http_server_options *options,
                         struct error *err)
{
    server->daemon = start_daemon(server, options);
    if (server->daemon == NULL)
        return error_set(err, STATUS_UNAVAILABLE, "server: cannot start its threads");
    return listener_start(server->listener, on_accept, on_tick, server, err);
}

enum status http_server_open(const struct http_server_options *options, struct http_server **out,
                             struct error *err)
{
    struct listener *listener = options->listener;
    if (listener == NULL)
        TRY(listener_open(options->listen, &listener, err));
    struct http_server *server = mem_alloc_zeroed(1, sizeof *server);
    server->clock = options->clock;
    server->cors_origin = options->cors_origin;
    server->gate = options->gate;
    server->memory = options->memory;
    server->tls = options->tls;
    server->connections_max = options->connections_max;
    server->listener = listener;
    server->router = router_new(options->routes, options->route_count, options->alias_prefix);
    server->empty = new_empty_response();
    server->empty_close = new_empty_response();
    MHD_add_response_header(server->empty_close, MHD_HTTP_HEADER_CONNECTION, "close");
    exchange_pool_init(&server->pool);
    peers_init(&server->peers);
    server->waiting_ns_max = (options->idle_timeout_s + HEADER_S_MAX) * NS_PER_S;
    *out = server;
    enum status status = start(server, options, err);
    if (status != STATUS_OK) {
        *out = NULL;
        server_free(server);
    }
    return status;
}

unsigned http_server_port(const struct http_server *server)
{
    return listener_port(server->listener);
}

const struct http_server_counters *http_server_counters(const struct http_server *server)
{
    return &server->counters;
}

void http_server_drain(struct http_server *server)
{
    flag_set(&server->is_draining);
    listener_stop(server->listener);
}

enum status http_server_close(struct http_server *server, int64_t timeout_ms, struct error *err)
{
    if (server == NULL)
        return STATUS_OK;
    http_server_drain(server);
    int64_t left_ms = timeout_ms;
    while (left_ms > 0 && !exchange_pool_wait_quiet(&server->pool, CLOSE_STEP_MS)) {
        left_ms -= CLOSE_STEP_MS;
        if ((timeout_ms - left_ms) % CLOSE_LOOK_MS == 0)
            on_tick(server); /* the listener no longer does */
        if (timeout_ms - left_ms >= CLOSE_PATIENCE_MS)
            peers_cut_waiting(&server->peers);
        if (left_ms <= timeout_ms / 2)
            flag_set(&server->is_ending);
    }
    if (!exchange_pool_close(&server->pool))
        return error_set(err, STATUS_TIMEOUT, "server: requests are still unanswered");
    server_free(server);
    return STATUS_OK;
}
