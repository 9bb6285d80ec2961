/*
 * One line per tenant: the series it has in blocks and log (each counted once), samples, bytes,
 * times.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/time_text.h"
#include "inspect/topic.h"
#include "tsdb/files/filenames.h"
#include "tsdb/model/tenant.h"
#include "tsdb/wal/wal.h"

enum { TIMES_MAX_BYTES = 256 };

struct tenant_row {
    uint64_t *series; /* hashes of their labels, with repetitions */
    size_t series_count;
    size_t series_capacity;
    uint64_t blocks;
    uint64_t block_samples;
    uint64_t block_bytes;
    uint64_t log_samples;
    int64_t min_ts_ms; /* INT64_MAX when there is no sample */
    int64_t max_ts_ms;
};

struct tenant_rows {
    struct topic *topic;
    struct tenant_table *tenants;
    struct tenant_row *rows; /* by number of the tenant */
    size_t count;
    size_t capacity;
    size_t *row_of_ref; /* of the log's epoch; SIZE_MAX for a tenant that is not covered */
    size_t ref_count;
    size_t ref_capacity;
    struct arena arena;
};

static enum status find_row(struct tenant_rows *rows, struct str id, size_t *out, struct error *err)
{
    struct tenant *tenant;
    TRY(tenant_table_get(rows->tenants, id, &tenant, err));
    *out = tenant->number;
    rows->rows = mem_grow(rows->rows, &rows->capacity, *out + 1, sizeof *rows->rows);
    for (; rows->count <= *out; rows->count++)
        rows->rows[rows->count] =
            (struct tenant_row){.min_ts_ms = INT64_MAX, .max_ts_ms = INT64_MIN};
    return STATUS_OK;
}

static void add_series(struct tenant_row *row, struct labels labels)
{
    row->series =
        mem_grow(row->series, &row->series_capacity, row->series_count + 1, sizeof *row->series);
    row->series[row->series_count++] = labels_hash(labels);
}

static void add_time(struct tenant_row *row, int64_t min_ts_ms, int64_t max_ts_ms)
{
    if (min_ts_ms < row->min_ts_ms)
        row->min_ts_ms = min_ts_ms;
    if (max_ts_ms > row->max_ts_ms)
        row->max_ts_ms = max_ts_ms;
}

/* ---- blocks ---- */

static enum status add_section(struct topic *topic, void *context, struct block *block,
                               size_t tenant, struct error *err)
{
    (void)topic;
    struct tenant_rows *rows = context;
    struct block_section section = block_tenant_section(block, tenant);
    size_t at;
    TRY(find_row(rows, block_tenant(block, tenant), &at, err));
    struct tenant_row *row = &rows->rows[at];
    row->blocks++;
    row->block_samples += section.sample_count;
    row->block_bytes += section.index_offset - section.runs_offset + section.index_len;
    add_time(row, section.min_ts_ms, section.max_ts_ms);
    for (uint32_t series = 0; series < section.series_count; series++) {
        struct labels labels;
        arena_reset(&rows->arena);
        TRY(block_labels(block, tenant, series, &rows->arena, &labels, err));
        add_series(row, labels);
    }
    return STATUS_OK;
}

/* ---- log ---- */

static void set_row_of_ref(struct tenant_rows *rows, uint32_t ref, size_t row)
{
    size_t want = (size_t)ref + 1;
    rows->row_of_ref =
        mem_grow(rows->row_of_ref, &rows->ref_capacity, want, sizeof *rows->row_of_ref);
    for (; rows->ref_count < want; rows->ref_count++)
        rows->row_of_ref[rows->ref_count] = SIZE_MAX;
    rows->row_of_ref[ref] = row;
}

static enum status log_series(void *context, struct series_ref ref, struct str tenant,
                              struct labels labels, struct error *err)
{
    struct tenant_rows *rows = context;
    size_t at = SIZE_MAX;
    if (topic_covers_tenant(rows->topic, tenant)) {
        TRY(find_row(rows, tenant, &at, err));
        add_series(&rows->rows[at], labels);
    }
    set_row_of_ref(rows, ref.value, at);
    return STATUS_OK;
}

static enum status log_samples(void *context, const struct logged_sample *samples, size_t count,
                               struct error *err)
{
    (void)err;
    struct tenant_rows *rows = context;
    for (size_t i = 0; i < count; i++) {
        size_t at = rows->row_of_ref[samples[i].ref.value];
        if (at == SIZE_MAX)
            continue;
        rows->rows[at].log_samples++;
        add_time(&rows->rows[at], samples[i].sample.ts_ms, samples[i].sample.ts_ms);
    }
    return STATUS_OK;
}

