/* Calls of functions that turn one value into another: the vector first, scalars behind it. */
#include "query/engine/operator.h"

#include "base/check.h"
#include "query/engine/scalar.h"
#include "query/function/function.h"
#include "query/function/instant_functions.h"

struct map_operator {
    struct query_operator base;
    struct query_operator *vector;
    function_map map;
    size_t arg_count;
    const double *args; /* step by step: arg_count values */
};

static enum status map_column(struct query_operator *op, size_t series, double *values,
                              struct error *err)
{
    const struct map_operator *self = (const struct map_operator *)op;
    TRY(operator_column(self->vector, series, values, err));
    for (size_t step = 0; step < op->grid.count; step++) {
        if (!value_is_absent(values[step]))
            values[step] =
                self->map(values[step], self->args + step * self->arg_count, self->arg_count);
    }
    return STATUS_OK;
}

static void map_close(struct query_operator *op)
{
    operator_close(((struct map_operator *)op)->vector);
}

static enum status read_args(struct map_operator *self, const struct expr *call, struct error *err)
{
    size_t step_count = self->base.grid.count;
    void *memory;
    TRY(eval_alloc_array(self->base.eval, self->arg_count, step_count * sizeof(double), &memory,
                         err));
    double *args = memory;
    for (size_t arg = 0; arg < self->arg_count; arg++) {
        double *values;
        TRY(scalar_read(self->base.eval, &self->base.grid, call->call.args[arg + 1], &values, err));
        for (size_t step = 0; step < step_count; step++)
            args[step * self->arg_count + arg] = values[step];
    }
    self->args = args;
    return STATUS_OK;
}

/* On failure `*vector` is still the caller's. */
static enum status open_over(struct query_operator **vector, const struct expr *call,
                             struct query_operator **out, struct error *err)
{
    struct eval *eval = (*vector)->eval;
    if (!call->call.function->keeps_name)
        TRY(operator_drop_names(vector, MERGE_STEPS, err));
    void *memory;
    TRY(eval_alloc(eval, sizeof(struct map_operator), &memory, err));
    struct map_operator *self = memory;
    *self = (struct map_operator){
        .base = **vector,
        .vector = *vector,
        .map = call->call.function->map,
        .arg_count = call->call.arg_count > 1 ? call->call.arg_count - 1 : 0,
    };
    self->base.column = map_column;
    self->base.close = map_close;
    TRY(read_args(self, call, err));
    *out = &self->base;
    return STATUS_OK;
}

enum status operator_open_map(struct eval *eval, const struct grid *grid, const struct expr *call,
                              struct query_operator **out, struct error *err)
{
    CHECK(call->call.function->map != NULL);
    struct query_operator *vector;
    if (call->call.arg_count > 0) {
        TRY(operator_open(eval, grid, call->call.args[0], &vector, err));
    } else {
        /* hour() is hour(vector(time())) */
        TRY(open_time(eval, grid, call, &vector, err));
        vector->type = VALUE_VECTOR;
    }
    enum status status = open_over(&vector, call, out, err);
    if (status != STATUS_OK)
        operator_close(vector);
    return status;
}
