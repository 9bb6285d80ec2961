/*
 * Bytes per sample: where the bytes of blocks and logs go, by encoding, by tenant and by metric.
 *
 * Timelines are shared by the series of a tenant, and so are symbols, tables and postings: of the
 * index only the entries of the series belong to a metric.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "inspect/topic.h"
#include "tsdb/block/block_index.h"
#include "tsdb/block/block_run.h"
#include "tsdb/files/filenames.h"
#include "tsdb/wal/wal.h"

struct sizes {
    struct str name; /* of the tenant or metric, in the arena */
    uint64_t series;
    struct run_sizes runs;
    struct timeline_sizes timelines;
    struct index_sizes index;
};

struct size_list {
    struct sizes *ptr;
    size_t count;
    size_t capacity;
};

struct size_view {
    struct topic *topic;
    struct arena names;
    struct arena labels; /* of one series */
    struct size_list tenants;
    struct size_list metrics;
    struct run_sizes runs; /* of all */
    struct timeline_sizes timelines;
    struct timeline_cache decoded; /* timelines of the tenant under way */
    uint64_t block_bytes;
    uint64_t block_samples;
};

/* ---- adding up ---- */

/* The last entry when it has that name, else a new one: most neighbours have the same. */
static struct sizes *open_entry(struct size_view *view, struct size_list *list, struct str name)
{
    if (list->count > 0 && str_eq(list->ptr[list->count - 1].name, name))
        return &list->ptr[list->count - 1];
    list->ptr = mem_grow(list->ptr, &list->capacity, list->count + 1, sizeof *list->ptr);
    list->ptr[list->count] = (struct sizes){.name = arena_copy(&view->names, name)};
    return &list->ptr[list->count++];
}

static void add_runs(struct run_sizes *to, const struct run_sizes *from)
{
    to->samples += from->samples;
    to->chunks += from->chunks;
    to->head_bytes += from->head_bytes;
    to->value_bytes += from->value_bytes;
    for (size_t i = 0; i < ENCODINGS_MAX; i++) {
        to->encodings[i].samples += from->encodings[i].samples;
        to->encodings[i].bytes += from->encodings[i].bytes;
    }
}

static void add_timelines(struct timeline_sizes *to, const struct timeline_sizes *from)
{
    to->timelines += from->timelines;
    to->head_bytes += from->head_bytes;
    to->chunk_bytes += from->chunk_bytes;
    for (size_t i = 0; i < ENCODINGS_MAX; i++) {
        to->encodings[i].timestamps += from->encodings[i].timestamps;
        to->encodings[i].bytes += from->encodings[i].bytes;
    }
}

static void add_sizes(struct sizes *to, const struct sizes *from)
{
    to->series += from->series;
    add_runs(&to->runs, &from->runs);
    add_timelines(&to->timelines, &from->timelines);
    to->index.symbol_bytes += from->index.symbol_bytes;
    to->index.table_bytes += from->index.table_bytes;
    to->index.series_bytes += from->index.series_bytes;
    to->index.postings_bytes += from->index.postings_bytes;
}

static enum status add_series(struct size_view *view, struct block *block, size_t tenant,
                              uint32_t series, struct sizes *of_tenant, struct error *err)
{
    const struct block_index *index;
    struct labels labels;
    struct sizes sizes = {.series = 1};
    arena_reset(&view->labels);
    TRY(block_tenant_index(block, tenant, &index, err));
    TRY(block_index_labels(index, series, &view->labels, &labels, err));
    TRY(block_series_measure(block, tenant, series, &view->decoded, &sizes.runs, err));
    add_runs(&of_tenant->runs, &sizes.runs);
    add_runs(&view->runs, &sizes.runs);
    of_tenant->series++;
    sizes.index.series_bytes = block_index_series_len(index, series);
    add_sizes(open_entry(view, &view->metrics, labels_get(labels, LABEL_METRIC_NAME)), &sizes);
    return STATUS_OK;
}

