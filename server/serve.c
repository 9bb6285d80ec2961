#include "server/serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/process.h"
#include "base/random.h"
#include "base/thread.h"
#include "compaction/compactor.h"
#include "compaction/maintenance.h"
#include "http/server.h"
#include "ingest/metadata.h"
#include "ingest/write_http.h"
#include "query/api/api_http.h"
#include "server/admin_http.h"
#include "server/config.h"
#include "server/credential.h"
#include "server/delete_http.h"
#include "server/feature.h"
#include "server/flags.h"
#include "server/limit_layers.h"
#include "server/limits_http.h"
#include "server/memory_share.h"
#include "server/own_metrics.h"
#include "server/routes_http.h"
#include "server/status_http.h"
#include "server/tenants_http.h"
#include "server/version.h"

enum {
    SHARDS_MIN = 2,
    SHARDS_MAX = 16,
    TENANTS_MAX = 100000,
    DISK_RESERVE_BYTES = 64 << 20,
    CONNECTIONS_MAX = 4096,
    CONNECTIONS_PER_IP_MAX = 0, /* behind a proxy all clients share one address */
    IDLE_TIMEOUT_S = 60,
    FUTURE_MAX_MS = 10 * 60 * 1000,
    QUERY_TIMEOUT_MS = 2 * 60 * 1000,
    QUERY_SERIES_MAX = 2000000,
    QUERY_HELP_WAITING_MAX = 64, /* calls for help; one more goes unheard */
    DRAIN_TIMEOUT_MS = 30 * 1000,
    REREAD_WAIT_MS = 100, /* whoever writes the configuration in place writes on before that */
    ROUTES_MAX = 64,
    ADMIN_QUEUE_MAX = 100,
    COMPACTION_CPU_PERCENT = 20,  /* of one core */
    DECODED_MAX_BYTES = 32 << 20, /* of one remote write */
};

#define MINUTE_MS INT64_C(60000)
#define QUERY_WAIT_MAX_NS                                                                          \
    UINT64_C(10000000000) /* for a thread, as long as others of its payer run */
#define QUERY_SAMPLES_MAX      UINT64_C(50000000)
#define QUERY_MEMORY_MAX_BYTES ((size_t)1 << 30)
#define FLUSH_MEMORY_MAX_BYTES (UINT64_C(2) << 30) /* of the samples of all heads together */
#define FLUSH_WAL_MAX_BYTES    (UINT64_C(2) << 30) /* of all logs together */
/* Of one shard. A core replays them in ten seconds, and shards are replayed side by side; half an
   hour at 100,000 a second stays below. */
#define FLUSH_SAMPLES_MAX UINT64_C(200000000)

static const struct label_limits label_limits = {
    .labels_max = 64, .name_len_max = 1024, .value_len_max = 4096};

/* Everything that runs, in the order in which it is started. */
struct server {
    struct flags flags;
    struct config config;
    struct disk *disk;
    struct store *store;
    struct limit_layers *limit_layers;
    struct metadata *metadata;
    struct ha_tracker *ha_tracker;
    struct maintenance *maintenance;
    struct compactor *compactor;
    struct lanes *lanes;
    struct pool *query_helpers;
    struct turns *turns;
    struct engine engine;
    struct query_api query_api;
    struct write_counters write_counters;
    struct write_path *write_path;
    struct write_http write_http;
    struct pool *admin_pool;
    struct admin_api admin_api;
    struct limits_api limits_api;
    struct limit_rows limit_rows;
    struct delete_api delete_api;
    struct status_api status_api;
    struct routes_api routes_api;
    struct own_metrics own_metrics;
    struct budget *query_memory;
    struct budget *request_memory;
    struct credentials *credentials;
    bool has_credentials; /* of the configuration that holds */
    struct tls *tls;      /* NULL: plain HTTP */
    struct route routes[ROUTES_MAX];
    size_t route_count;
    struct http_server *http;
};

/* ---- configuration ---- */

static void wait_for_writer(void *context)
{
    (void)context;
    thread_sleep_ms(REREAD_WAIT_MS);
}

static enum status read_file(const struct flags *flags, bool is_reload, struct config *config,
                             struct error *err)
{
    const char *path = flags->config.ptr;
    if (flags->config.len == 0)
        return STATUS_OK;
    return is_reload ? config_reread_file(config, path, wait_for_writer, NULL, err)
                     : config_read_file(config, path, err);
}

