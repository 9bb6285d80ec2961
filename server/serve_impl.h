/*
 * serve_impl: the running server, shared by serve.c (start and stop), serve_config.c (what its
 * configuration says), serve_store.c (the store and who tidies it) and serve_endpoints.c (what it
 * answers).
 */
#ifndef CROFT_SERVER_SERVE_IMPL_H
#define CROFT_SERVER_SERVE_IMPL_H

#include "base/budget.h"
#include "base/disk.h"
#include "base/pool.h"
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
#include "server/flags.h"
#include "server/limit_layers.h"
#include "server/limit_rows.h"
#include "server/limits_http.h"
#include "server/own_metrics.h"
#include "server/routes_http.h"
#include "server/status_http.h"

enum {
    ROUTES_MAX = 64,
    FUTURE_MAX_MS = 10 * 60 * 1000, /* how far a sample may be ahead of the clock */
};

#define MINUTE_MS INT64_C(60000)

/* Everything that runs; zeroed, so what the start did not come to is NULL. */
struct server {
    struct flags flags;
    struct config config;
    struct arena watched_paths;
    struct tls_files watched_tls; /* of the configuration that was read last */
    uint64_t files_stamp;         /* of its files when they were read */
    struct listener *listener;    /* bound before the store is opened; NULL once `http` has it */
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
    struct write_crew *write_crew;
    struct refusal_pace refusal_pace;
    struct write_hold *write_hold;
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
    size_t head_memory_bytes;
    unsigned connections_max;
    struct credentials *credentials;
    bool has_credentials; /* of the configuration that holds */
    struct tls *tls;      /* NULL: plain HTTP */
    struct route routes[ROUTES_MAX];
    size_t route_count;
    struct http_server *http;
};

/* Flags over the file over what is built in, and whether that may be served at all. */
MUST_USE enum status server_read_config(struct server *server, struct error *err);
/* Of the configuration file, and of the files for TLS that it named when it was read last. */
uint64_t server_files_stamp(const struct server *server);
/* Sets budgets and heads to their parts of the memory; the first time, connections_max as well. */
MUST_USE enum status server_apply_memory(struct server *server, const struct config *config,
                                         struct error *err);
void server_apply_credentials(struct server *server, const struct config *config);
/* Reads the file again and applies limits, memory, credentials, certificate and key; the rest needs
   a restart. On failure all of them stay, and the log says why. */
void server_reload(struct server *server);
/* Only this machine can reach the address that is listened on. */
bool server_is_local(const struct server *server);

MUST_USE enum status server_open_store(struct server *server, struct error *err);
/* Flushing, merging and expiring begin. */
void server_start_maintenance(struct server *server);

/* Each adds its routes to those that server_open_http serves. */
void server_open_query(struct server *server);
void server_open_ingest(struct server *server);
void server_open_admin(struct server *server);
void server_open_status(struct server *server);
MUST_USE enum status server_open_http(struct server *server, struct error *err);

#endif
