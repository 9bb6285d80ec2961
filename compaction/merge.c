#include "compaction/merge.h"

#include "base/check.h"
#include "tsdb/store/thinned_series.h"

enum { SAMPLES_BETWEEN_PAUSES = 16 * 1024 };

/* Where one input stands. */
struct cursor {
    struct block *block;
    size_t tenant;
    uint32_t series;
    uint32_t series_count; /* of the tenant; `series` is below it while `has_series` */
    bool has_series;
    struct arena arenas[2]; /* of the labels of this series, and of the one before */
    struct labels labels;
};

struct merge {
    const struct merge_options *options;
    struct block_writer *writer;
    struct merge_report *report;
    struct cursor cursors[BLOCK_REPLACED_MAX];
    struct columns samples; /* of the series under way */
    struct arena spans;     /* what was deleted of it */
    int64_t min_ts_ms;      /* of the tenant under way */
    struct timeline_cache timelines;
    uint64_t samples_since_pause;
};

/* ---- damage ---- */

/* Goes on without what could not be read of one block. */
static enum status skip_damage(struct merge *m, size_t input, enum status status,
                               const struct error *err)
{
    if (status != STATUS_CORRUPT)
        return status;
    m->report->is_damaged[input] = true;
    m->report->why = *err;
    return STATUS_OK;
}

/* ---- series of a tenant ---- */

static enum status read_labels(struct cursor *cursor, struct error *err)
{
    struct arena *arena = &cursor->arenas[cursor->series % 2];
    struct labels before = cursor->labels;
    arena_reset(arena);
    TRY(block_labels(cursor->block, cursor->tenant, cursor->series, arena, &cursor->labels, err));
    if (cursor->series > 0 && labels_compare(before, cursor->labels) >= 0)
        return error_set(err, STATUS_CORRUPT, "%s: series %u is out of order",
                         block_path(cursor->block), cursor->series);
    return STATUS_OK;
}

/* Moves to the series at `series`. Without the labels of one there is no telling where the next
   belong, so the rest of the tenant goes with it. */
static enum status seek_series(struct merge *m, size_t input, uint32_t series, struct error *err)
{
    struct cursor *cursor = &m->cursors[input];
    cursor->series = series;
    cursor->has_series = series < cursor->series_count;
    if (!cursor->has_series)
        return STATUS_OK;
    enum status status = read_labels(cursor, err);
    cursor->has_series = status == STATUS_OK;
    return skip_damage(m, input, status, err);
}

/* The input whose series comes first, the lowest rank of equal ones; `count` when there is none. */
static size_t first_series(const struct merge *m)
{
    size_t first = m->options->count;
    for (size_t i = 0; i < m->options->count; i++) {
        const struct cursor *cursor = &m->cursors[i];
        if (cursor->has_series && (first == m->options->count ||
                                   labels_compare(cursor->labels, m->cursors[first].labels) < 0))
            first = i;
    }
    return first;
}

static enum status read_samples(struct merge *m, size_t input, struct error *err)
{
    const struct cursor *cursor = &m->cursors[input];
    const struct block_range range = {m->min_ts_ms, INT64_MAX, &m->timelines};
    struct thinned_series series = {
        .block = cursor->block, .tenant = cursor->tenant, .series = cursor->series};
    arena_reset(&m->spans);
    if (m->options->deletions != NULL)
        series.deleted = deletions_of_series(
            m->options->deletions, block_meta(cursor->block)->sequence,
            block_tenant(cursor->block, cursor->tenant), cursor->labels, &m->spans);
    enum status status = thinned_series_read(&series, &range, &m->samples, err);
    return skip_damage(m, input, status, err);
}

static enum status pause_if_due(struct merge *m, struct error *err)
{
    m->samples_since_pause += m->samples.count;
    if (m->samples_since_pause < SAMPLES_BETWEEN_PAUSES || m->options->goes_on == NULL)
        return STATUS_OK;
    m->samples_since_pause = 0;
    if (m->options->goes_on(m->options->context))
        return STATUS_OK;
    return error_set(err, STATUS_CANCELLED, "merge: stopped");
}

/* One that has no memory is not made: its blocks are served as they are. */
static enum status check_memory(const struct merge *m, struct error *err)
{
    uint64_t max_bytes = m->options->memory_max_bytes;
    if (max_bytes == 0 || 2 * block_writer_memory_bytes(m->writer) <= max_bytes)
        return STATUS_OK;
    return error_set(err, STATUS_UNAVAILABLE,
                     "merge: the index of a tenant wants more than the %llu MiB of head_memory",
                     (unsigned long long)max_bytes >> 20);
}

/* The labels of `first` stay where they are until the series is written: a cursor that moves on
   uses its other arena. */
