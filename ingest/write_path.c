#include "ingest/write_path.h"

#include "base/mem.h"
#include "base/thread.h"
#include "ingest/snappy_body.h"
#include "ingest/write_tenant.h"
#include "tsdb/head/identity.h"

enum {
    SCRATCH_KEPT_BYTES_MAX = 8 << 20, /* one outsized message must not hold its memory for ever */
    SHOWN_LABELS_BYTES = 200,
};

/* What one call needs while it runs; label and sample views point into `decoded`. */
struct write_scratch {
    struct write_scratch *next; /* in the list of idle ones */
    struct charge charge;       /* while it is used: what it is more than it was */
    struct buffer decoded;
    struct write_scan scan;
    struct write_series *series;
    size_t series_capacity;
    struct write_tenant tenant;
    struct write_replica replica;
    struct label *labels; /* of a series that may be a replica's */
    size_t label_capacity;
    struct buffer identity; /* the same without the replica */
};

struct write_path {
    struct write_path_options options;
    struct mutex lock;
    struct write_scratch *idle; /* guarded by lock; at most one per thread that ever wrote */
};

struct write_path *write_path_new(const struct write_path_options *options)
{
    struct write_path *path = mem_alloc_zeroed(1, sizeof *path);
    path->options = *options;
    mutex_init(&path->lock);
    return path;
}

static struct write_scratch *scratch_new(const struct write_path *path)
{
    struct write_scratch *scratch = mem_alloc_zeroed(1, sizeof *scratch);
    buffer_init(&scratch->decoded, path->options.decoded_max_bytes);
    write_scan_init(&scratch->scan);
    write_tenant_init(&scratch->tenant, path->options.tenants);
    scratch->replica = (struct write_replica){.tracker = path->options.ha_tracker,
                                              .tenants = path->options.tenants};
    buffer_init(&scratch->identity, SIZE_MAX);
    return scratch;
}

static void scratch_free(struct write_scratch *scratch)
{
    buffer_deinit(&scratch->decoded);
    write_scan_deinit(&scratch->scan);
    buffer_deinit(&scratch->identity);
    mem_free(scratch->labels);
    mem_free(scratch->series);
    mem_free(scratch);
}

void write_path_free(struct write_path *path)
{
    if (path == NULL)
        return;
    while (path->idle != NULL) {
        struct write_scratch *next = path->idle->next;
        scratch_free(path->idle);
        path->idle = next;
    }
    mutex_deinit(&path->lock);
    mem_free(path);
}

static struct write_scratch *take_scratch(struct write_path *path, const struct charge *payer)
{
    mutex_lock(&path->lock);
    struct write_scratch *scratch = path->idle;
    if (scratch != NULL)
        path->idle = scratch->next;
    mutex_unlock(&path->lock);
    if (scratch == NULL)
        scratch = scratch_new(path);
    charge_init_like(&scratch->charge, payer);
    return scratch;
}

static void give_scratch_back(struct write_path *path, struct write_scratch *scratch)
{
    charge_deinit(&scratch->charge);
    size_t bytes = scratch->decoded.capacity + write_scan_memory_bytes(&scratch->scan) +
                   scratch->series_capacity * sizeof *scratch->series;
    if (bytes > SCRATCH_KEPT_BYTES_MAX) {
        scratch_free(scratch);
        return;
    }
    mutex_lock(&path->lock);
    scratch->next = path->idle;
    path->idle = scratch;
    mutex_unlock(&path->lock);
}

/* ---- refusals ---- */

static void refuse_histograms(struct write_job *job, uint64_t count)
{
    struct error why;
    if (count == 0)
        return;
    error_set(&why, STATUS_INVALID, "native histograms: not supported yet, want float samples");
    write_report_refuse(&job->report, WRITE_REFUSAL_NATIVE_HISTOGRAM, count, &why);
}