static enum status read_config(const struct flags *flags, bool is_reload, struct config *config,
                               struct error *err)
{
    config_init(config);
    TRY(read_file(flags, is_reload, config, err));
    if (flags->listen.len > 0)
        config->listen = flags->listen;
    if (flags->data_dir.len > 0)
        config->data_dir = flags->data_dir;
    if (flags->query_memory.len > 0)
        config->query_memory = flags->query_memory;
    if (flags->request_memory.len > 0)
        config->request_memory = flags->request_memory;
    if (flags->tenant_label.len > 0)
        config->tenant_label = flags->tenant_label;
    if (flags->enable_feature.len > 0)
        config->enable_feature = flags->enable_feature;
    if (flags->retention.len > 0)
        TRY(config_parse_retention(flags->retention, &config->retention_ms, err));
    if (str_eq(config->tenant_label, LABEL_METRIC_NAME))
        return error_set(
            err, STATUS_INVALID,
            "tenant_label: got \"__name__\", want a label that does not name the metric");
    return STATUS_OK;
}

/* 127.0.0.0/8 in digits, or the names that always mean this machine; any other name may resolve to
   anything, also one that begins with "127.". */
static bool is_loopback(struct str listen)
{
    struct str prefix = STR("127.");
    if (!str_starts_with(listen, prefix))
        return str_starts_with(listen, STR("localhost:")) || str_starts_with(listen, STR("[::1]:"));
    size_t at = prefix.len;
    while (at < listen.len &&
           (listen.ptr[at] == '.' || (listen.ptr[at] >= '0' && listen.ptr[at] <= '9')))
        at++;
    return at < listen.len && listen.ptr[at] == ':';
}

/* `config` would be served on the address that `server` listens on. */
static enum status check_listen(const struct server *server, const struct config *config,
                                struct error *err)
{
    struct str listen = server->config.listen;
    if (is_loopback(listen) || config->has_credentials || server->flags.is_insecure)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID,
                     "listen: %.*s is not a loopback address and there are no credentials: anybody "
                     "who reaches it could read and write everything; pass --insecure to allow it",
                     STR_ARG(listen));
}

static void apply_credentials(struct server *server, const struct config *config)
{
    server->has_credentials = config->has_credentials;
    if (config->has_credentials)
        credentials_replace(server->credentials, config->credentials, config->credential_count);
    else
        credentials_open_to_all(server->credentials,
                                is_loopback(server->config.listen) && !server->flags.is_insecure);
}

/* A file that an editor has emptied and not yet written must not lift all limits, and one that has lost
   its credentials must not let everybody in: who means that restarts the server. */
static enum status check_whole(const struct server *server, const struct config *fresh,
                               struct error *err)
{
    if (server->flags.config.len > 0 && fresh->is_empty)
        return error_set(err, STATUS_INVALID, "%.*s: empty", STR_ARG(server->flags.config));
    if (server->has_credentials && !fresh->has_credentials)
        return error_set(err, STATUS_INVALID, "%.*s: has no credentials any more",
                         STR_ARG(server->flags.config));
    return STATUS_OK;
}

static enum status read_fresh(const struct server *server, struct config *fresh, struct error *err)
{
    TRY(read_config(&server->flags, true, fresh, err));
    TRY(check_whole(server, fresh, err));
    return check_listen(server, fresh, err);
}

/* What queries and requests leave is for the series in memory, and for the kernel's cache of blocks. */
static enum status apply_memory(struct server *server, const struct config *config,
                                struct error *err)
{
    uint64_t all_bytes = process_memory_max_bytes();
    size_t query_bytes, request_bytes;
    TRY(memory_share_parse(config->query_memory, "query_memory", all_bytes, &query_bytes, err));
    TRY(memory_share_parse(config->request_memory, "request_memory", all_bytes, &request_bytes,
                           err));
    budget_set_max(server->query_memory, query_bytes);
    budget_set_max(server->request_memory, request_bytes);
    log_info("memory: %llu MiB, of which %zu MiB for queries and %zu MiB for requests",
             (unsigned long long)(all_bytes >> 20), query_bytes >> 20, request_bytes >> 20);
    return STATUS_OK;
}

/* Whether there is TLS, and whom it trusts, is decided at the start. */
static enum status reload_tls(const struct server *server, const struct config *fresh,
                              struct error *err)
{
    if (server->tls == NULL || !fresh->has_tls)
        return STATUS_OK;
    return tls_reload(server->tls, &fresh->tls, err);
}

/* Limits, memory, credentials, certificate and key only: the rest needs a restart. */
static void reload(struct server *server)
{
    struct config fresh;
    struct error err;
    if (read_fresh(server, &fresh, &err) == STATUS_OK &&
        reload_tls(server, &fresh, &err) == STATUS_OK &&
        apply_memory(server, &fresh, &err) == STATUS_OK) {
        limit_layers_configure(server->limit_layers, &fresh);
        apply_credentials(server, &fresh);
        log_info("limits (%zu tenants have their own), credentials and certificate of the "
                 "configuration applied",
                 fresh.tenant_count);
    } else {
        log_error("configuration not applied, the old one stays: %s", err.text);
    }
    config_deinit(&fresh);
}