static void log_epoch(void *context, uint32_t epoch)
{
    (void)epoch;
    struct tenant_rows *rows = context;
    rows->ref_count = 0;
}

static enum status add_log(struct tenant_rows *rows, uint32_t shard, struct error *err)
{
    char folder[DISK_PATH_MAX];
    uint32_t covered_epoch;
    rows->ref_count = 0;
    shard_file_path(folder, shard, WAL_FOLDER, "");
    TRY(topic_covered_epoch(rows->topic, shard, &covered_epoch, err));
    const struct wal_replay_handler handler = {
        .context = rows, .series = log_series, .samples = log_samples, .epoch = log_epoch};
    struct wal_replay_report report = {0};
    const struct wal_replay_options options = {.disk = rows->topic->inspection->disk,
                                               .folder = folder,
                                               .shard = shard,
                                               .covered_epoch = covered_epoch,
                                               .handler = &handler};
    enum status status = wal_replay(&options, &report, err);
    return topic_pass_damage(rows->topic, status, err);
}

/* ---- printing ---- */

static int compare_hashes(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

static size_t count_distinct(struct tenant_row *row)
{
    size_t distinct = row->series_count > 0;
    if (row->series_count > 0)
        qsort(row->series, row->series_count, sizeof *row->series, compare_hashes);
    for (size_t i = 1; i < row->series_count; i++)
        distinct += row->series[i] != row->series[i - 1];
    return distinct;
}

static int compare_tenants(const void *left, const void *right)
{
    const struct tenant *const *a = left, *const *b = right;
    return str_compare(tenant_id_str(&(*a)->id), tenant_id_str(&(*b)->id));
}

static void print_row(const struct tenant_rows *rows, const struct tenant *tenant)
{
    struct tenant_row *row = &rows->rows[tenant->number];
    struct buffer times;
    buffer_init(&times, TIMES_MAX_BYTES);
    append_time(&times, row->min_ts_ms);
    buffer_append_str(&times, STR(" .. "));
    append_time(&times, row->max_ts_ms);
    fprintf(topic_out(rows->topic),
            "%5u %10zu %7" PRIu64 " %14" PRIu64 " %14" PRIu64 " %12" PRIu64 "  %-52.*s  %s\n",
            tenant->shard, count_distinct(row), row->blocks, row->block_samples, row->block_bytes,
            row->log_samples, STR_ARG(buffer_str(&times)), tenant->id.text);
    buffer_deinit(&times);
}

/* The table has tenants in order of appearance, and the default one whether it was met or not. */
static void print_rows(const struct tenant_rows *rows)
{
    const struct tenant **sorted = mem_alloc((rows->count + 1) * sizeof *sorted);
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++) {
        if (rows->rows[i].series_count > 0 || rows->rows[i].blocks > 0)
            sorted[count++] = tenant_table_at(rows->tenants, i);
    }
    qsort(sorted, count, sizeof *sorted, compare_tenants);
    fprintf(topic_out(rows->topic), "%5s %10s %7s %14s %14s %12s  %-52s  %s\n", "shard", "series",
            "blocks", "block samples", "block bytes", "log samples", "times", "tenant");
    for (size_t i = 0; i < count; i++)
        print_row(rows, sorted[i]);
    mem_free(sorted);
}

static enum status collect(struct tenant_rows *rows, struct error *err)
{
    TRY(topic_each_section(rows->topic, add_section, rows, err));
    for (uint32_t shard = 0; shard < rows->topic->shard_count; shard++) {
        if (topic_covers_shard(rows->topic, shard))
            TRY(add_log(rows, shard, err));
    }
    return STATUS_OK;
}

static void deinit_rows(struct tenant_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        mem_free(rows->rows[i].series);
    mem_free(rows->rows);
    mem_free(rows->row_of_ref);
    arena_deinit(&rows->arena);
    tenant_table_close(rows->tenants);
}

enum status show_tenants(struct topic *topic, struct error *err)
{
    struct tenant_rows rows = {.topic = topic};
    const struct tenant_table_options options = {.shard_count = topic->shard_count,
                                                 .tenants_max = UINT32_MAX,
                                                 .default_tenant = STR("anonymous")};
    TRY(tenant_table_open(&options, &rows.tenants, err));
    arena_init(&rows.arena, SIZE_MAX);
    enum status status = collect(&rows, err);
    if (status == STATUS_OK)
        print_rows(&rows);
    deinit_rows(&rows);
    return status;
}
