/*
 * What the server answers: each part with its routes, then the HTTP server that serves them all.
 */
#include "base/log.h"
#include "base/thread.h"
#include "server/feature.h"
#include "server/serve_impl.h"
#include "server/tenants_http.h"
#include "server/version.h"

enum {
    CONNECTIONS_PER_IP_MAX = 0, /* behind a proxy all clients share one address */
    /* longer than proxies keep a connection that they may use again (nginx: 60): what they send
       while it is closed here is a 502 there */
    IDLE_TIMEOUT_S = 120,
    QUERY_TIMEOUT_MS = 2 * 60 * 1000,
    QUERY_SERIES_MAX = 2000000,
    QUERY_HELP_WAITING_MAX = 64, /* calls for help; one more goes unheard */
    TENANT_WAITING_MIN = 100,
    TENANT_WAITING_PART = 4,
    ADMIN_QUEUE_MAX = 100,
    DECODED_MAX_BYTES = 32 << 20, /* of one remote write */
};

#define QUERY_SAMPLES_MAX      UINT64_C(50000000)
#define QUERY_MEMORY_MAX_BYTES ((size_t)1 << 30)

static unsigned at_least(unsigned number, unsigned least)
{
    return number < least ? least : number;
}

/* That run at a time. */
static unsigned tenant_queries_max(void)
{
    return at_least(thread_cpu_count(), 4);
}

/* Each has a connection, of which most are left to others. Fifty dashboards that are opened at once
   ask a thousand queries. */
static unsigned tenant_waiting_max(const struct server *server)
{
    return at_least(server->connections_max / TENANT_WAITING_PART, TENANT_WAITING_MIN);
}

/* Threads that help queries; each needs a turn as well, so they take no processor that a query
   wants. NULL when there is one processor. */
static struct pool *open_helpers(unsigned count)
{
    struct pool_options options = {
        .name = "helper", .thread_count = count, .queue_max = QUERY_HELP_WAITING_MAX};
    return count == 0 ? NULL : pool_open(&options);
}

void server_open_query(struct server *server)
{
    unsigned cpu_count = thread_cpu_count();
    struct lanes_options options = {.name = "query",
                                    .clock = clock_real(),
                                    .rules = {.lane_running_max = tenant_queries_max(),
                                              .lane_waiting_max = tenant_waiting_max(server),
                                              .running_max = at_least(2 * cpu_count, 20),
                                              .crowd_max = at_least(4 * cpu_count, 64)}};
    server->lanes = lanes_open(&options);
    server->turns = turns_new(clock_real(), cpu_count);
    struct features features = {0};
    features_enable(&features, server->config.enable_feature);
    server->query_helpers = open_helpers(cpu_count - 1);
    server->engine = (struct engine){.store = server->store,
                                     .clock = clock_real(),
                                     .lookback_ms = 5 * MINUTE_MS,
                                     .default_step_ms = MINUTE_MS,
                                     .samples_max = QUERY_SAMPLES_MAX,
                                     .memory_max_bytes = QUERY_MEMORY_MAX_BYTES,
                                     .allows_experimental = features.has_experimental_functions,
                                     .helpers = server->query_helpers,
                                     .helper_count = cpu_count - 1};
    server->query_api = (struct query_api){.engine = &server->engine,
                                           .lanes = server->lanes,
                                           .turns = server->turns,
                                           .memory = server->query_memory,
                                           .timeout_ms = QUERY_TIMEOUT_MS,
                                           .series_max = QUERY_SERIES_MAX};
    server->route_count +=
        query_api_routes(&server->query_api, server->routes + server->route_count);
}

void server_open_ingest(struct server *server)
{
    server->metadata = metadata_new(METADATA_METRICS_MAX);
    struct write_path_options options = {.store = server->store,
                                         .tenants = store_tenants(server->store),
                                         .metadata = server->metadata,
                                         .counters = &server->write_counters,
                                         .scan = write_scan_options_default(),
                                         .decoded_max_bytes = DECODED_MAX_BYTES};
    options.scan.tenant_label = server->config.tenant_label;
    options.ha_tracker = server->ha_tracker = ha_tracker_new(clock_real());
    server->write_path = write_path_new(&options);
    server->write_crew = write_crew_open(clock_real(), thread_cpu_count());
    refusal_pace_init(&server->refusal_pace, thread_cpu_count());
    server->write_hold = write_hold_open(clock_real());
    server->write_http = (struct write_http){.path = server->write_path,
                                             .counters = &server->write_counters,
                                             .crew = server->write_crew,
                                             .pace = &server->refusal_pace,
                                             .hold = server->write_hold};
    write_http_routes(&server->write_http, server->routes + server->route_count);
    server->route_count += WRITE_HTTP_ROUTE_COUNT;
}