static enum status add_all_series(struct size_view *view, struct block *block, size_t tenant,
                                  struct sizes *of_tenant, struct error *err)
{
    size_t series_count = block_series_count(block, tenant);
    for (uint32_t series = 0; series < series_count; series++)
        TRY(add_series(view, block, tenant, series, of_tenant, err));
    return STATUS_OK;
}

static enum status add_section(struct topic *topic, void *context, struct block *block,
                               size_t tenant, struct error *err)
{
    (void)topic;
    struct size_view *view = context;
    const struct block_index *index;
    struct timeline_sizes timelines = {0};
    struct sizes *of_tenant = open_entry(view, &view->tenants, block_tenant(block, tenant));
    TRY(block_tenant_index(block, tenant, &index, err));
    block_index_measure(index, &of_tenant->index);
    TRY(block_timelines_measure(block, tenant, &timelines, err));
    add_timelines(&of_tenant->timelines, &timelines);
    add_timelines(&view->timelines, &timelines);
    timeline_cache_init(&view->decoded);
    enum status status = add_all_series(view, block, tenant, of_tenant, err);
    timeline_cache_deinit(&view->decoded);
    return status;
}

static enum status add_block(struct topic *topic, void *context, struct block *block,
                             struct error *err)
{
    (void)topic, (void)err;
    struct size_view *view = context;
    view->block_bytes += block_size_bytes(block);
    view->block_samples += block_meta(block)->sample_count;
    return STATUS_OK;
}

/* ---- one entry per name ---- */

static int compare_names(const void *left, const void *right)
{
    const struct sizes *a = left, *b = right;
    return str_compare(a->name, b->name);
}

static uint64_t timeline_bytes(const struct timeline_sizes *timelines)
{
    return timelines->head_bytes + timelines->chunk_bytes;
}

static uint64_t total_bytes(const struct sizes *sizes)
{
    const struct run_sizes *runs = &sizes->runs;
    const struct index_sizes *index = &sizes->index;
    return timeline_bytes(&sizes->timelines) + runs->head_bytes + runs->value_bytes +
           index->symbol_bytes + index->table_bytes + index->series_bytes + index->postings_bytes;
}

/* The largest first. */
static int compare_bytes(const void *left, const void *right)
{
    uint64_t a = total_bytes(left), b = total_bytes(right);
    return a > b ? -1 : a < b ? 1 : compare_names(left, right);
}

static void fold_list(struct size_list *list)
{
    size_t kept = 0;
    if (list->count == 0)
        return;
    qsort(list->ptr, list->count, sizeof *list->ptr, compare_names);
    for (size_t i = 1; i < list->count; i++) {
        if (str_eq(list->ptr[i].name, list->ptr[kept].name))
            add_sizes(&list->ptr[kept], &list->ptr[i]);
        else
            list->ptr[++kept] = list->ptr[i];
    }
    list->count = kept + 1;
    qsort(list->ptr, list->count, sizeof *list->ptr, compare_bytes);
}

/* ---- printing ---- */

static double per_sample(uint64_t bytes, uint64_t samples)
{
    return samples == 0 ? 0 : (double)bytes / (double)samples;
}

static void print_entry(FILE *out, const struct sizes *sizes)
{
    uint64_t samples = sizes->runs.samples;
    const uint64_t bytes[] = {
        total_bytes(sizes),       timeline_bytes(&sizes->timelines), sizes->runs.value_bytes,
        sizes->runs.head_bytes,   sizes->index.series_bytes,         sizes->index.symbol_bytes,
        sizes->index.table_bytes, sizes->index.postings_bytes,
    };
    fprintf(out, "%12" PRIu64 " %8" PRIu64 " %12" PRIu64, samples, sizes->series, bytes[0]);
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++)
        fprintf(out, " %8.4f", per_sample(bytes[i], samples));
    fprintf(out, "  %.*s\n", STR_ARG(sizes->name));
}

static void print_list(FILE *out, const struct size_list *list, const char *what)
{
    fprintf(out, "\nbytes per sample by %s\n%12s %8s %12s %8s %8s %8s %8s %8s %8s %8s %8s  %s\n",
            what, "samples", "series", "bytes", "total", "times", "values", "heads", "series",
            "symbols", "tables", "postings", what);
    for (size_t i = 0; i < list->count; i++)
        print_entry(out, &list->ptr[i]);
}

