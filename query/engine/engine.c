#include "query/engine/engine.h"

#include <stdlib.h>

#include "query/engine/operator.h"
#include "query/engine/range_source.h"
#include "query/engine/sweep.h"
#include "query/syntax/parse.h"

static enum status check_expr(const struct eval *eval, const struct expr *expr, struct error *err)
{
    bool has_steps = expr->type == VALUE_VECTOR || expr->type == VALUE_SCALAR;
    if (eval->options->is_range && !has_steps)
        return error_set(err, STATUS_INVALID,
                         "invalid expression type \"%s\" for range query, must be Scalar or "
                         "instant Vector",
                         value_type_text(expr->type));
    return STATUS_OK;
}

/* --- the answer ------------------------------------------------------------------------ */

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

static enum status add_series(struct eval *eval, struct labels labels, struct sample *points,
                              size_t point_count, struct error *err)
{
    struct query_result *result = eval->result;
    struct result_series *series = &result->series[result->series_count];
    *series = (struct result_series){.points = points, .point_count = point_count};
    TRY(clone_labels(eval, labels, &series->labels, err));
    result->series_count++;
    return STATUS_OK;
}

/* Adds one series of an operator with the values it has; none when it has none. */
static enum status add_column(struct eval *eval, struct operator *op, size_t series,
                              const double *values, struct error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < op->grid.count; i++)
        count += !value_is_absent(values[i]);
    if (count == 0)
        return STATUS_OK;
    void *memory = NULL;
    TRY(eval_alloc_result(eval, count, sizeof(struct sample), &memory, err));
    struct sample *points = memory;
    size_t next = 0;
    for (size_t i = 0; i < op->grid.count; i++) {
        if (!value_is_absent(values[i]))
            points[next++] = (struct sample){grid_ts_ms(&op->grid, i), values[i]};
    }
    return add_series(eval, op->labels[series], points, count, err);
}

static enum status use_column(void *context, size_t series, const double *column, struct error *err)
{
    struct operator *op = context;
    return add_column(op->eval, op, series, column, err);
}

static enum status collect(struct eval *eval, struct operator *op, struct error *err)
{
    void *memory = NULL;
    TRY(eval_alloc_result(eval, op->series_count, sizeof(struct result_series), &memory, err));
    eval->result->series = memory;
    struct sweep sweep = {.op = op, .use = use_column, .context = op};
    return sweep_columns(&sweep, err);
}

static int compare_labels(const void *a, const void *b)
{
    const struct result_series *left = a;
    const struct result_series *right = b;
    return labels_compare(left->labels, right->labels);
}

static void sort_matrix(struct query_result *result)
{
    if (result->series_count > 1)
        qsort(result->series, result->series_count, sizeof *result->series, compare_labels);
}

/* --- kinds of queries ------------------------------------------------------------------ */

static enum status run_grid(struct eval *eval, const struct grid *grid, const struct expr *expr,
                            struct error *err)
{
    struct operator *op = NULL;
    TRY(operator_open(eval, grid, expr, &op, err));
    enum status status = collect(eval, op, err);
    operator_close(op);
    return status;
}

static enum status run_range(struct eval *eval, const struct expr *expr, struct error *err)
{
    const struct query_options *options = eval->options;
    eval->result->type = VALUE_MATRIX;
    if (options->end_ms < options->start_ms)
        return STATUS_OK;
    uint64_t span_ms = (uint64_t)options->end_ms - (uint64_t)options->start_ms;
    struct grid grid = {
        .start_ms = options->start_ms,
        .step_ms = options->step_ms,
        .count = (size_t)(span_ms / (uint64_t)options->step_ms),
    };
    if (grid.count < SIZE_MAX)
        grid.count++;
    TRY(run_grid(eval, &grid, expr, err));
    sort_matrix(eval->result);
    return STATUS_OK;
}

