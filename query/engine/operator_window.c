/* Functions over ranges: one read of each series, a window that slides over it, one value per
   step. */
#include "query/engine/operator.h"

#include "query/engine/range_source.h"
#include "query/engine/scalar.h"
#include "query/engine/window.h"
#include "query/function/function.h"

enum { SAMPLES_BETWEEN_CHECKS = 16 << 10, JUMP_STRIDE = 64 };

struct window_operator {
    struct query_operator base;
    const struct expr *call;
    const struct expr *range_arg;
    struct range_source source;
    size_t arg_count;                      /* scalar arguments, in written order */
    const double *args[FUNCTION_ARGS_MAX]; /* a value for each step */
};

static void window_close(struct query_operator *op)
{
    range_source_close(&((struct window_operator *)op)->source);
}

/* ---- what functions ask for, made once per series ---- */

static bool is_jump(enum window_need need, double before, double now)
{
    if (need == WINDOW_NEEDS_RESETS)
        return now < before;
    bool both_nan = now != now && before != before;
    return now != before && !both_nan;
}

/* Whether any of values[begin..end) differs from the one before it as `need` asks; counters seldom
   fall, and this is a loop without branches. */
static bool may_jump(enum window_need need, const double *values, size_t begin, size_t end)
{
    unsigned jumps = 0;
    for (size_t i = begin; i < end; i++)
        jumps |=
            need == WINDOW_NEEDS_RESETS ? values[i] < values[i - 1] : values[i] != values[i - 1];
    return jumps != 0;
}

/* Lists the jumps, and as the last one a sample that is never reached. */
static const uint32_t *list_jumps(enum window_need need, struct scratch *scratch)
{
    const struct columns *samples = &scratch->samples;
    uint32_t *jumps_at = scratch_room(scratch, samples->count + 1, sizeof *jumps_at);
    size_t count = 0;
    for (size_t begin = 1; begin < samples->count; begin += JUMP_STRIDE) {
        size_t end = begin + JUMP_STRIDE < samples->count ? begin + JUMP_STRIDE : samples->count;
        if (!may_jump(need, samples->values, begin, end))
            continue;
        for (size_t i = begin; i < end; i++) {
            if (is_jump(need, samples->values[i - 1], samples->values[i]))
                jumps_at[count++] = (uint32_t)i;
        }
    }
    jumps_at[count] = UINT32_MAX;
    return jumps_at;
}

static double seconds_of(int64_t duration_ms)
{
    return (double)(duration_ms / 1000) + (double)(duration_ms % 1000 * 1000000) / 1e9;
}

static struct window window_over(const struct window_operator *self, struct scratch *scratch,
                                 struct window_memory *memory)
{
    enum window_need need = self->call->call.function->window_need;
    struct window window = {.columns = &scratch->samples,
                            .range_s = seconds_of(self->source.range_ms),
                            .memory = memory};
    if (need == WINDOW_NEEDS_SCRATCH)
        window.scratch = scratch_room(scratch, scratch->samples.count, sizeof *window.scratch);
    if (need == WINDOW_NEEDS_RESETS || need == WINDOW_NEEDS_CHANGES)
        window.jumps_at = list_jumps(need, scratch);
    return window;
}

/* ---- sliding ---- */

/* Moves the window to the step at `ts_ms`; steps come in order, so both ends only move forward. */
static void slide(struct window *window, const struct range_source *source, int64_t ts_ms)
{
    const struct columns *samples = window->columns;
    size_t first = window->first;
    size_t end = first + window->count;
    window->step_ms = ts_ms;
    window->end_ms = range_source_end_ms(source, ts_ms);
    window->start_ms = time_minus(window->end_ms, source->range_ms);
    while (end < samples->count && samples->ts_ms[end] <= window->end_ms)
        end++;
    while (first < end && samples->ts_ms[first] <= window->start_ms)
        first++;
    window->first = first;
    window->count = end - first;
    if (window->jumps_at == NULL)
        return;
    while (window->jumps_at[window->jump_end] < end)
        window->jump_end++;
    while (window->jump_first < window->jump_end && window->jumps_at[window->jump_first] <= first)
        window->jump_first++;
}

static enum status call_function(const struct window_operator *self, const struct window *window,
                                 size_t step, double *out, struct error *err)
{
    const struct function *function = self->call->call.function;
    double args[FUNCTION_ARGS_MAX];
    double value;
    for (size_t i = 0; i < self->arg_count; i++)
        args[i] = self->args[i][step];
    if (function->check != NULL)
        TRY(function->check(self->base.eval, self->call, args, err));
    *out = function->window(window, args, &value) ? value : value_absent();
    return STATUS_OK;
}

/* `*seen` is how many samples all windows have. */
static enum status fill_steps(const struct window_operator *self, struct scratch *scratch,
                              double *values, uint64_t *seen, struct error *err)
{
    const struct grid *grid = &self->base.grid;
    struct window_memory memory = {0};
    struct window window = window_over(self, scratch, &memory);
    uint64_t next_check = SAMPLES_BETWEEN_CHECKS;
    for (size_t step = 0; step < grid->count; step++) {
        /* one series can keep a function that sorts busy for long */
        if (*seen >= next_check) {
            TRY(eval_check(self->base.eval, err));
            next_check = *seen + SAMPLES_BETWEEN_CHECKS;
        }
        slide(&window, &self->source, grid_ts_ms(grid, step));
        *seen += window.count;
        values[step] = value_absent();
        if (window.count > 0)
            TRY(call_function(self, &window, step, &values[step], err));
    }
    return STATUS_OK;
}