/* ---- storage ---- */

static enum status open_store(struct server *server, struct error *err)
{
    struct str data_dir = server->config.data_dir;
    char *root = mem_alloc(data_dir.len + 1);
    memcpy(root, data_dir.ptr, data_dir.len);
    root[data_dir.len] = '\0';
    enum status status = disk_open_real(root, &server->disk, err);
    mem_free(root);
    TRY(status);
    uint32_t shard_count = thread_cpu_count();
    shard_count = shard_count < SHARDS_MIN   ? SHARDS_MIN
                  : shard_count > SHARDS_MAX ? SHARDS_MAX
                                             : shard_count;
    struct store_options options = {.disk = server->disk,
                                    .clock = clock_real(),
                                    .shard_count = shard_count,
                                    .default_tenant = STR("anonymous"),
                                    .tenant_label = server->config.tenant_label,
                                    .tenants_max = TENANTS_MAX,
                                    .label_limits = label_limits,
                                    .retention_ms = server->config.retention_ms,
                                    .reserve_bytes = DISK_RESERVE_BYTES,
                                    .future_max_ms = FUTURE_MAX_MS,
                                    .idle_ms = 30 * MINUTE_MS};
    TRY(store_open(&options, &server->store, err));
    TRY(limit_layers_open(server->disk, store_tenants(server->store), &server->limit_layers, err));
    limit_layers_configure(server->limit_layers, &server->config);
    const struct store_replay_report *replay = store_replay_report(server->store);
    log_info("store open after %llu ms: %llu samples of %llu series replayed",
             (unsigned long long)replay->duration_ms, (unsigned long long)replay->samples,
             (unsigned long long)replay->series);
    return STATUS_OK;
}

static void start_maintenance(struct server *server)
{
    uint32_t shard_count = store_shard_count(server->store);
    struct plan_limits limits = {.flush_after_ms = 30 * MINUTE_MS,
                                 .flush_memory_bytes = FLUSH_MEMORY_MAX_BYTES / shard_count,
                                 .flush_samples = FLUSH_SAMPLES_MAX,
                                 .flush_wal_bytes = FLUSH_WAL_MAX_BYTES / shard_count};
    server->maintenance = maintenance_open(server->store, &limits);
    struct compactor_options compaction = {.store = server->store,
                                           .rules = merge_rules_default(),
                                           .cpu_share_percent = COMPACTION_CPU_PERCENT};
    server->compactor = compactor_open(&compaction);
}

/* ---- endpoints ---- */

static unsigned at_least(unsigned number, unsigned least)
{
    return number < least ? least : number;
}

/* That run at a time. */
static unsigned tenant_queries_max(void)
{
    return at_least(thread_cpu_count(), 4);
}

/* Threads that help queries; each needs a turn as well, so they take no processor that a query
   wants. NULL when there is one processor. */
static struct pool *open_helpers(unsigned count)
{
    struct pool_options options = {
        .name = "helper", .thread_count = count, .queue_max = QUERY_HELP_WAITING_MAX};
    return count == 0 ? NULL : pool_open(&options);
}

static void open_query(struct server *server)
{
    unsigned cpu_count = thread_cpu_count();
    struct lanes_options options = {.name = "query",
                                    .clock = clock_real(),
                                    .rules = {.lane_running_max = tenant_queries_max(),
                                              .lane_waiting_max = 100,
                                              .running_max = at_least(2 * cpu_count, 20),
                                              .crowd_max = at_least(4 * cpu_count, 64),
                                              .wait_max_ns = QUERY_WAIT_MAX_NS}};
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

static void open_ingest(struct server *server)
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
    server->write_http =
        (struct write_http){.path = server->write_path, .counters = &server->write_counters};
    write_http_routes(&server->write_http, server->routes + server->route_count);
    server->route_count += WRITE_HTTP_ROUTE_COUNT;
}

static void open_admin(struct server *server)
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

