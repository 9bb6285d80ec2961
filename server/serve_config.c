/*
 * What the configuration of the server says: at the start, and again when a signal asks for it.
 */
#include "base/file_stamp.h"
#include "base/log.h"
#include "base/process.h"
#include "base/thread.h"
#include "server/memory_share.h"
#include "server/serve_impl.h"

enum { REREAD_WAIT_MS = 100 }; /* whoever writes the configuration in place writes on before that */

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
    if (flags->head_memory.len > 0)
        config->head_memory = flags->head_memory;
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

bool server_is_local(const struct server *server)
{
    return is_loopback(server->config.listen);
}

/* `config` would be served on the address that `server` listens on. */
static enum status check_listen(const struct server *server, const struct config *config,
                                struct error *err)
{
    if (str_find(server->config.listen, ':', 0) == server->config.listen.len)
        return error_set(err, STATUS_INVALID,
                         "listen: got %.*s, want an address and a port: 127.0.0.1:9009",
                         STR_ARG(server->config.listen));
    if (server_is_local(server) || config->has_credentials || server->flags.is_insecure)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID,
                     "listen: %.*s is not a loopback address and there are no credentials: anybody "
                     "who reaches it could read and write everything; pass --insecure to allow it",
                     STR_ARG(server->config.listen));
}

static uint64_t stamp_of(const char *path)
{
    return path == NULL ? 0 : file_stamp(path);
}

static uint64_t config_stamp(const struct server *server)
{
    return server->flags.config.len == 0 ? 0 : stamp_of(server->flags.config.ptr);
}

static uint64_t files_stamp(const struct server *server, uint64_t of_config)
{
    const struct tls_files *tls = &server->watched_tls;
    uint64_t stamp = (of_config * 31 + stamp_of(tls->certificate)) * 31 + stamp_of(tls->key);
    return stamp * 31 + stamp_of(tls->client_ca);
}

uint64_t server_files_stamp(const struct server *server)
{
    return files_stamp(server, config_stamp(server));
}

static const char *copy_path(struct arena *arena, const char *path)
{
    return path == NULL ? NULL : arena_format(arena, "%s", path).ptr;
}

/* Those that `config` names are what the next reload reads, even where it could not be applied:
   a certificate that was missing may come. `of_config` was taken before the file was read, so that
   what was written since is seen. */
static void watch(struct server *server, const struct config *config, uint64_t of_config)
{
    struct arena *arena = &server->watched_paths;
    arena_reset(arena);
    server->watched_tls.certificate = copy_path(arena, config->tls.certificate);
    server->watched_tls.key = copy_path(arena, config->tls.key);
    server->watched_tls.client_ca = copy_path(arena, config->tls.client_ca);
    server->files_stamp = files_stamp(server, of_config);
}

enum status server_read_config(struct server *server, struct error *err)
{
    uint64_t of_config = config_stamp(server);
    TRY(read_config(&server->flags, false, &server->config, err));
    arena_init(&server->watched_paths, SIZE_MAX);
    watch(server, &server->config, of_config);
    return check_listen(server, &server->config, err);
}

void server_apply_credentials(struct server *server, const struct config *config)
{
    server->has_credentials = config->has_credentials;
    if (config->has_credentials)
        credentials_replace(server->credentials, config->credentials, config->credential_count);
    else
        credentials_open_to_all(server->credentials,
                                server_is_local(server) && !server->flags.is_insecure);
}

/* A file that an editor has emptied and not yet written must not lift all limits, and one that has
   lost its credentials must not let everybody in: who means that restarts the server. */
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

enum { CONNECTIONS_MAX = 4096, CONNECTIONS_MIN = 64 };

/* Who opens connections and says nothing must stop nobody who is connected. The other half of the
   files is for the logs, the blocks and the flush; the other half of the memory for the bodies. */
static unsigned connections_max(size_t request_bytes)
{
    uint64_t by_files = process_raise_open_files() / 2;
    uint64_t by_memory = request_bytes / 2 / HTTP_CONNECTION_BYTES_MAX;
    if (by_memory < CONNECTIONS_MIN)
        by_memory = CONNECTIONS_MIN;
    uint64_t most = by_files < by_memory ? by_files : by_memory;
    return most < CONNECTIONS_MAX ? (unsigned)most : CONNECTIONS_MAX;
}

/* What the buffers of all connections leave, whether they are open or not. */
static size_t body_bytes(const struct server *server, size_t request_bytes)
{
    size_t half = request_bytes / 2;
    size_t connections = server->connections_max * (size_t)HTTP_CONNECTION_BYTES_MAX;
    return request_bytes - (connections < half ? connections : half);
}

