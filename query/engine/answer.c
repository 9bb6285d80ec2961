#include "query/engine/answer.h"

#include <stdlib.h>

#include "query/engine/sweep.h"

/* ---- kept ---- */

static enum status clone_labels(struct eval *eval, struct labels labels, struct labels *out,
                                struct error *err)
{
    size_t text_bytes = 0;
    for (size_t i = 0; i < labels.count; i++)
        text_bytes += labels.ptr[i].name.len + labels.ptr[i].value.len;
    void *memory = NULL;
    TRY(eval_alloc_result(eval, labels.count, sizeof(struct label), &memory, err));
    struct label *cloned = memory;
    TRY(eval_alloc_result(eval, text_bytes, 1, &memory, err));
    char *text = memory;
    for (size_t i = 0; i < labels.count; i++) {
        struct str name = labels.ptr[i].name;
        struct str value = labels.ptr[i].value;
        memcpy(text, name.ptr, name.len);
        memcpy(text + name.len, value.ptr, value.len);
        cloned[i] = (struct label){{text, name.len}, {text + name.len, value.len}};
        text += name.len + value.len;
    }
    *out = (struct labels){cloned, labels.count};
    return STATUS_OK;
}

enum status answer_begin(struct eval *eval, size_t series_max, struct error *err)
{
    void *memory = NULL;
    TRY(eval_alloc_result(eval, series_max, sizeof(struct result_series), &memory, err));
    eval->result->series = memory;
    return STATUS_OK;
}

enum status answer_add(struct eval *eval, struct labels labels, const struct sample *points,
                       size_t point_count, struct error *err)
{
    struct query_result *result = eval->result;
    struct result_series *series = &result->series[result->series_count];
    *series = (struct result_series){.points = points, .point_count = point_count};
    TRY(clone_labels(eval, labels, &series->labels, err));
    result->series_count++;
    return STATUS_OK;
}

/* The steps that have a value. */
static void fill_points(const struct grid *grid, const double *column, struct sample *points)
{
    size_t next = 0;
    for (size_t i = 0; i < grid->count; i++) {
        if (!value_is_absent(column[i]))
            points[next++] = (struct sample){grid_ts_ms(grid, i), column[i]};
    }
}

static enum status keep_column(void *context, size_t series, const double *column,
                               struct error *err)
{
    struct query_operator *op = context;
    void *memory = NULL;
    size_t count = count_present(column, op->grid.count);
    if (count == 0)
        return STATUS_OK;
    TRY(eval_alloc_result(op->eval, count, sizeof(struct sample), &memory, err));
    fill_points(&op->grid, column, memory);
    return answer_add(op->eval, op->labels[series], memory, count, err);
}

enum status answer_collect(struct eval *eval, struct query_operator *op, struct error *err)
{
    TRY(answer_begin(eval, op->series_count, err));
    struct sweep sweep = {.op = op, .use = keep_column, .context = op};
    return sweep_columns(&sweep, err);
}

/* ---- handed over ---- */

struct handing {
    struct query_operator *op;
    struct sample *points; /* of the series at hand */
};

static enum status hand_column(void *context, size_t series, const double *column,
                               struct error *err)
{
    struct handing *handing = context;
    struct query_operator *op = handing->op;
    size_t count = count_present(column, op->grid.count);
    if (count == 0)
        return STATUS_OK;
    fill_points(&op->grid, column, handing->points);
    struct result_series handed = {op->labels[series], handing->points, count};
    const struct query_options *options = op->eval->options;
    return options->take_series(options->take_context, &handed, err);
}

struct place {
    struct labels labels;
    uint32_t series;
};

static int compare_places(const void *a, const void *b)
{
    return labels_compare(((const struct place *)a)->labels, ((const struct place *)b)->labels);
}

static bool are_sorted(const struct query_operator *op)
{
    for (size_t i = 1; i < op->series_count; i++) {
        if (labels_compare(op->labels[i - 1], op->labels[i]) > 0)
            return false;
    }
    return true;
}

/* `*order` stays NULL when the series are in order as they are. */
static enum status sort_series(struct eval *eval, const struct query_operator *op,
                               const uint32_t **order, struct error *err)
{
    *order = NULL;
    if (are_sorted(op))
        return STATUS_OK;
    void *memory;
    TRY(eval_alloc_array(eval, op->series_count, sizeof(struct place), &memory, err));
    struct place *places = memory;
    TRY(eval_alloc_array(eval, op->series_count, sizeof(uint32_t), &memory, err));
    uint32_t *sorted = memory;
    for (size_t i = 0; i < op->series_count; i++)
        places[i] = (struct place){op->labels[i], (uint32_t)i};
    qsort(places, op->series_count, sizeof *places, compare_places);
    for (size_t i = 0; i < op->series_count; i++)
        sorted[i] = places[i].series;
    *order = sorted;
    return STATUS_OK;
}

enum status answer_hand_over(struct eval *eval, struct query_operator *op, struct error *err)
{
    struct handing handing = {.op = op};
    struct sweep sweep = {.op = op, .use = hand_column, .context = &handing};
    void *memory;
    TRY(eval_alloc_array(eval, op->grid.count, sizeof(struct sample), &memory, err));
    handing.points = memory;
    TRY(sort_series(eval, op, &sweep.order, err));
    return sweep_columns(&sweep, err);
}
