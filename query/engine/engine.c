#include "query/engine/engine.h"

#include <stdlib.h>

#include "query/engine/answer.h"
#include "query/engine/resolution.h"
#include "query/engine/range_source.h"
#include "query/syntax/duration.h"
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

/* ---- kinds of queries ---- */

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

static enum status run_grid(struct eval *eval, const struct grid *grid, const struct expr *expr,
                            struct error *err)
{
    struct query_operator *op = NULL;
    TRY(operator_open(eval, grid, expr, &op, err));
    bool hands_over = eval->options->is_range && eval->options->take_series != NULL;
    enum status status =
        hands_over ? answer_hand_over(eval, op, err) : answer_collect(eval, op, err);
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
    return answer_add(eval, labels, points, samples->count, err);
}

static enum status collect_source(struct range_source *source, struct columns *samples,
                                  struct error *err)
{
    struct eval *eval = source->eval;
    TRY(answer_begin(eval, source->series_count, err));
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

static enum status run(struct eval *eval, struct expr *expr, struct error *err)
{
    const struct query_options *options = eval->options;
    const struct duration_scope scope = {
        .step_ms = options->is_range ? options->step_ms : 0,
        .range_ms = time_minus(options->end_ms, options->start_ms),
    };
    TRY(check_expr(eval, expr, err));
    TRY(durations_resolve(expr, &scope, err));
    TRY(resolution_check(expr, eval->engine->default_step_ms, err));
    TRY(shared_set_find(&eval->shared, eval, expr, err));
    if (options->is_range)
        return run_range(eval, expr, err);
    return run_instant(eval, expr, err);
}

static enum status evaluate(const struct engine *engine, const struct query_options *options,
                            struct expr *expr, struct arena *arena, struct query_result *out,
                            struct error *err)
{
    struct arena working;
    arena_init(&working, engine->memory_max_bytes);
    working.charge = options->charge;
    struct eval eval = {
        .engine = engine,
        .options = options,
        .arena = &working,
        .result_arena = arena,
        .result = out,
        .thread = thread_self(),
        .least_left_bytes = engine->memory_max_bytes,
        .lookback_ms = options->lookback_ms > 0 ? options->lookback_ms : engine->lookback_ms,
    };
    mutex_init(&eval.lock);
    scratch_pool_init(&eval.scratches);
    enum status status = run(&eval, expr, err);
    shared_set_close(&eval.shared);
    note_set_list(&eval.warnings, "warning", eval.options->text, arena, &out->warnings);
    note_set_list(&eval.infos, "info", eval.options->text, arena, &out->infos);
    note_set_deinit(&eval.warnings);
    note_set_deinit(&eval.infos);
    scratch_pool_deinit(&eval.scratches);
    mutex_deinit(&eval.lock);
    out->memory_peak_bytes = engine->memory_max_bytes - eval.least_left_bytes;
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