static void open_status(struct server *server)
{
    server->own_metrics = (struct own_metrics){.store = server->store,
                                               .ingest = &server->write_counters,
                                               .ha_tracker = server->ha_tracker,
                                               .query = &server->query_api,
                                               .request_memory = server->request_memory,
                                               .maintenance = server->maintenance,
                                               .compactor = server->compactor,
                                               .started_ms = clock_now_ms(clock_real())};
    server->status_api = (struct status_api){.own_metrics = &server->own_metrics,
                                             .metadata = server->metadata,
                                             .tenants = store_tenants(server->store)};
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

/* The other half is for the logs, the blocks and the flush: who opens connections and says nothing
   must not stop the writes of those who are connected. */
static unsigned connections_max(void)
{
    uint64_t half = process_raise_open_files() / 2;
    return half < CONNECTIONS_MAX ? (unsigned)half : CONNECTIONS_MAX;
}

static enum status open_http(struct server *server, struct error *err)
{
    struct http_server_options options = {.listen = server->config.listen,
                                          .thread_count = thread_cpu_count(),
                                          .connections_max = connections_max(),
                                          .connections_per_ip_max = CONNECTIONS_PER_IP_MAX,
                                          .idle_timeout_s = IDLE_TIMEOUT_S,
                                          .routes = server->routes,
                                          .route_count = server->route_count,
                                          .alias_prefix = STR("/prometheus"),
                                          .clock = clock_real(),
                                          .memory = server->request_memory,
                                          .tls = server->tls,
                                          .gate = credentials_gate(server->credentials)};
    TRY(http_server_open(&options, &server->http, err));
    server->own_metrics.http = server->http;
    log_info("croft %s listens on port %u (%s), data in %.*s", CROFT_VERSION,
             http_server_port(server->http), server->tls == NULL ? "http" : "https",
             STR_ARG(server->config.data_dir));
    if (server->tls == NULL && server->config.has_credentials &&
        !is_loopback(server->config.listen))
        log_warn("there is no TLS: whoever can see the network can see tokens and samples");
    return STATUS_OK;
}

static enum status open_memory(struct server *server, struct error *err)
{
    server->query_memory = budget_new("query-memory", 0);
    server->request_memory = budget_new("request-memory", 0);
    return apply_memory(server, &server->config, err);
}

/* ---- start and stop ---- */

static enum status start(struct server *server, struct error *err)
{
    TRY(read_config(&server->flags, false, &server->config, err));
    TRY(check_listen(server, &server->config, err));
    TRY(open_memory(server, err));
    if (server->config.has_tls)
        TRY(tls_open(&server->config.tls, &server->tls, err));
    TRY(open_store(server, err));
    start_maintenance(server);
    open_query(server);
    open_ingest(server);
    open_admin(server);
    open_status(server);
    server->credentials = credentials_new(clock_real());
    apply_credentials(server, &server->config);
    server->own_metrics.credentials = credentials_counters(server->credentials);
    return open_http(server, err);
}

/* Takes apart what start put together, as far as it came. False: a handler never answered, so what
   it uses must stay. */
static bool stop(struct server *server)
{
    struct error err;
    /* whoever waits for the store to come to rest would wait for longer than a stop may take */
    if (server->compactor != NULL)
        compactor_stop(server->compactor);
    if (http_server_close(server->http, DRAIN_TIMEOUT_MS, &err) != STATUS_OK) {
        log_error("stop: %s", err.text);
        return false;
    }
    credentials_free(server->credentials);
    tls_close(server->tls);
    lanes_close(server->lanes);
    pool_close(server->query_helpers);
    turns_free(server->turns);
    budget_free(server->query_memory);
    budget_free(server->request_memory);
    if (server->admin_pool != NULL)
        pool_close(server->admin_pool);
    if (server->write_path != NULL)
        write_path_free(server->write_path);
    ha_tracker_free(server->ha_tracker);
    if (server->metadata != NULL)
        metadata_free(server->metadata);
    if (server->compactor != NULL)
        compactor_close(server->compactor);
    if (server->maintenance != NULL)
        maintenance_close(server->maintenance);
    limit_layers_close(server->limit_layers);
    if (server->store != NULL)
        store_close(server->store);
    if (server->disk != NULL)
        disk_close(server->disk);
    config_deinit(&server->config);
    return true;
}

static void run(struct server *server)
{
    for (;;) {
        int signal_number = process_wait_signal();
        if (signal_number != SIGHUP)
            break;
        reload(server);
    }
    log_info("stopping: answering what is under way");
}

int serve_main(int count, char *const *args)
{
    struct error err;
    /* static, because a handler that outlives a failed stop still points into it */
    static struct server server;
    if (flags_parse(&server.flags, count, args, &err) != STATUS_OK) {
        fprintf(stderr, "croft: %s\n%s", err.text, flags_usage());
        return 2;
    }
    if (server.flags.wants_help) {
        fputs(flags_usage(), stdout);
        return 0;
    }
    mem_configure();
    process_block_signals();
    struct random random;
    random_init_system(&random);
    hash_set_seed(random_u64(&random));
    if (start(&server, &err) != STATUS_OK) {
        fprintf(stderr, "croft: %s\n", err.text);
        stop(&server);
        return 1;
    }
    run(&server);
    return stop(&server) ? 0 : 1;
}