static enum write_refusal refusal_of(enum status status)
{
    switch (status) {
    case STATUS_LIMIT:
        return WRITE_REFUSAL_MAX_TENANTS;
    case STATUS_UNAVAILABLE:
        return WRITE_REFUSAL_NEW_TENANTS;
    case STATUS_DENIED:
        return WRITE_REFUSAL_TENANT_NOT_GRANTED;
    default:
        return WRITE_REFUSAL_INVALID_TENANT;
    }
}

static void refuse_label_count(struct write_job *job, const struct write_scan *scan,
                               const struct scanned_series *series)
{
    struct error why;
    struct buffer shown;
    struct labels labels = {scan->labels + series->first_label, series->label_count};
    buffer_init(&shown, SIZE_MAX);
    labels_print(&shown, labels, SHOWN_LABELS_BYTES);
    error_set(&why, STATUS_INVALID, "labels: too many, got %u, want at most %u: %.*s",
              (unsigned)series->label_total, (unsigned)series->label_count,
              STR_ARG(buffer_str(&shown)));
    buffer_deinit(&shown);
    write_report_refuse_series(&job->report, REFUSAL_MAX_LABEL_NAMES, series->sample_count, &why);
}

/* ---- from scan to store ---- */

static void note_duplicates(struct write_job *job, const struct write_scratch *scratch,
                            struct tenant *tenant, uint64_t samples)
{
    if (job->report.samples_deduplicated == 0)
        job->report.deduplicated = scratch->replica.why;
    job->report.samples_deduplicated += samples;
    counter_add(&tenant->samples_deduplicated, samples);
}

static void refuse_replica(struct write_job *job, const struct write_scratch *scratch,
                           const struct write_series *series, enum refusal_reason reason)
{
    store_refuse_series(job->path->options.store, series->tenant, reason, series->sample_count,
                        &scratch->replica.why, &job->report.stored);
}

/* Of an HA pair only the elected replica's series are taken, without the label that names it. */
static bool take_replica(struct write_job *job, struct write_scratch *scratch,
                         struct write_series *series)
{
    uint32_t count = series->label_count;
    if (!write_replica_concerns(&scratch->replica, series->tenant))
        return true;
    scratch->labels =
        mem_grow(scratch->labels, &scratch->label_capacity, count, sizeof *scratch->labels);
    write_series_labels(series, scratch->labels);
    switch (write_replica_check(&scratch->replica, series->tenant, scratch->labels, &count)) {
    case REPLICA_KEEP:
        break;
    case REPLICA_DROP:
        note_duplicates(job, scratch, series->tenant, series->sample_count);
        return false;
    case REPLICA_REFUSE:
        refuse_replica(job, scratch, series, REFUSAL_HA_MAX_CLUSTERS);
        return false;
    case REPLICA_INVALID:
        refuse_replica(job, scratch, series, REFUSAL_INVALID_LABELS);
        return false;
    }
    if (count == series->label_count)
        return true;
    series->label_count = count;
    buffer_reset(&scratch->identity);
    labels_identity_encode(&scratch->identity, (struct labels){scratch->labels, count});
    series->identity = bytes_of_str(arena_copy(job->arena, buffer_str(&scratch->identity)));
    return true;
}

/* Of a tenant that is not there yet, the first series that can be kept makes it. */
static bool find_tenant(struct write_job *job, struct write_scratch *scratch, struct str name,
                        struct write_series *series)
{
    struct error why;
    enum status status = write_tenant_find(&scratch->tenant, name, &series->tenant, &why);
    if (status == STATUS_NOT_FOUND) {
        status = store_admit_tenant(job->path->options.store, &scratch->tenant.unknown, series,
                                    &job->report.stored, &series->tenant, &why);
        if (status == STATUS_NOT_FOUND)
            return false; /* counted there */
    }
    if (status != STATUS_OK)
        write_report_refuse(&job->report, refusal_of(status), series->sample_count, &why);
    return status == STATUS_OK;
}

