#include "query/engine/scalar.h"

#include <math.h>

#include "base/check.h"

enum status scalar_read(struct eval *eval, const struct grid *grid, const struct expr *expr,
                        double **values, struct error *err)
{
    CHECK(expr->type == VALUE_SCALAR);
    void *memory;
    TRY(eval_alloc_array(eval, grid->count, sizeof **values, &memory, err));
    *values = memory;
    struct query_operator *op;
    TRY(operator_open(eval, grid, expr, &op, err));
    enum status status = operator_column(op, 0, *values, err);
    operator_close(op);
    return status;
}

struct scalar_extremes scalar_extremes(const double *values, size_t count)
{
    CHECK(count > 0);
    struct scalar_extremes extremes = {values[0], values[0]};
    for (size_t step = 0; step < count; step++) {
        double value = values[step];
        if (isnan(value))
            return (struct scalar_extremes){NAN, NAN};
        if (value < extremes.min)
            extremes.min = value;
        if (value > extremes.max)
            extremes.max = value;
    }
    return extremes;
}
