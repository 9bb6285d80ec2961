#include "server/own_metrics.h"

#include <stdio.h>

#include "base/map.h"
#include "base/process.h"
#include "server/exposition.h"
#include "server/tenant_metrics.h"
#include "server/version.h"

static double count(const struct counter *counter)
{
    return (double)counter_get(counter);
}

static void write_process(const struct own_metrics *m, struct exposition *e)
{
    struct process_status status;
    process_status(&status);
    exposition_family(e, "croft_build_info", METRIC_GAUGE, "Always 1; the version is a label.");
    exposition_labelled(e, "version", STR(CROFT_VERSION), 1);
    exposition_single(e, "process_cpu_seconds_total", METRIC_COUNTER,
                      "User and system processor time in seconds.",
                      (double)clock_process_cpu_ns() / 1e9);
    exposition_single(e, "process_resident_memory_bytes", METRIC_GAUGE, "Resident memory in bytes.",
                      (double)status.resident_bytes);
    exposition_single(e, "process_virtual_memory_bytes", METRIC_GAUGE, "Virtual memory in bytes.",
                      (double)status.virtual_bytes);
    exposition_single(e, "process_open_fds", METRIC_GAUGE, "Open file descriptors.",
                      (double)status.open_files);
    exposition_single(e, "process_max_fds", METRIC_GAUGE, "Limit of open file descriptors.",
                      (double)status.open_files_max);
    exposition_single(e, "process_start_time_seconds", METRIC_GAUGE,
                      "Start of the process, in seconds since the Unix epoch.",
                      (double)m->started_ms / 1000);
}

static void write_memory(const struct own_metrics *m, struct exposition *e)
{
    struct {
        struct str use;
        struct budget *budget;
    } rows[] = {{STR("queries"), m->query->memory}, {STR("requests"), m->request_memory}};
    size_t row_count = sizeof rows / sizeof *rows;
    uint64_t head_max;
    exposition_family(e, "croft_memory_held_bytes", METRIC_GAUGE,
                      "Memory held by all queries and their replies, by bodies of requests, and by "
                      "series and their samples.");
    for (size_t i = 0; i < row_count; i++)
        exposition_labelled(e, "use", rows[i].use, (double)budget_held_bytes(rows[i].budget));
    exposition_labelled(e, "use", STR("heads"), (double)store_head_memory(m->store, &head_max));
    exposition_family(e, "croft_memory_max_bytes", METRIC_GAUGE,
                      "Memory that each of these may hold together.");
    for (size_t i = 0; i < row_count; i++)
        exposition_labelled(e, "use", rows[i].use, (double)budget_max_bytes(rows[i].budget));
    exposition_labelled(e, "use", STR("heads"), (double)head_max);
    exposition_family(e, "croft_memory_refusals_total", METRIC_COUNTER,
                      "Times that more memory was refused, because the share was used up.");
    for (size_t i = 0; i < row_count; i++)
        exposition_labelled(e, "use", rows[i].use, (double)budget_refused(rows[i].budget));
}

static void write_http(const struct own_metrics *m, struct exposition *e)
{
    const struct http_server_counters *c = http_server_counters(*m->http);
    static const char *const classes[] = {"", "1xx", "2xx", "3xx", "4xx", "5xx"};
    exposition_single(e, "croft_http_requests_total", METRIC_COUNTER,
                      "Requests that reached a handler.", count(&c->requests));
    exposition_family(e, "croft_http_responses_total", METRIC_COUNTER,
                      "Responses by class of status code.");
    for (size_t i = 1; i < sizeof classes / sizeof *classes; i++)
        exposition_labelled(e, "code", str_from(classes[i]), count(&c->replies[i]));
    exposition_single(e, "croft_http_refused_requests_total", METRIC_COUNTER,
                      "Requests answered before any handler saw them.", count(&c->refused));
}

static void write_credentials(const struct own_metrics *m, struct exposition *e)
{
    exposition_family(
        e, "croft_credential_refusals_total", METRIC_COUNTER,
        "Requests without a known credential (401), with one that does not allow them "
        "(403), after too many wrong ones (429), or from a foreign web page (page).");
    exposition_labelled(e, "code", STR("401"), count(&m->credentials->unknown));
    exposition_labelled(e, "code", STR("403"), count(&m->credentials->denied));
    exposition_labelled(e, "code", STR("429"), count(&m->credentials->slowed));
    exposition_labelled(e, "code", STR("page"), count(&m->credentials->foreign));
}

