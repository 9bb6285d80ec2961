/*
 * The store of the server, and who flushes, merges and expires its samples.
 */
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "server/serve_impl.h"

enum {
    SHARDS_MIN = 2,
    SHARDS_MAX = 16,
    TENANTS_MAX = 100000,
    RESERVE_MAX_BYTES = 64 << 20, /* and an eighth of the disk */
    COMPACTION_CPU_PERCENT = 20,  /* of one core */
};

#define FLUSH_MEMORY_MAX_BYTES (UINT64_C(2) << 30) /* of the samples of all heads together */
#define FLUSH_WAL_MAX_BYTES    (UINT64_C(2) << 30) /* of all logs together */
/* Of one shard. A core replays them in ten seconds, and shards are replayed side by side; half an
   hour at 100,000 a second stays below. */
#define FLUSH_SAMPLES_MAX UINT64_C(200000000)

static const struct label_limits label_limits = {
    .labels_max = 64, .name_len_max = 1024, .value_len_max = 4096};

static enum status choose_reserve(struct disk *disk, uint64_t *out, struct error *err)
{
    uint64_t capacity_bytes;
    TRY(disk_capacity_bytes(disk, &capacity_bytes, err));
    *out = capacity_bytes / 8 < RESERVE_MAX_BYTES ? capacity_bytes / 8 : RESERVE_MAX_BYTES;
    return STATUS_OK;
}

enum status server_open_store(struct server *server, struct error *err)
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
                                    .future_max_ms = FUTURE_MAX_MS,
                                    .idle_ms = 30 * MINUTE_MS,
                                    .memory = server->request_memory};
    TRY(choose_reserve(server->disk, &options.reserve_bytes, err));
    TRY(store_open(&options, &server->store, err));
    store_set_head_memory(server->store, server->head_memory_bytes);
    TRY(limit_layers_open(server->disk, store_tenants(server->store), &server->limit_layers, err));
    limit_layers_configure(server->limit_layers, &server->config);
    const struct store_replay_report *replay = store_replay_report(server->store);
    log_info("store open after %llu ms: %llu samples of %llu series replayed",
             (unsigned long long)replay->duration_ms, (unsigned long long)replay->samples,
             (unsigned long long)replay->series);
    return STATUS_OK;
}

void server_start_maintenance(struct server *server)
{
    uint32_t shard_count = store_shard_count(server->store);
    struct plan_limits limits = {.flush_after_ms = 30 * MINUTE_MS,
                                 .flush_memory_bytes = FLUSH_MEMORY_MAX_BYTES / shard_count,
                                 .flush_samples = FLUSH_SAMPLES_MAX,
                                 .flush_wal_bytes = FLUSH_WAL_MAX_BYTES / shard_count};
    server->maintenance = maintenance_open(server->store, &limits);
    struct compactor_options compaction = {.store = server->store,
                                           .rules = merge_rules_default(),
                                           .cpu_share_percent = COMPACTION_CPU_PERCENT,
                                           .memory_max_bytes = server->head_memory_bytes};
    server->compactor = compactor_open(&compaction);
}
