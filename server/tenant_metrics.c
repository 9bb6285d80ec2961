#include "server/tenant_metrics.h"

#include "base/mem.h"

/* What is asked of the store once for each tenant, and shown in several families. */
struct row {
    const struct tenant *tenant;
    struct tenant_usage usage;
    uint64_t limit_usage[TENANT_LIMIT_COUNT];
    uint64_t disk_bytes;
};

struct rows {
    struct row *ptr; /* by tenant number */
    size_t count;
};

static struct metric_label label(const char *name, struct str value)
{
    return (struct metric_label){name, value};
}

static struct metric_label tenant_label(const struct row *row)
{
    return label("tenant", tenant_id_str(&row->tenant->id));
}

/* ---- rows ---- */

static void add_block(const struct rows *rows, struct tenant_table *tenants, struct block *block)
{
    for (size_t i = 0; i < block_tenant_count(block); i++) {
        const struct tenant *tenant = tenant_table_find(tenants, block_tenant(block, i));
        struct block_section section = block_tenant_section(block, i);
        if (tenant != NULL && tenant->number < rows->count)
            rows->ptr[tenant->number].disk_bytes +=
                section.index_offset - section.runs_offset + section.index_len;
    }
}

static void add_blocks(const struct rows *rows, struct store *store)
{
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    for (uint32_t shard = 0; shard < store_shard_count(store); shard++) {
        struct block **blocks;
        size_t count;
        store_blocks(store, shard, &arena, &blocks, &count);
        for (size_t i = 0; i < count; i++) {
            add_block(rows, store_tenants(store), blocks[i]);
            block_release(blocks[i]);
        }
    }
    arena_deinit(&arena);
}

static struct rows collect(struct store *store)
{
    size_t count = tenant_table_count(store_tenants(store));
    count = count < METRICS_TENANTS_MAX ? count : METRICS_TENANTS_MAX;
    struct rows rows = {.ptr = mem_alloc_zeroed(count, sizeof *rows.ptr), .count = count};
    for (size_t i = 0; i < count; i++) {
        struct row *row = &rows.ptr[i];
        row->tenant = tenant_table_at(store_tenants(store), i);
        store_tenant_usage(store, row->tenant, &row->usage);
        store_limit_usage(store, row->tenant, row->limit_usage);
    }
    add_blocks(&rows, store);
    return rows;
}

/* ---- one number of a tenant ---- */

typedef double (*tenant_value)(const struct row *row);

static double active_series(const struct row *row)
{
    return (double)counter_get(&row->tenant->active_series);
}

static double series(const struct row *row)
{
    return (double)row->usage.series;
}

static double series_bytes(const struct row *row)
{
    return (double)row->usage.charged_bytes;
}

static double block_bytes(const struct row *row)
{
    return (double)row->disk_bytes;
}

static double samples_written(const struct row *row)
{
    return (double)counter_get(&row->tenant->samples_written);
}

static double samples_refused(const struct row *row)
{
    return (double)counter_get(&row->tenant->samples_refused);
}

static double samples_deduplicated(const struct row *row)
{
    return (double)counter_get(&row->tenant->samples_deduplicated);
}

/* Of the queries that read one tenant alone: nobody can say what each tenant's
   part of others was. */
static double query_cpu_seconds(const struct row *row)
{
    return (double)counter_get(&row->tenant->query_cpu_ns) / 1e9;
}

static double query_samples(const struct row *row)
{
    return (double)counter_get(&row->tenant->query_samples);
}

static const struct tenant_family {
    const char *name;
    enum metric_type type;
    const char *help;
    tenant_value value;
} tenant_families[] = {
    {"croft_tenant_active_series", METRIC_GAUGE, "Series that got a sample within the idle time.",
     active_series},
    {"croft_tenant_series", METRIC_GAUGE, "Series in memory, idle ones included.", series},
    {"croft_tenant_series_bytes", METRIC_GAUGE,
     "Memory of series and the texts of their labels, in bytes.", series_bytes},
    {"croft_tenant_block_bytes", METRIC_GAUGE, "Series and samples in blocks on disk, in bytes.",
     block_bytes},
    {"croft_tenant_samples_written_total", METRIC_COUNTER, "Samples accepted.", samples_written},
    {"croft_tenant_samples_rejected_total", METRIC_COUNTER, "Samples refused.", samples_refused},
    {"croft_tenant_samples_deduplicated_total", METRIC_COUNTER,
     "Samples of replicas that are not elected, dropped.", samples_deduplicated},
    {"croft_tenant_query_cpu_seconds_total", METRIC_COUNTER,
     "Processor time of queries that read only this tenant, in seconds.", query_cpu_seconds},
    {"croft_tenant_query_samples_total", METRIC_COUNTER,
     "Samples loaded by queries that read only this tenant.", query_samples},
};

static void write_tenant_family(const struct rows *rows, struct exposition *e,
                                const struct tenant_family *family)
{
    exposition_family(e, family->name, family->type, family->help);
    for (size_t i = 0; i < rows->count; i++) {
        struct metric_label labels[] = {tenant_label(&rows->ptr[i])};
        exposition_sample(e, labels, 1, family->value(&rows->ptr[i]));
    }
}