static void write_ingest(const struct own_metrics *m, struct exposition *e)
{
    const struct write_counters *c = m->ingest;
    exposition_family(e, "croft_remote_write_requests_total", METRIC_COUNTER,
                      "Remote writes by the code they were answered with.");
    for (enum write_code code = 0; code < WRITE_CODE_COUNT; code++) {
        char number[16];
        snprintf(number, sizeof number, "%u", write_code_number(code));
        exposition_labelled(e, "code", str_from(number), count(&c->requests[code]));
    }
    exposition_single(e, "croft_remote_write_received_bytes_total", METRIC_COUNTER,
                      "Compressed bytes received.", count(&c->body_bytes));
    exposition_single(e, "croft_remote_write_samples_received_total", METRIC_COUNTER,
                      "Samples received.", count(&c->samples_received));
    exposition_single(e, "croft_remote_write_samples_written_total", METRIC_COUNTER,
                      "Samples made durable.", count(&c->samples_written));
    exposition_family(e, "croft_remote_write_samples_refused_total", METRIC_COUNTER,
                      "Samples refused, by reason.");
    for (unsigned reason = 0; reason < WRITE_REASON_COUNT; reason++)
        exposition_labelled(e, "reason", str_from(write_reason_text(reason)),
                            count(&c->samples_refused[reason]));
    exposition_single(e, "croft_remote_write_exemplars_skipped_total", METRIC_COUNTER,
                      "Exemplars received and not kept.", count(&c->exemplars_skipped));
    exposition_single(e, "croft_ha_failovers_total", METRIC_COUNTER,
                      "Times that another replica of an HA pair was elected.",
                      (double)ha_tracker_failovers(m->ha_tracker));
    exposition_single(e, "croft_remote_write_metadata_received_total", METRIC_COUNTER,
                      "Metadata entries received.", count(&c->metadata_received));
    exposition_single(e, "croft_remote_write_handed_over_total", METRIC_COUNTER,
                      "Remote writes that were large or came from somebody who writes much.",
                      count(&c->handed_over));
    exposition_single(e, "croft_remote_write_held_total", METRIC_COUNTER,
                      "Answers held back because refusals took more than their share.",
                      count(&c->held));
}

static void write_query(const struct own_metrics *m, struct exposition *e)
{
    const struct query_api_counters *c = &m->query->counters;
    exposition_single(e, "croft_query_requests_total", METRIC_COUNTER, "Requests to the read API.",
                      count(&c->queries));
    exposition_single(e, "croft_query_failures_total", METRIC_COUNTER,
                      "Requests to the read API that failed on our side.", count(&c->failures));
    exposition_single(
        e, "croft_query_refused_total", METRIC_COUNTER,
        "Requests to the read API refused because too many of the same tenant waited, "
        "or they waited for too long.",
        count(&c->refused));
    exposition_single(e, "croft_query_samples_total", METRIC_COUNTER, "Samples loaded by queries.",
                      count(&c->samples));
    exposition_single(e, "croft_query_seconds_total", METRIC_COUNTER,
                      "Time that requests to the read API spent, in seconds.",
                      count(&c->duration_ns) / 1e9);
    exposition_single(e, "croft_query_cpu_seconds_total", METRIC_COUNTER,
                      "Processor time that requests to the read API used, in seconds.",
                      count(turns_cpu_ns(m->query->turns)) / 1e9);
    exposition_single(e, "croft_query_queue_length", METRIC_GAUGE,
                      "Requests that wait for a query thread.",
                      (double)lanes_waiting_count(m->query->lanes));
    exposition_single(e, "croft_query_running", METRIC_GAUGE, "Requests that have a query thread.",
                      (double)lanes_running_count(m->query->lanes));
    exposition_single(e, "croft_query_turns_waiting", METRIC_GAUGE,
                      "Query threads that wait for a processor.",
                      (double)turns_waiting_count(m->query->turns));
}