static enum status merge_series(struct merge *m, size_t first, struct error *err)
{
    struct labels labels = m->cursors[first].labels;
    columns_reset(&m->samples);
    for (size_t i = first; i < m->options->count; i++) {
        struct cursor *cursor = &m->cursors[i];
        if (!cursor->has_series || !labels_eq(cursor->labels, labels))
            continue;
        TRY(read_samples(m, i, err));
        TRY(seek_series(m, i, cursor->series + 1, err));
    }
    if (m->samples.count == 0)
        return STATUS_OK;
    m->report->sample_count += m->samples.count;
    TRY(block_writer_series(m->writer, labels, &m->samples, err));
    TRY(check_memory(m, err));
    return pause_if_due(m, err);
}

/* ---- tenants ---- */

static bool has_tenant(const struct cursor *cursor)
{
    return cursor->tenant < block_tenant_count(cursor->block);
}

/* False when all inputs are at their end. `out` points into a block. */
static bool first_tenant(const struct merge *m, struct str *out)
{
    bool has_found = false;
    for (size_t i = 0; i < m->options->count; i++) {
        const struct cursor *cursor = &m->cursors[i];
        if (!has_tenant(cursor))
            continue;
        struct str id = block_tenant(cursor->block, cursor->tenant);
        if (!has_found || str_compare(id, *out) < 0)
            *out = id;
        has_found = true;
    }
    return has_found;
}

static bool is_at_tenant(const struct cursor *cursor, struct str id)
{
    return has_tenant(cursor) && str_eq(block_tenant(cursor->block, cursor->tenant), id);
}

static enum status merge_tenant(struct merge *m, const struct tenant_id *id, struct error *err)
{
    struct str text = tenant_id_str(id);
    TRY(block_writer_tenant(m->writer, id, err));
    m->min_ts_ms = m->options->min_ts_ms;
    if (m->options->first_kept_ms != NULL)
        m->min_ts_ms = m->options->first_kept_ms(m->options->context, text);
    for (size_t i = 0; i < m->options->count; i++) {
        struct cursor *cursor = &m->cursors[i];
        cursor->series_count = is_at_tenant(cursor, text)
                                   ? (uint32_t)block_series_count(cursor->block, cursor->tenant)
                                   : 0;
        TRY(seek_series(m, i, 0, err));
    }
    for (size_t first; (first = first_series(m)) < m->options->count;)
        TRY(merge_series(m, first, err));
    for (size_t i = 0; i < m->options->count; i++)
        m->cursors[i].tenant += is_at_tenant(&m->cursors[i], text);
    return STATUS_OK;
}

/* ---- all ---- */

/* Nothing can be said of a block whose directory has changed since it was opened. */
static void leave_out(struct merge *m, size_t input, const struct error *why)
{
    m->cursors[input].tenant = block_tenant_count(m->cursors[input].block);
    m->report->is_damaged[input] = true;
    m->report->why = *why;
}

static void check_inputs(struct merge *m)
{
    struct error why;
    for (size_t i = 0; i < m->options->count; i++) {
        if (block_check_directory(m->cursors[i].block, &why) != STATUS_OK)
            leave_out(m, i, &why);
    }
}

/* Leaves out inputs whose directory is gone since it was checked: false when there were any, and
   what was read of a directory may be wrong. */
static bool confirm_inputs(struct merge *m)
{
    struct error why;
    bool is_sure = true;
    for (size_t i = 0; i < m->options->count; i++) {
        if (m->report->is_damaged[i] && !has_tenant(&m->cursors[i]))
            continue;
        if (block_confirm_directory(m->cursors[i].block, &why) == STATUS_OK)
            continue;
        leave_out(m, i, &why);
        is_sure = false;
    }
    return is_sure;
}

static enum status merge_tenants(struct merge *m, struct error *err)
{
    struct str text;
    check_inputs(m);
    while (first_tenant(m, &text)) {
        struct tenant_id id;
        enum status status = tenant_id_parse(text, &id, err);
        if (!confirm_inputs(m))
            continue;
        TRY(status);
        TRY(merge_tenant(m, &id, err));
    }
    confirm_inputs(m); /* the last tenants may have had more than was read of them */
    return STATUS_OK;
}

enum status merge_blocks(const struct merge_options *options, struct block_writer *writer,
                         struct merge_report *report, struct error *err)
{
    CHECK(options->count > 0);
    CHECK(options->count <= BLOCK_REPLACED_MAX);
    struct merge m = {.options = options, .writer = writer, .report = report};
    *report = (struct merge_report){0};
    columns_init(&m.samples);
    arena_init(&m.spans, SIZE_MAX);
    timeline_cache_init(&m.timelines);
    for (size_t i = 0; i < options->count; i++) {
        m.cursors[i].block = options->blocks[i];
        arena_init(&m.cursors[i].arenas[0], SIZE_MAX);
        arena_init(&m.cursors[i].arenas[1], SIZE_MAX);
    }
    enum status status = merge_tenants(&m, err);
    for (size_t i = 0; i < options->count; i++) {
        arena_deinit(&m.cursors[i].arenas[0]);
        arena_deinit(&m.cursors[i].arenas[1]);
    }
    columns_deinit(&m.samples);
    arena_deinit(&m.spans);
    timeline_cache_deinit(&m.timelines);
    return status;
}