static void print_encoding(FILE *out, const char *column, const char *name, uint64_t samples,
                           uint64_t bytes)
{
    if (samples > 0)
        fprintf(out, "%12" PRIu64 " %12" PRIu64 " %8.4f  %s %s\n", samples, bytes,
                per_sample(bytes, samples), column, name);
}

static void print_encodings(FILE *out, const struct size_view *view)
{
    const struct timeline_sizes *timelines = &view->timelines;
    const struct run_sizes *runs = &view->runs;
    fprintf(out, "\nby encoding, %" PRIu64 " timelines, %" PRIu64 " chunks of values\n",
            timelines->timelines, runs->chunks);
    fprintf(out, "%12s %12s %8s\n", "samples", "bytes", "B/sample");
    for (unsigned i = 0; i < ENCODINGS_MAX; i++)
        print_encoding(out, ts_encodings.column, encoding_name(&ts_encodings, i),
                       timelines->encodings[i].timestamps, timelines->encodings[i].bytes);
    for (unsigned i = 0; i < ENCODINGS_MAX; i++)
        print_encoding(out, value_encodings.column, encoding_name(&value_encodings, i),
                       runs->encodings[i].samples, runs->encodings[i].bytes);
}

/* ---- log ---- */

static void add_segment(void *context, const struct wal_segment_view *segment)
{
    uint64_t *bytes = context;
    *bytes += segment->limit_bytes;
}

static enum status print_log(struct topic *topic, uint32_t shard, struct error *err)
{
    char folder[DISK_PATH_MAX];
    uint32_t covered_epoch;
    uint64_t bytes = 0;
    TRY(topic_covered_epoch(topic, shard, &covered_epoch, err));
    shard_file_path(folder, shard, WAL_FOLDER, "");
    const struct wal_observer observer = {.context = &bytes, .segment_end = add_segment};
    const struct wal_replay_handler handler = {.observer = &observer};
    struct wal_replay_report report = {0};
    const struct wal_replay_options options = {.disk = topic->inspection->disk,
                                               .folder = folder,
                                               .shard = shard,
                                               .covered_epoch = covered_epoch,
                                               .handler = &handler};
    TRY(topic_pass_damage(topic, wal_replay(&options, &report, err), err));
    fprintf(topic_out(topic), "%12" PRIu64 " %12" PRIu64 " %8.4f  log of shard %u\n",
            report.samples, bytes, per_sample(bytes, report.samples), shard);
    return STATUS_OK;
}

static enum status print_totals(struct size_view *view, struct error *err)
{
    FILE *out = topic_out(view->topic);
    fprintf(out, "%12s %12s %8s\n", "samples", "bytes", "B/sample");
    fprintf(out, "%12" PRIu64 " %12" PRIu64 " %8.4f  blocks\n", view->block_samples,
            view->block_bytes, per_sample(view->block_bytes, view->block_samples));
    for (uint32_t shard = 0; shard < view->topic->shard_count; shard++) {
        if (topic_covers_shard(view->topic, shard))
            TRY(print_log(view->topic, shard, err));
    }
    return STATUS_OK;
}

static enum status show_view(struct size_view *view, struct error *err)
{
    FILE *out = topic_out(view->topic);
    TRY(topic_each_block(view->topic, add_block, view, err));
    TRY(topic_each_section(view->topic, add_section, view, err));
    TRY(print_totals(view, err));
    fold_list(&view->tenants);
    fold_list(&view->metrics);
    print_encodings(out, view);
    print_list(out, &view->tenants, "tenant");
    print_list(out, &view->metrics, "metric");
    return STATUS_OK;
}

enum status show_sizes(struct topic *topic, struct error *err)
{
    struct size_view view = {.topic = topic};
    arena_init(&view.names, SIZE_MAX);
    arena_init(&view.labels, SIZE_MAX);
    enum status status = show_view(&view, err);
    mem_free(view.tenants.ptr);
    mem_free(view.metrics.ptr);
    arena_deinit(&view.labels);
    arena_deinit(&view.names);
    return status;
}