/* ---- storage ---- */

/* One family over all shards: which field of the status it shows. */
static const struct shard_family {
    const char *name;
    enum metric_type type;
    size_t offset; /* of a uint64_t in struct shard_status */
    const char *help;
} shard_families[] = {
    {"croft_series", METRIC_GAUGE, offsetof(struct shard_status, series), "Series in memory."},
    {"croft_head_samples", METRIC_GAUGE, offsetof(struct shard_status, head_samples),
     "Samples in memory that are in no block yet."},
    {"croft_head_memory_bytes", METRIC_GAUGE, offsetof(struct shard_status, head_memory_bytes),
     "Memory of series and their samples, in bytes."},
    {"croft_late_memo_bytes", METRIC_GAUGE, offsetof(struct shard_status, late_memo_bytes),
     "Memory of what late samples were compared with in blocks, in bytes."},
    {"croft_wal_bytes", METRIC_GAUGE, offsetof(struct shard_status, wal_bytes),
     "Log on disk, in bytes."},
    {"croft_wal_commits_total", METRIC_COUNTER, offsetof(struct shard_status, wal_commits),
     "Group commits of the log."},
    {"croft_wal_commit_failures_total", METRIC_COUNTER,
     offsetof(struct shard_status, wal_commit_failures), "Group commits that failed."},
    {"croft_wal_written_bytes_total", METRIC_COUNTER,
     offsetof(struct shard_status, wal_bytes_written), "Bytes written to the log."},
    {"croft_blocks", METRIC_GAUGE, offsetof(struct shard_status, block_count), "Blocks on disk."},
    {"croft_block_bytes", METRIC_GAUGE, offsetof(struct shard_status, block_bytes),
     "Blocks on disk, in bytes."},
};

static uint64_t shard_field(const struct shard_status *status, size_t offset)
{
    uint64_t value;
    memcpy(&value, (const char *)status + offset, sizeof value);
    return value;
}

static void write_shards(const struct own_metrics *m, struct exposition *e)
{
    uint32_t shard_count = store_shard_count(m->store);
    for (size_t f = 0; f < sizeof shard_families / sizeof *shard_families; f++) {
        const struct shard_family *family = &shard_families[f];
        exposition_family(e, family->name, family->type, family->help);
        for (uint32_t shard = 0; shard < shard_count; shard++) {
            struct shard_status status;
            char number[16];
            store_shard_status(m->store, shard, &status);
            snprintf(number, sizeof number, "%u", shard);
            exposition_labelled(e, "shard", str_from(number),
                                (double)shard_field(&status, family->offset));
        }
    }
}

static void write_maintenance(const struct own_metrics *m, struct exposition *e)
{
    const struct maintenance_counters *c = maintenance_counters(m->maintenance);
    const struct compactor_counters *asked = compactor_counters(m->compactor);
    exposition_single(e, "croft_flushes_total", METRIC_COUNTER, "Heads written to blocks.",
                      count(&c->flushes) + count(&asked->flushes));
    exposition_single(e, "croft_flush_failures_total", METRIC_COUNTER,
                      "Heads that could not be written to blocks.",
                      count(&c->flush_failures) + count(&asked->flush_failures));
    exposition_single(e, "croft_blocks_expired_total", METRIC_COUNTER,
                      "Blocks deleted because all of it was older than the retention.",
                      count(&c->blocks_expired));
    exposition_single(e, "croft_block_drop_failures_total", METRIC_COUNTER,
                      "Expired blocks that could not be deleted.", count(&c->drop_failures));
}

static void write_block_faults(const struct own_metrics *m, struct exposition *e)
{
    exposition_single(e, "croft_block_corruptions_total", METRIC_COUNTER,
                      "Blocks that were found to be damaged when something of them was read.",
                      (double)store_damaged_block_count(m->store));
    exposition_single(e, "croft_map_faults_total", METRIC_COUNTER,
                      "Times that a page of a mapped block was gone when it was read: the file was "
                      "cut, or its disk failed.",
                      (double)map_fault_total());
}