/* ---- by reason ---- */

static void write_refusals(const struct rows *rows, struct exposition *e)
{
    exposition_family(e, "croft_tenant_rejections_total", METRIC_COUNTER,
                      "Samples refused, by reason; reasons that were never met are left out.");
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->ptr[i];
        for (enum refusal_reason reason = 0; reason < REFUSAL_COUNT; reason++) {
            uint64_t samples = counter_get(&row->tenant->samples_refused_for[reason]);
            struct metric_label labels[] = {tenant_label(row),
                                            label("reason", str_from(refusal_reason_text(reason)))};
            if (samples > 0)
                exposition_sample(e, labels, 2, (double)samples);
        }
    }
}

/* ---- by limit ---- */

typedef bool (*limit_value)(const struct row *row, enum tenant_limit limit, uint64_t *out);

/* Of the limits that one can come near to; the others are the same for each sample or series. */
static bool limit_max(const struct row *row, enum tenant_limit limit, uint64_t *out)
{
    *out = tenant_limit(row->tenant, limit);
    return *out != TENANT_LIMIT_NONE && tenant_limit_row(limit)->nature != TENANT_LIMIT_OF_PART;
}

static bool limit_current(const struct row *row, enum tenant_limit limit, uint64_t *out)
{
    *out = row->limit_usage[limit];
    return *out != TENANT_LIMIT_NONE && tenant_has_limit(row->tenant, limit);
}

static bool limit_warnings(const struct row *row, enum tenant_limit limit, uint64_t *out)
{
    *out = counter_get(&row->tenant->limit_warnings[limit]);
    return tenant_limit_in(row->tenant, LIMIT_SOFT, limit) != TENANT_LIMIT_NONE || *out > 0;
}

static bool limit_would_refuse(const struct row *row, enum tenant_limit limit, uint64_t *out)
{
    *out = counter_get(&row->tenant->limit_would_refuse[limit]);
    return tenant_limit_in(row->tenant, LIMIT_DRY_RUN, limit) != TENANT_LIMIT_NONE || *out > 0;
}

static const struct limit_family {
    const char *name;
    enum metric_type type;
    const char *help;
    limit_value value;
} limit_families[] = {
    {"croft_limit_max", METRIC_GAUGE,
     "Limit of a tenant, of those on what it has and on how fast it sends.", limit_max},
    {"croft_limit_current", METRIC_GAUGE, "What a tenant uses of a limit.", limit_current},
    {"croft_limit_warnings_total", METRIC_COUNTER,
     "Times that a tenant passed a soft limit, or 80 % of a hard one.", limit_warnings},
    {"croft_limit_would_refuse_total", METRIC_COUNTER,
     "Series or samples that a limit in dry run would have refused.", limit_would_refuse},
};

static void write_limit_family(const struct rows *rows, struct exposition *e,
                               const struct limit_family *family)
{
    exposition_family(e, family->name, family->type, family->help);
    for (size_t i = 0; i < rows->count; i++) {
        for (enum tenant_limit limit = 0; limit < TENANT_LIMIT_COUNT; limit++) {
            uint64_t value;
            struct metric_label labels[] = {tenant_label(&rows->ptr[i]),
                                            label("limit", str_from(tenant_limit_name(limit)))};
            if (family->value(&rows->ptr[i], limit, &value))
                exposition_sample(e, labels, 2, (double)value);
        }
    }
}

/* ---- by label ---- */

/* Names of labels with more values than the soft limit: the most of each tenant. */
static void write_label_values(const struct rows *rows, struct store *store, struct exposition *e)
{
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    exposition_family(e, "croft_tenant_label_values", METRIC_GAUGE,
                      "Values in memory of the label names that have more than the soft limit "
                      "max_label_values.");
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->ptr[i];
        struct tenant_tops tops;
        uint64_t soft = tenant_limit_in(row->tenant, LIMIT_SOFT, TENANT_LIMIT_MAX_LABEL_VALUES);
        if (row->usage.label_values_max <= soft)
            continue;
        store_tenant_tops(store, row->tenant, &arena, &tops);
        for (size_t k = 0; k < tops.name_count && tops.names[k].count > soft; k++) {
            struct metric_label labels[] = {tenant_label(row), label("label", tops.names[k].text)};
            exposition_sample(e, labels, 2, (double)tops.names[k].count);
        }
        arena_reset(&arena);
    }
    arena_deinit(&arena);
}

void tenant_metrics_write(struct store *store, struct exposition *exposition)
{
    struct rows rows = collect(store);
    for (size_t i = 0; i < sizeof tenant_families / sizeof *tenant_families; i++)
        write_tenant_family(&rows, exposition, &tenant_families[i]);
    write_refusals(&rows, exposition);
    for (size_t i = 0; i < sizeof limit_families / sizeof *limit_families; i++)
        write_limit_family(&rows, exposition, &limit_families[i]);
    write_label_values(&rows, store, exposition);
    mem_free(rows.ptr);
}
