#include "server/serve.h"

#include <signal.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/random.h"
#include "http/listener.h"
#include "server/serve_impl.h"

enum { DRAIN_TIMEOUT_MS = 30 * 1000, CONFIG_LOOK_MS = 2 * 1000 };

static enum status open_memory(struct server *server, struct error *err)
{
    server->query_memory = budget_new("query-memory", 0);
    server->request_memory = budget_new("request-memory", 0);
    return server_apply_memory(server, &server->config, err);
}

static enum status start(struct server *server, struct error *err)
{
    TRY(server_read_config(server, err));
    TRY(open_memory(server, err));
    if (server->config.has_tls)
        TRY(tls_open(&server->config.tls, &server->tls, err));
    TRY(listener_open(server->config.listen, &server->listener, err));
    TRY(server_open_store(server, err));
    server_start_maintenance(server);
    server_open_query(server);
    server_open_ingest(server);
    server_open_admin(server);
    server_open_status(server);
    server->credentials = credentials_new(clock_real());
    server_apply_credentials(server, &server->config);
    server->own_metrics.credentials = credentials_counters(server->credentials);
    return server_open_http(server, err);
}

/* Takes apart what start put together, as far as it came. False: a handler never answered, so what
   it uses must stay. */
static bool stop(struct server *server)
{
    struct error err;
    /* whoever waits for the store to come to rest would wait for longer than a stop may take */
    compactor_stop(server->compactor);
    if (server->write_hold != NULL)
        write_hold_stop(server->write_hold); /* what is done is answered before the server is */
    if (http_server_close(server->http, DRAIN_TIMEOUT_MS, &err) != STATUS_OK) {
        log_error("stop: %s", err.text);
        return false;
    }
    listener_close(server->listener);
    credentials_free(server->credentials);
    tls_close(server->tls);
    lanes_close(server->lanes);
    pool_close(server->query_helpers);
    turns_free(server->turns);
    budget_free(server->query_memory);
    pool_close(server->admin_pool);
    write_crew_close(server->write_crew);
    write_hold_close(server->write_hold);
    if (server->write_path != NULL)
        refusal_pace_deinit(&server->refusal_pace);
    write_path_free(server->write_path);
    ha_tracker_free(server->ha_tracker);
    metadata_free(server->metadata);
    compactor_close(server->compactor);
    maintenance_close(server->maintenance);
    limit_layers_close(server->limit_layers);
    store_close(server->store);
    budget_free(server->request_memory);
    disk_close(server->disk);
    arena_deinit(&server->watched_paths);
    config_deinit(&server->config);
    return true;
}

static void run(struct server *server)
{
    uint64_t last = 0;
    for (;;) {
        int signal_number = process_wait_signal(CONFIG_LOOK_MS);
        if (signal_number != 0 && signal_number != SIGHUP)
            break;
        uint64_t stamp = server_files_stamp(server);
        /* a change is taken when the files have been at rest from one look to the next */
        if (signal_number == SIGHUP || (stamp != server->files_stamp && stamp == last))
            server_reload(server);
        last = stamp;
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