static void write_replay(const struct own_metrics *m, struct exposition *e)
{
    const struct store_replay_report *replay = store_replay_report(m->store);
    exposition_single(e, "croft_replay_samples", METRIC_GAUGE,
                      "Samples replayed from the log at start.", (double)replay->samples);
    exposition_single(e, "croft_replay_seconds", METRIC_GAUGE,
                      "Time that opening the store took at start, in seconds.",
                      (double)replay->duration_ms / 1000);
    exposition_single(e, "croft_replay_torn_tail_bytes", METRIC_GAUGE,
                      "Bytes at the end of the log that had not become durable.",
                      (double)replay->torn_tail_bytes);
    exposition_single(e, "croft_replay_lost_samples", METRIC_GAUGE,
                      "Samples of good frames of the log that could not be read at start, because "
                      "damaged ones declared their series or held the values they rest on.",
                      (double)replay->lost_samples);
    exposition_single(e, "croft_replay_damaged_frames", METRIC_GAUGE,
                      "Frames of the log that were damaged and skipped at start.",
                      (double)replay->damaged_frames);
    exposition_single(e, "croft_quarantined_blocks", METRIC_GAUGE,
                      "Blocks that were damaged and moved to quarantine at start.",
                      (double)replay->quarantined_blocks);
    exposition_single(
        e, "croft_quarantine_files", METRIC_GAUGE,
        "Damaged files in quarantine, of this run and of all before it, until somebody "
        "moves them away.",
        (double)store_quarantine_file_count(m->store));
    exposition_single(
        e, "croft_missing_files", METRIC_GAUGE,
        "Blocks, segments of the log, manifests, files of deletions and shards that should be "
        "there and were gone at start; damaged manifests.",
        (double)replay->missing_files);
}

static void write_compaction(const struct own_metrics *m, struct exposition *e)
{
    const struct compactor_counters *c = compactor_counters(m->compactor);
    exposition_single(e, "croft_compactions_total", METRIC_COUNTER,
                      "Merges of blocks of one shard and day.", count(&c->merges));
    exposition_single(e, "croft_compaction_failures_total", METRIC_COUNTER,
                      "Merges that failed and will be tried again.", count(&c->failures));
    exposition_single(e, "croft_compaction_blocks_total", METRIC_COUNTER,
                      "Blocks that merges have replaced.", count(&c->blocks_read));
    exposition_single(e, "croft_compaction_written_bytes_total", METRIC_COUNTER,
                      "Bytes of blocks written by merges.", count(&c->written_bytes));
    exposition_single(e, "croft_compaction_samples_total", METRIC_COUNTER,
                      "Samples written by merges.", count(&c->samples));
    exposition_single(e, "croft_compaction_cpu_seconds_total", METRIC_COUNTER,
                      "Processor time spent on merges, in seconds.", count(&c->cpu_ns) / 1e9);
    exposition_single(e, "croft_compaction_quarantined_blocks_total", METRIC_COUNTER,
                      "Damaged blocks moved to quarantine after what could be read was written "
                      "anew.",
                      count(&c->blocks_quarantined));
    exposition_single(e, "croft_compaction_lost_series_total", METRIC_COUNTER,
                      "Series of those blocks that lost samples.", count(&c->series_lost));
    exposition_single(e, "croft_compaction_lost_samples_total", METRIC_COUNTER,
                      "Samples of those blocks that could not be read.", count(&c->samples_lost));
}

/* ---- tenants ---- */

static void write_tenants(const struct own_metrics *m, struct exposition *e)
{
    exposition_single(e, "croft_tenants", METRIC_GAUGE, "Tenants known.",
                      (double)tenant_table_count(store_tenants(m->store)));
    tenant_metrics_write(m->store, e);
}

void own_metrics_write(const struct own_metrics *metrics, struct buffer *out)
{
    struct exposition e;
    exposition_init(&e, out);
    write_process(metrics, &e);
    write_memory(metrics, &e);
    write_http(metrics, &e);
    write_credentials(metrics, &e);
    write_ingest(metrics, &e);
    write_query(metrics, &e);
    write_shards(metrics, &e);
    write_maintenance(metrics, &e);
    write_block_faults(metrics, &e);
    write_replay(metrics, &e);
    write_compaction(metrics, &e);
    write_tenants(metrics, &e);
}
