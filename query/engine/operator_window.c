/* Functions over ranges: one read of each series, a window that slides over it, one value per step.
 */
#include "query/engine/operator.h"

#include "base/mem.h"
#include "query/engine/range_source.h"
#include "query/engine/scalar.h"
#include "query/engine/window.h"
#include "query/function/function.h"

enum { STEPS_BETWEEN_CHECKS = 128 };

struct window_operator {
    struct operator base;
    const struct expr *call;
    const struct expr *range_arg;
    struct range_source source;
    size_t arg_count;                      /* scalar arguments, in written order */
    const double *args[FUNCTION_ARGS_MAX]; /* a value for each step */
};

static void window_close(struct operator *op)
{
    range_source_close(&((struct window_operator *)op)->source);
}

/* --- what functions ask for, made once per series -----------------------------------------------
 */

struct aids {
    uint32_t *jumps;
    uint32_t *jumps_at;
    double *scratch;
};

static bool is_jump(enum window_need need, double before, double now)
{
    if (need == WINDOW_NEEDS_RESETS)
        return now < before;
    bool both_nan = now != now && before != before;
    return now != before && !both_nan;
}

static void aids_init(struct aids *aids, enum window_need need, const struct columns *samples)
{
    *aids = (struct aids){0};
    if (need == WINDOW_NEEDS_SCRATCH)
        aids->scratch = mem_alloc(samples->count * sizeof(double));
    if (need != WINDOW_NEEDS_RESETS && need != WINDOW_NEEDS_CHANGES)
        return;
    aids->jumps = mem_alloc(samples->count * sizeof(uint32_t));
    aids->jumps_at = mem_alloc(samples->count * sizeof(uint32_t));
    uint32_t count = 0;
    for (size_t i = 0; i < samples->count; i++) {
        if (i > 0 && is_jump(need, samples->values[i - 1], samples->values[i]))
            aids->jumps_at[count++] = (uint32_t)i;
        aids->jumps[i] = count;
    }
}

static void aids_deinit(struct aids *aids)
{
    mem_free(aids->jumps);
    mem_free(aids->jumps_at);
    mem_free(aids->scratch);
}

/* --- sliding --------------------------------------------------------------------------- */

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
}

static enum status call_function(const struct window_operator *self, const struct window *window,
                                 size_t step, double *out, struct error *err)
{
    const struct function *function = self->call->call.function;
    double args[FUNCTION_ARGS_MAX];
    *out = value_absent();
    if (window->count == 0)
        return STATUS_OK;
    for (size_t i = 0; i < self->arg_count; i++)
        args[i] = self->args[i][step];
    if (function->check != NULL)
        TRY(function->check(self->base.eval, self->call, args, err));
    double value;
    if (function->window(window, args, &value))
        *out = value;
    return STATUS_OK;
}

static enum status fill_step(const struct window_operator *self, struct window *window, size_t step,
                             double *value, struct error *err)
{
    /* one series can keep a function that sorts busy for long */
    if (step % STEPS_BETWEEN_CHECKS == STEPS_BETWEEN_CHECKS - 1)
        TRY(eval_check(self->base.eval, err));
    slide(window, &self->source, grid_ts_ms(&self->base.grid, step));
    self->base.eval->result->samples_total += window->count;
    return call_function(self, window, step, value, err);
}

static enum status fill_steps(const struct window_operator *self, const struct columns *samples,
                              double *values, struct error *err)
{
    struct aids aids;
    aids_init(&aids, self->call->call.function->window_need, samples);
    struct window window = {.columns = samples,
                            .jumps = aids.jumps,
                            .jumps_at = aids.jumps_at,
                            .scratch = aids.scratch};
    enum status status = STATUS_OK;
    for (size_t step = 0; step < self->base.grid.count && status == STATUS_OK; step++)
        status = fill_step(self, &window, step, &values[step], err);
    aids_deinit(&aids);
    return status;
}

static enum status read_and_fill(struct window_operator *self, size_t series,
                                 struct columns *samples, double *values, struct error *err)
{
    TRY(range_source_read(&self->source, series, samples, err));
    return fill_steps(self, samples, values, err);
}

/* --- notes ----------------------------------------------------------------------------- */

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
        eval_info_at(self->base.eval, self->range_arg,
                     "metric might not be a counter, name does not end in "
                     "_total/_sum/_count/_bucket: \"%.*s\"",
                     STR_ARG(name));
}

static size_t count_present(const double *values, size_t count)
{
    size_t present = 0;
    for (size_t i = 0; i < count; i++)
        present += !value_is_absent(values[i]);
    return present;
}

static enum status window_column(struct operator *op, size_t series, double *values,
                                 struct error *err)
{
    struct window_operator *self = (struct window_operator *)op;
    struct columns samples;
    TRY(eval_check(op->eval, err));
    columns_init(&samples);
    enum status status = read_and_fill(self, series, &samples, values, err);
    if (status == STATUS_OK) {
        size_t present = count_present(values, op->grid.count);
        if (present > 0)
            note_non_counter(self, series);
        eval_release_samples(op->eval, samples.count);
        status = eval_charge_samples(op->eval, present, err);
    }
    columns_deinit(&samples);
    return status;
}

/* --- opening --------------------------------------------------------------------------- */

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
                                 const struct expr *call, struct operator **out, struct error *err)
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
    struct operator *op = & self->base;
    enum status status = STATUS_OK;
    if (!call->call.function->keeps_name)
        status = operator_drop_names(&op, MERGE_NEVER, err);
    if (status != STATUS_OK)
        operator_close(op);
    else
        *out = op;
    return status;
}

/* --- absent_over_time() ---------------------------------------------------------------- */

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
    struct columns samples;
    columns_init(&samples);
    for (size_t i = 0; i < source->series_count && status == STATUS_OK; i++) {
        status = eval_check(source->eval, err);
        if (status == STATUS_OK)
            status = range_source_read(source, i, &samples, err);
        if (status != STATUS_OK)
            break;
        mark_present(source, grid, &samples, values);
        source->eval->result->samples_total += samples.count;
        eval_release_samples(source->eval, samples.count);
    }
    columns_deinit(&samples);
    return status;
}

enum status operator_open_absent_over_time(struct eval *eval, const struct grid *grid,
                                           const struct expr *call, struct operator **out,
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
    return operator_of_columns(eval, grid, VALUE_VECTOR, labels, 1, values, out, err);
}
