/* Between scalars and vectors: time, pi, vector, scalar, absent and the bounds of the query. */
#include "query/function/instant_functions.h"

#include <math.h>

#include "query/engine/operator.h"

static enum status make_column(struct eval *eval, const struct grid *grid, double **values,
                               struct error *err)
{
    void *memory;
    TRY(eval_alloc_array(eval, grid->count, sizeof **values, &memory, err));
    *values = memory;
    return STATUS_OK;
}

static enum status open_constant(struct eval *eval, const struct grid *grid, double value,
                                 struct query_operator **out, struct error *err)
{
    double *values;
    TRY(make_column(eval, grid, &values, err));
    for (size_t step = 0; step < grid->count; step++)
        values[step] = value;
    return operator_of_scalar(eval, grid, values, out, err);
}

enum status open_pi(struct eval *eval, const struct grid *grid, const struct expr *call,
                    struct query_operator **out, struct error *err)
{
    (void)call;
    return open_constant(eval, grid, 3.14159265358979323846, out, err);
}

enum status open_start(struct eval *eval, const struct grid *grid, const struct expr *call,
                       struct query_operator **out, struct error *err)
{
    (void)call;
    return open_constant(eval, grid, (double)eval->options->start_ms / 1000, out, err);
}

enum status open_end(struct eval *eval, const struct grid *grid, const struct expr *call,
                     struct query_operator **out, struct error *err)
{
    (void)call;
    return open_constant(eval, grid, (double)eval->options->end_ms / 1000, out, err);
}

enum status open_range(struct eval *eval, const struct grid *grid, const struct expr *call,
                       struct query_operator **out, struct error *err)
{
    (void)call;
    int64_t range_ms = time_minus(eval->options->end_ms, eval->options->start_ms);
    return open_constant(eval, grid, (double)range_ms / 1000, out, err);
}

/* 0 where there is nothing to step to: for an instant query, and a range that is one point. */
enum status open_step(struct eval *eval, const struct grid *grid, const struct expr *call,
                      struct query_operator **out, struct error *err)
{
    (void)call;
    const struct query_options *options = eval->options;
    int64_t step_ms = options->end_ms > options->start_ms ? options->step_ms : 0;
    return open_constant(eval, grid, (double)step_ms / 1000, out, err);
}

enum status open_time(struct eval *eval, const struct grid *grid, const struct expr *call,
                      struct query_operator **out, struct error *err)
{
    (void)call;
    double *values;
    TRY(make_column(eval, grid, &values, err));
    for (size_t step = 0; step < grid->count; step++)
        values[step] = (double)grid_ts_ms(grid, step) / 1000;
    return operator_of_scalar(eval, grid, values, out, err);
}

/* The one series without labels that a scalar is shows as a vector. */
enum status open_vector(struct eval *eval, const struct grid *grid, const struct expr *call,
                        struct query_operator **out, struct error *err)
{
    TRY(operator_open(eval, grid, call->call.args[0], out, err));
    (*out)->type = VALUE_VECTOR;
    return STATUS_OK;
}

/* Counts into `counts` how many series have a value at each step, and keeps the last value. */
static enum status read_all(struct query_operator *vector, double *column, double *values,
                            uint32_t *counts, struct error *err)
{
    for (size_t step = 0; step < vector->grid.count; step++)
        counts[step] = 0;
    for (size_t series = 0; series < vector->series_count; series++) {
        TRY(eval_check(vector->eval, err));
        TRY(operator_column(vector, series, column, err));
        for (size_t step = 0; step < vector->grid.count; step++) {
            if (value_is_absent(column[step]))
                continue;
            values[step] = column[step];
            counts[step]++;
        }
    }
    return STATUS_OK;
}

static enum status read_vector(struct eval *eval, const struct grid *grid, const struct expr *arg,
                               double **values, uint32_t **counts, struct error *err)
{
    double *column;
    void *memory;
    TRY(make_column(eval, grid, values, err));
    TRY(make_column(eval, grid, &column, err));
    TRY(eval_alloc_array(eval, grid->count, sizeof **counts, &memory, err));
    *counts = memory;
    struct query_operator *vector;
    uint64_t loaded = eval->samples_loaded;
    TRY(operator_open(eval, grid, arg, &vector, err));
    enum status status = read_all(vector, column, *values, *counts, err);
    operator_close(vector);
    eval_release_samples(eval, eval->samples_loaded - loaded);
    return status;
}

/* NaN unless exactly one series has a value. */
enum status open_scalar(struct eval *eval, const struct grid *grid, const struct expr *call,
                        struct query_operator **out, struct error *err)
{
    double *values;
    uint32_t *counts;
    TRY(read_vector(eval, grid, call->call.args[0], &values, &counts, err));
    for (size_t step = 0; step < grid->count; step++) {
        if (counts[step] != 1)
            values[step] = NAN;
    }
    return operator_of_scalar(eval, grid, values, out, err);
}

enum status open_absent(struct eval *eval, const struct grid *grid, const struct expr *call,
                        struct query_operator **out, struct error *err)
{
    double *values;
    uint32_t *counts;
    void *memory;
    TRY(eval_alloc(eval, sizeof(struct labels), &memory, err));
    TRY(labels_of_absent(eval, call->call.args[0], memory, err));
    TRY(read_vector(eval, grid, call->call.args[0], &values, &counts, err));
    for (size_t step = 0; step < grid->count; step++)
        values[step] = counts[step] == 0 ? 1 : value_absent();
    return operator_of_vector(eval, grid, (struct vector){memory, 1, values}, out, err);
}