/* ---- notes ---- */

static bool looks_like_counter(struct str name)
{
    return str_ends_with(name, STR("_total")) || str_ends_with(name, STR("_sum")) ||
           str_ends_with(name, STR("_count")) || str_ends_with(name, STR("_bucket"));
}

static void note_non_counter(struct window_operator *self, size_t series)
{
    struct str function = str_from(self->call->call.function->name);
    if (!str_eq(function, STR("rate")) && !str_eq(function, STR("increase")))
        return;
    struct str name = labels_get(self->source.labels[series], LABEL_METRIC_NAME);
    if (name.len > 0 && !looks_like_counter(name))
        eval_info_at(self->base.eval, self->call, self->range_arg,
                     "metric might not be a counter, name does not end in "
                     "_total/_sum/_count/_bucket: \"%.*s\"",
                     STR_ARG(name));
}

static enum status make_column(struct window_operator *self, size_t series, struct scratch *scratch,
                               double *values, struct error *err)
{
    struct eval *eval = self->base.eval;
    uint64_t seen = 0;
    TRY(range_source_read(&self->source, series, &scratch->samples, err));
    TRY(fill_steps(self, scratch, values, &seen, err));
    eval_count_samples(eval, seen);
    size_t present = count_present(values, self->base.grid.count);
    if (present > 0)
        note_non_counter(self, series);
    return eval_charge_samples(eval, present, err);
}

static enum status window_column(struct query_operator *op, size_t series, double *values,
                                 struct error *err)
{
    TRY(eval_check(op->eval, err));
    struct scratch *scratch = scratch_take(&op->eval->scratches);
    enum status status = make_column((struct window_operator *)op, series, scratch, values, err);
    scratch_give(&op->eval->scratches, scratch);
    return status;
}

/* ---- opening ---- */

static enum status open_arguments(struct window_operator *self, struct error *err)
{
    const struct expr *call = self->call;
    for (size_t i = 0; i < call->call.arg_count; i++) {
        const struct expr *arg = call->call.args[i];
        while (arg->kind == EXPR_PAREN)
            arg = arg->paren;
        double *values = NULL;
        if (arg->type == VALUE_MATRIX) {
            self->range_arg = arg;
            continue;
        }
        TRY(scalar_read(self->base.eval, &self->base.grid, arg, &values, err));
        self->args[self->arg_count++] = values;
    }
    return range_source_open(&self->source, self->base.eval, &self->base.grid, self->range_arg,
                             err);
}

enum status operator_open_window(struct eval *eval, const struct grid *grid,
                                 const struct expr *call, struct query_operator **out,
                                 struct error *err)
{
    void *memory = NULL;
    TRY(eval_alloc(eval, sizeof(struct window_operator), &memory, err));
    struct window_operator *self = memory;
    *self = (struct window_operator){
        .base = {.eval = eval,
                 .grid = *grid,
                 .type = VALUE_VECTOR,
                 .column = window_column,
                 .close = window_close},
        .call = call,
    };
    TRY(open_arguments(self, err));
    self->base.labels = self->source.labels;
    self->base.series_count = self->source.series_count;
    struct query_operator *op = &self->base;
    enum status status = STATUS_OK;
    if (!call->call.function->keeps_name)
        status = operator_drop_names(&op, MERGE_NEVER, err);
    if (status != STATUS_OK)
        operator_close(op);
    else
        *out = op;
    return status;
}

/* ---- absent_over_time() ---- */

/* Takes the 1 out of `values` at every step whose window has samples. */
static void mark_present(const struct range_source *source, const struct grid *grid,
                         const struct columns *samples, double *values)
{
    struct window window = {.columns = samples};
    for (size_t step = 0; step < grid->count; step++) {
        slide(&window, source, grid_ts_ms(grid, step));
        if (window.count > 0)
            values[step] = value_absent();
    }
}

static enum status find_absent(struct range_source *source, const struct grid *grid, double *values,
                               struct error *err)
{
    enum status status = STATUS_OK;
    struct scratch *scratch = scratch_take(&source->eval->scratches);
    struct columns *samples = &scratch->samples;
    for (size_t i = 0; i < source->series_count && status == STATUS_OK; i++) {
        status = eval_check(source->eval, err);
        if (status == STATUS_OK)
            status = range_source_read(source, i, samples, err);
        if (status != STATUS_OK)
            break;
        mark_present(source, grid, samples, values);
        eval_count_samples(source->eval, samples->count);
    }
    scratch_give(&source->eval->scratches, scratch);
    return status;
}

enum status operator_open_absent_over_time(struct eval *eval, const struct grid *grid,
                                           const struct expr *call, struct query_operator **out,
                                           struct error *err)
{
    const struct expr *arg = call->call.args[0];
    while (arg->kind == EXPR_PAREN)
        arg = arg->paren;
    void *memory = NULL;
    void *labels = NULL;
    struct range_source source;
    TRY(eval_alloc_array(eval, grid->count, sizeof(double), &memory, err));
    TRY(eval_alloc(eval, sizeof(struct labels), &labels, err));
    TRY(labels_of_absent(eval, arg, labels, err));
    double *values = memory;
    for (size_t i = 0; i < grid->count; i++)
        values[i] = 1;
    TRY(range_source_open(&source, eval, grid, arg, err));
    enum status status = find_absent(&source, grid, values, err);
    range_source_close(&source);
    if (status != STATUS_OK)
        return status;
    return operator_of_vector(eval, grid, (struct vector){labels, 1, values}, out, err);
}