void server_open_admin(struct server *server)
{
    server->admin_api = (struct admin_api){.compactor = server->compactor};
    admin_api_routes(&server->admin_api, server->routes + server->route_count);
    server->route_count += ADMIN_API_ROUTE_COUNT;
    struct pool_options options = {
        .name = "admin", .thread_count = 1, .queue_max = ADMIN_QUEUE_MAX};
    server->admin_pool = pool_open(&options);
    server->limits_api =
        (struct limits_api){.layers = server->limit_layers, .pool = server->admin_pool};
    limits_api_routes(&server->limits_api, server->routes + server->route_count);
    server->route_count += LIMITS_API_ROUTE_COUNT;
    server->delete_api = (struct delete_api){.store = server->store, .pool = server->admin_pool};
    delete_api_routes(&server->delete_api, server->routes + server->route_count);
    server->route_count += DELETE_API_ROUTE_COUNT;
}

void server_open_status(struct server *server)
{
    server->own_metrics = (struct own_metrics){.store = server->store,
                                               .http = &server->http,
                                               .ingest = &server->write_counters,
                                               .ha_tracker = server->ha_tracker,
                                               .query = &server->query_api,
                                               .request_memory = server->request_memory,
                                               .maintenance = server->maintenance,
                                               .compactor = server->compactor,
                                               .started_ms = clock_now_ms(clock_real())};
    server->status_api = (struct status_api){.own_metrics = &server->own_metrics,
                                             .metadata = server->metadata,
                                             .tenants = store_tenants(server->store),
                                             .memory = server->query_memory};
    server->route_count +=
        status_api_routes(&server->status_api, server->routes + server->route_count);
    server->limit_rows = limit_rows_of(server->store, server->limit_layers);
    uint64_t *fallback = server->limit_rows.fallback;
    fallback[TENANT_LIMIT_RETENTION] = (uint64_t)server->config.retention_ms;
    fallback[TENANT_LIMIT_CREATION_GRACE] = FUTURE_MAX_MS;
    fallback[TENANT_LIMIT_QUERY_TIMEOUT] = QUERY_TIMEOUT_MS;
    fallback[TENANT_LIMIT_MAX_CONCURRENT_QUERIES] = tenant_queries_max();
    server->route_count +=
        tenants_api_routes(&server->limit_rows, server->routes + server->route_count);
    server->routes_api =
        (struct routes_api){.routes = server->routes, .route_count = &server->route_count};
    server->routes[server->route_count++] = routes_api_route(&server->routes_api);
}

enum status server_open_http(struct server *server, struct error *err)
{
    struct http_server_options options = {.listener = server->listener,
                                          .thread_count = thread_cpu_count(),
                                          .connections_max = server->connections_max,
                                          .connections_per_ip_max = CONNECTIONS_PER_IP_MAX,
                                          .idle_timeout_s = IDLE_TIMEOUT_S,
                                          .routes = server->routes,
                                          .route_count = server->route_count,
                                          .alias_prefix = STR("/prometheus"),
                                          .clock = clock_real(),
                                          .memory = server->request_memory,
                                          .tls = server->tls,
                                          .gate = credentials_gate(server->credentials)};
    server->listener = NULL;
    TRY(http_server_open(&options, &server->http, err));
    log_info("croft %s listens on port %u (%s), data in %.*s", CROFT_VERSION,
             http_server_port(server->http), server->tls == NULL ? "http" : "https",
             STR_ARG(server->config.data_dir));
    if (server->tls == NULL && server->config.has_credentials && !server_is_local(server))
        log_warn("there is no TLS: whoever can see the network can see tokens and samples");
    return STATUS_OK;
}