struct memory_shares {
    uint64_t all_bytes;
    size_t query_bytes;
    size_t request_bytes;
    size_t head_bytes;
};

/* What they leave is for samples while they are flushed, for flushes and merges, each of which may
   take about as much as the heads, and for the kernel's cache of blocks. */
static enum status share_memory(const struct config *config, struct memory_shares *out,
                                struct error *err)
{
    uint64_t all_bytes = out->all_bytes = process_memory_max_bytes();
    TRY(memory_share_parse(config->query_memory, "query_memory", all_bytes, &out->query_bytes,
                           err));
    TRY(memory_share_parse(config->request_memory, "request_memory", all_bytes, &out->request_bytes,
                           err));
    TRY(memory_share_parse(config->head_memory, "head_memory", all_bytes, &out->head_bytes, err));
    uint64_t left_bytes = all_bytes;
    const size_t shares[] = {out->query_bytes, out->request_bytes, out->head_bytes};
    size_t i = 0;
    for (; i < sizeof shares / sizeof *shares && shares[i] <= left_bytes; i++)
        left_bytes -= shares[i];
    if (i == sizeof shares / sizeof *shares)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID,
                     "query_memory, request_memory and head_memory: got %zu MiB, %zu MiB and %zu "
                     "MiB, want together at most the memory, which is %llu MiB",
                     out->query_bytes >> 20, out->request_bytes >> 20, out->head_bytes >> 20,
                     (unsigned long long)(all_bytes >> 20));
}

enum status server_apply_memory(struct server *server, const struct config *config,
                                struct error *err)
{
    struct memory_shares shares;
    TRY(share_memory(config, &shares, err));
    if (server->connections_max == 0)
        server->connections_max = connections_max(shares.request_bytes);
    budget_set_max(server->query_memory, shares.query_bytes);
    budget_set_max(server->request_memory, body_bytes(server, shares.request_bytes));
    server->head_memory_bytes = shares.head_bytes;
    if (server->store != NULL)
        store_set_head_memory(server->store, shares.head_bytes);
    log_info("memory: %llu MiB, of which %zu MiB for queries, %zu MiB for requests on %u "
             "connections, %zu MiB for series and their samples",
             (unsigned long long)(shares.all_bytes >> 20), shares.query_bytes >> 20,
             shares.request_bytes >> 20, server->connections_max, shares.head_bytes >> 20);
    return STATUS_OK;
}

static enum status read_fresh(const struct server *server, struct config *fresh, struct error *err)
{
    TRY(read_config(&server->flags, true, fresh, err));
    TRY(check_whole(server, fresh, err));
    TRY(check_listen(server, fresh, err));
    struct memory_shares shares;
    return share_memory(fresh, &shares, err);
}

/* Whether there is TLS, and whether clients show a certificate, is decided at the start. */
static enum status reload_tls(const struct server *server, const struct config *fresh,
                              struct error *err)
{
    if (server->tls == NULL || !fresh->has_tls)
        return STATUS_OK;
    return tls_reload(server->tls, &fresh->tls, err);
}

/* Whoever changes these and sends SIGHUP waits for something that does not come. */
static void warn_of_restart(const struct config *held, const struct config *fresh)
{
    const struct {
        const char *name;
        bool is_held;
    } rows[] = {
        {"listen", str_eq(held->listen, fresh->listen)},
        {"data_dir", str_eq(held->data_dir, fresh->data_dir)},
        {"retention", held->retention_ms == fresh->retention_ms},
        {"tenant_label", str_eq(held->tenant_label, fresh->tenant_label)},
        {"enable_feature", str_eq(held->enable_feature, fresh->enable_feature)},
        {"tls", held->has_tls == fresh->has_tls &&
                    (held->tls.client_ca == NULL) == (fresh->tls.client_ca == NULL)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!rows[i].is_held)
            log_warn("configuration: %s has changed, which takes a restart", rows[i].name);
    }
}

void server_reload(struct server *server)
{
    struct config fresh;
    struct error err;
    uint64_t of_config = config_stamp(server);
    enum status status = read_fresh(server, &fresh, &err);
    watch(server, &fresh, of_config);
    if (status == STATUS_OK && reload_tls(server, &fresh, &err) == STATUS_OK &&
        server_apply_memory(server, &fresh, &err) == STATUS_OK) {
        limit_layers_configure(server->limit_layers, &fresh);
        server_apply_credentials(server, &fresh);
        warn_of_restart(&server->config, &fresh);
        log_info("limits (%zu tenants have their own), credentials and certificate of the "
                 "configuration applied",
                 fresh.tenant_count);
    } else {
        log_error("configuration not applied, the old one stays: %s", err.text);
    }
    config_deinit(&fresh);
}
