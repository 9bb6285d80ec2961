/* Vector selectors: the latest sample within the lookback of each step; and timestamp(). */
#include "query/engine/operator.h"

struct selector_operator {
    struct query_operator base;
    const struct time_modifier *time;
    struct selection *selection;
    int64_t min_ts_ms; /* inclusive, of all steps */
    int64_t max_ts_ms; /* inclusive */
    bool gives_times;  /* the samples' times in seconds instead of their values */
};

static void selector_close(struct query_operator *op)
{
    eval_select_close(op->eval, ((struct selector_operator *)op)->selection);
}

/* The latest sample at or before `time_ms` is the one before index `end`; a stale marker there ends
   the series. The window is left-open: a sample exactly one lookback ago is too old. */
static double value_at(const struct selector_operator *self, const struct columns *samples,
                       size_t end, int64_t time_ms)
{
    if (end == 0)
        return value_absent();
    int64_t ts_ms = samples->ts_ms[end - 1];
    double value = samples->values[end - 1];
    if (ts_ms <= time_minus(time_ms, self->base.eval->lookback_ms) || sample_is_stale(value))
        return value_absent();
    return self->gives_times ? (double)ts_ms / 1000 : value;
}

/* Fills all steps in one pass; the number of values. */
static size_t fill_steps(const struct selector_operator *self, const struct columns *samples,
                         double *values)
{
    const struct grid *grid = &self->base.grid;
    size_t end = 0;
    size_t present = 0;
    for (size_t step = 0; step < grid->count; step++) {
        int64_t time_ms = eval_time_ms(self->base.eval, self->time, grid_ts_ms(grid, step));
        while (end < samples->count && samples->ts_ms[end] <= time_ms)
            end++;
        values[step] = value_at(self, samples, end, time_ms);
        present += !value_is_absent(values[step]);
    }
    return present;
}

static enum status selector_column(struct query_operator *op, size_t series, double *values,
                                   struct error *err)
{
    struct selector_operator *self = (struct selector_operator *)op;
    TRY(eval_check(op->eval, err));
    struct scratch *scratch = scratch_take(&op->eval->scratches);
    struct columns *samples = &scratch->samples;
    size_t present = 0;
    enum status status =
        select_read(self->selection, series, self->min_ts_ms, self->max_ts_ms, samples, err);
    if (status == STATUS_OK)
        present = fill_steps(self, samples, values);
    scratch_give(&op->eval->scratches, scratch);
    TRY(status);
    eval_count_samples(op->eval, present);
    return eval_charge_samples(op->eval, present, err);
}

static enum status list_series(struct selector_operator *self, struct error *err)
{
    void *memory = NULL;
    size_t count = select_count(self->selection);
    TRY(eval_alloc_array(self->base.eval, count, sizeof(struct labels), &memory, err));
    struct labels *labels = memory;
    for (size_t i = 0; i < count; i++)
        labels[i] = select_labels(self->selection, i);
    self->base.labels = labels;
    self->base.series_count = count;
    return STATUS_OK;
}

static enum status open_selection(struct selector_operator *self,
                                  const struct vector_selector *selector, struct error *err)
{
    TRY(eval_select_open(self->base.eval, selector, self->min_ts_ms, self->max_ts_ms,
                         &self->selection, err));
    enum status status = list_series(self, err);
    if (status != STATUS_OK)
        selector_close(&self->base);
    return status;
}

static enum status open_selector(struct eval *eval, const struct grid *grid,
                                 const struct expr *expr, bool gives_times,
                                 struct query_operator **out, struct error *err)
{
    void *memory = NULL;
    TRY(eval_alloc(eval, sizeof(struct selector_operator), &memory, err));
    struct selector_operator *self = memory;
    const struct time_modifier *time = &expr->selector.time;
    int64_t first_ms = eval_time_ms(eval, time, grid_ts_ms(grid, 0));
    int64_t last_ms = eval_time_ms(eval, time, grid_ts_ms(grid, grid->count - 1));
    *self = (struct selector_operator){
        .base = {.eval = eval,
                 .grid = *grid,
                 .type = VALUE_VECTOR,
                 .column = selector_column,
                 .close = selector_close},
        .time = time,
        .min_ts_ms = time_minus(first_ms, eval->lookback_ms - 1),
        .max_ts_ms = last_ms,
        .gives_times = gives_times,
    };
    TRY(open_selection(self, &expr->selector, err));
    *out = &self->base;
    return STATUS_OK;
}

enum status operator_open_selector(struct eval *eval, const struct grid *grid,
                                   const struct expr *expr, struct query_operator **out,
                                   struct error *err)
{
    return open_selector(eval, grid, expr, false, out, err);
}

/* ---- timestamp() ---- */

struct times_operator {
    struct query_operator base;
    struct query_operator *child;
};

static void times_close(struct query_operator *op)
{
    operator_close(((struct times_operator *)op)->child);
}

static enum status times_column(struct query_operator *op, size_t series, double *values,
                                struct error *err)
{
    TRY(operator_column(((struct times_operator *)op)->child, series, values, err));
    for (size_t i = 0; i < op->grid.count; i++) {
        if (!value_is_absent(values[i]))
            values[i] = (double)grid_ts_ms(&op->grid, i) / 1000;
    }
    return STATUS_OK;
}

static enum status open_times(struct eval *eval, const struct grid *grid, const struct expr *expr,
                              struct query_operator **out, struct error *err)
{
    void *memory = NULL;
    struct query_operator *child = NULL;
    TRY(eval_alloc(eval, sizeof(struct times_operator), &memory, err));
    TRY(operator_open(eval, grid, expr, &child, err));
    struct times_operator *self = memory;
    *self = (struct times_operator){.base = *child, .child = child};
    self->base.column = times_column;
    self->base.close = times_close;
    *out = &self->base;
    return STATUS_OK;
}

enum status operator_open_timestamp(struct eval *eval, const struct grid *grid,
                                    const struct expr *call, struct query_operator **out,
                                    struct error *err)
{
    const struct expr *arg = call->call.args[0];
    while (arg->kind == EXPR_PAREN)
        arg = arg->paren;
    struct query_operator *op = NULL;
    if (arg->kind == EXPR_VECTOR_SELECTOR)
        TRY(open_selector(eval, grid, arg, true, &op, err));
    else
        TRY(open_times(eval, grid, arg, &op, err));
    enum status status = operator_drop_names(&op, MERGE_STEPS, err);
    if (status != STATUS_OK)
        operator_close(op);
    else
        *out = op;
    return status;
}