/* Fills `out`; false when the series is refused or holds nothing to write. */
static bool take_series(struct write_job *job, struct write_scratch *scratch,
                        const struct scanned_series *series, struct write_series *out)
{
    const struct write_scan *scan = &scratch->scan;
    if (series->sample_count == 0)
        return false;
    if (series->label_total > series->label_count) {
        refuse_label_count(job, scan, series);
        return false;
    }
    *out = (struct write_series){
        .identity = series->identity,
        .labels = series->identity.len > 0 ? NULL : scan->labels + series->first_label,
        .label_count = series->label_count,
        .sample_count = series->sample_count,
        .samples = scan->samples + series->first_sample,
    };
    return find_tenant(job, scratch, series->tenant, out) && take_replica(job, scratch, out);
}

static enum status take_all_series(struct write_job *job, struct write_scratch *scratch,
                                   size_t *count)
{
    *count = 0;
    if (scratch->scan.series_count == 0)
        return STATUS_OK;
    void *grown = charge_grow(&scratch->charge, scratch->series, &scratch->series_capacity,
                              scratch->scan.series_count, sizeof *scratch->series);
    if (grown == NULL)
        return charge_refusal(&scratch->charge, &job->err);
    scratch->series = grown;
    for (size_t i = 0; i < scratch->scan.series_count; i++)
        *count += take_series(job, scratch, &scratch->scan.series[i], &scratch->series[*count]);
    return STATUS_OK;
}

/* Metadata has no labels: it belongs to the tenant of the whole write, or to that of series without
   the tenant label. It makes no tenant: senders repeat it. */
static void keep_metadata(struct write_job *job, struct write_scratch *scratch)
{
    struct write_path *path = job->path;
    struct tenant *tenant;
    struct error err;
    if (scratch->scan.metadata_count == 0 ||
        write_tenant_find(&scratch->tenant, STR(""), &tenant, &err) != STATUS_OK)
        return;
    for (size_t i = 0; i < scratch->scan.metadata_count; i++) {
        const struct scanned_metadata *scanned = &scratch->scan.metadata[i];
        struct metric_metadata entry = {.metric = scanned->metric,
                                        .help = scanned->help,
                                        .unit = scanned->unit,
                                        .type = metric_type_of_wire(scanned->type)};
        metadata_put(path->options.metadata, tenant, &entry);
    }
}

static enum status unpack(struct write_job *job, size_t max_bytes, struct write_scratch *scratch)
{
    size_t len;
    TRY(snappy_body_len(job->body, max_bytes, &len, &job->err));
    TRY(charge_take(&scratch->charge, len, &job->err));
    return snappy_body_decode(job->body, max_bytes, &scratch->decoded, &job->err);
}

/* A write that is one tenant's as a whole may be as large as that tenant's may. */
static enum status decode(struct write_job *job, struct write_scratch *scratch)
{
    const struct write_path_options *options = &job->path->options;
    const struct tenant_id *id = scratch->tenant.fixed;
    size_t max_bytes = options->decoded_max_bytes;
    uint64_t own = id == NULL
                       ? max_bytes
                       : tenant_table_limit(options->tenants, id, TENANT_LIMIT_MAX_REQUEST_BYTES);
    if (own >= max_bytes)
        return unpack(job, max_bytes, scratch);
    enum status status = unpack(job, own, scratch);
    return status != STATUS_LIMIT
               ? status
               : error_prefix(&job->err, status,
                              "tenant \"%s\": limit max_request_bytes is %llu "
                              "(err-croft-max-request-bytes), to raise it: "
                              "tenants: {%s: {limits: {max_request_bytes: ...}}}",
                              id->text, (unsigned long long)own, id->text);
}

static void note_size(const struct write_job *job, const struct write_scratch *scratch)
{
    const struct write_path_options *options = &job->path->options;
    const struct tenant_id *id = scratch->tenant.fixed;
    struct tenant *tenant =
        id == NULL ? NULL : tenant_table_find(options->tenants, tenant_id_str(id));
    if (tenant != NULL)
        tenant_note_part(tenant, TENANT_LIMIT_MAX_REQUEST_BYTES, scratch->decoded.len,
                         clock_monotonic_ms(store_clock(options->store)));
}