/* Adds one series of a range vector with its samples as they are. */
static enum status add_samples(struct eval *eval, struct labels labels,
                               const struct columns *samples, struct error *err)
{
    if (samples->count == 0)
        return STATUS_OK;
    void *memory = NULL;
    TRY(eval_alloc_result(eval, samples->count, sizeof(struct sample), &memory, err));
    struct sample *points = memory;
    for (size_t i = 0; i < samples->count; i++)
        points[i] = (struct sample){samples->ts_ms[i], samples->values[i]};
    eval_count_samples(eval, samples->count);
    return add_series(eval, labels, points, samples->count, err);
}

static enum status collect_source(struct range_source *source, struct columns *samples,
                                  struct error *err)
{
    struct eval *eval = source->eval;
    void *memory = NULL;
    TRY(eval_alloc_result(eval, source->series_count, sizeof(struct result_series), &memory, err));
    eval->result->series = memory;
    for (size_t i = 0; i < source->series_count; i++) {
        TRY(eval_check(eval, err));
        TRY(range_source_read(source, i, samples, err));
        TRY(eval_charge_samples(eval, samples->count, err));
        TRY(add_samples(eval, source->labels[i], samples, err));
    }
    sort_matrix(eval->result);
    return STATUS_OK;
}

static enum status run_matrix(struct eval *eval, const struct grid *grid, const struct expr *expr,
                              struct error *err)
{
    struct range_source source;
    struct columns samples;
    eval->result->type = VALUE_MATRIX;
    TRY(range_source_open(&source, eval, grid, expr, err));
    columns_init(&samples);
    enum status status = collect_source(&source, &samples, err);
    columns_deinit(&samples);
    range_source_close(&source);
    return status;
}

static enum status run_instant(struct eval *eval, const struct expr *expr, struct error *err)
{
    struct query_result *result = eval->result;
    int64_t ts_ms = eval->options->start_ms;
    struct grid grid = {.start_ms = ts_ms, .step_ms = 1, .count = 1};
    while (expr->kind == EXPR_PAREN)
        expr = expr->paren;
    result->type = expr->type;
    switch (expr->type) {
    case VALUE_STRING:
        result->string = expr->string;
        result->scalar.ts_ms = ts_ms;
        return STATUS_OK;
    case VALUE_MATRIX:
        return run_matrix(eval, &grid, expr, err);
    case VALUE_VECTOR:
        return run_grid(eval, &grid, expr, err);
    case VALUE_SCALAR:
        break;
    }
    TRY(run_grid(eval, &grid, expr, err));
    result->scalar = (struct sample){ts_ms, result->series[0].points[0].value};
    return STATUS_OK;
}

static enum status run(struct eval *eval, const struct expr *expr, struct error *err)
{
    TRY(check_expr(eval, expr, err));
    if (eval->options->is_range)
        return run_range(eval, expr, err);
    return run_instant(eval, expr, err);
}

static enum status evaluate(const struct engine *engine, const struct query_options *options,
                            const struct expr *expr, struct arena *arena, struct query_result *out,
                            struct error *err)
{
    struct arena working;
    arena_init(&working, engine->memory_max_bytes);
    struct eval eval = {
        .engine = engine,
        .options = options,
        .arena = &working,
        .result_arena = arena,
        .result = out,
        .thread = thread_self(),
        .lookback_ms = options->lookback_ms > 0 ? options->lookback_ms : engine->lookback_ms,
    };
    mutex_init(&eval.lock);
    scratch_pool_init(&eval.scratches);
    enum status status = run(&eval, expr, err);
    note_set_list(&eval.warnings, "warning", arena, &out->warnings);
    note_set_list(&eval.infos, "info", arena, &out->infos);
    note_set_deinit(&eval.warnings);
    note_set_deinit(&eval.infos);
    scratch_pool_deinit(&eval.scratches);
    mutex_deinit(&eval.lock);
    arena_deinit(&working);
    return status;
}

enum status engine_query(const struct engine *engine, const struct query_options *options,
                         struct arena *arena, struct query_result *out, struct error *err)
{
    struct parse_options parse_options = {.allows_experimental = engine->allows_experimental};
    struct expr *expr = NULL;
    *out = (struct query_result){0};
    TRY(parse_expr(options->text, &parse_options, arena, &expr, err));
    enum status status = evaluate(engine, options, expr, arena, out, err);
    ast_deinit(expr);
    return status;
}