static enum status decode_and_scan(struct write_job *job, struct write_scratch *scratch)
{
    const struct write_path_options *options = &job->path->options;
    TRY(decode(job, scratch));
    note_size(job, scratch);
    counter_add(&options->counters->decoded_bytes, scratch->decoded.len);
    struct write_scan_options scan = options->scan;
    scan.charge = &scratch->charge;
    TRY(write_scan_run(&scratch->scan, &scan, buffer_bytes(&scratch->decoded), &job->err));
    job->report.samples_received = scratch->scan.sample_count + scratch->scan.histogram_count;
    job->report.exemplars_skipped = scratch->scan.exemplar_count;
    job->report.metadata_received = scratch->scan.metadata_count;
    return STATUS_OK;
}

/* ---- the end ---- */

static void count_outcome(const struct write_job *job)
{
    struct write_counters *counters = job->path->options.counters;
    const struct write_report *report = &job->report;
    counter_add(&counters->samples_received, report->samples_received);
    counter_add(&counters->exemplars_skipped, report->exemplars_skipped);
    counter_add(&counters->metadata_received, report->metadata_received);
    if (job->status != STATUS_OK)
        return;
    counter_add(&counters->samples_written, report->stored.samples_written);
    for (unsigned reason = 0; reason < WRITE_REASON_COUNT; reason++) {
        uint64_t refused = write_report_reason_count(report, reason);
        if (refused > 0)
            counter_add(&counters->samples_refused[reason], refused);
    }
}

static void release(struct write_job *job)
{
    if (!refcount_release(&job->parties))
        return;
    count_outcome(job);
    job->done(job);
}

static void commit_done(struct write_commit *commit, enum status status)
{
    struct write_job *job =
        (struct write_job *)((char *)commit - offsetof(struct write_job, commit));
    if (status != STATUS_OK)
        job->status =
            error_set(&job->err, STATUS_UNAVAILABLE, "write: could not be made durable, try again");
    release(job);
}

static enum status do_run(struct write_job *job, struct write_scratch *scratch)
{
    struct write_path *path = job->path;
    TRY(write_tenant_begin(&scratch->tenant, job->grant, job->tenant, &job->err));
    write_replica_begin(&scratch->replica);
    TRY(decode_and_scan(job, scratch));
    refuse_histograms(job, scratch->scan.histogram_count);
    size_t count;
    TRY(take_all_series(job, scratch, &count));
    keep_metadata(job, scratch);
    if (count == 0)
        return STATUS_OK;
    size_t store_bytes = store_write_memory_max(scratch->series, count);
    TRY(charge_take(&scratch->charge, store_bytes, &job->err));
    job->commit = (struct write_commit){.done = commit_done};
    refcount_acquire(&job->parties);
    const struct store_write_request request = {.series = scratch->series,
                                                .series_count = count,
                                                .arena = job->arena,
                                                .result = &job->report.stored,
                                                .commit = &job->commit,
                                                .gives_way = job->gives_way};
    enum status status = store_write(path->options.store, &request, &job->err);
    if (status != STATUS_OK)
        refcount_release(&job->parties); /* never the last: this call still holds one */
    return status;
}

void write_path_run(struct write_path *path, struct write_job *job)
{
    uint64_t begin_ns = clock_thread_cpu_ns();
    struct write_scratch *scratch = take_scratch(path, job->charge);
    job->path = path;
    job->status = STATUS_OK;
    refcount_init(&job->parties);
    counter_add(&path->options.counters->body_bytes, job->body.len);
    enum status status = do_run(job, scratch);
    if (status != STATUS_OK)
        job->status = status; /* else the commit's word stands, which may be here already */
    give_scratch_back(path, scratch);
    job->cpu_ns = clock_thread_cpu_ns() - begin_ns;
    release(job);
}
