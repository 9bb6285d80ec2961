#include "query/engine/quantile.h"

#include <math.h>
#include <stdlib.h>

#include "query/engine/aggregate.h"
#include "query/engine/scalar.h"

enum { PHI_TEXT_MAX = 64 };

static int compare_values(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    if (isnan(left) || isnan(right))
        return (isnan(right) != 0) - (isnan(left) != 0);
    return (left > right) - (left < right);
}

double quantile_of(double phi, double *values, size_t count)
{
    if (count == 0 || isnan(phi))
        return NAN;
    if (phi < 0)
        return -INFINITY;
    if (phi > 1)
        return INFINITY;
    qsort(values, count, sizeof *values, compare_values);
    double rank = phi * (double)(count - 1);
    double weight = rank - floor(rank);
    size_t lower = (size_t)floor(rank);
    size_t upper = lower + 1 < count ? lower + 1 : count - 1;
    return values[lower] * (1 - weight) + values[upper] * weight;
}

void quantile_warn(struct eval *eval, const struct expr *owner, const struct expr *expr, double phi)
{
    struct buffer text;
    buffer_init(&text, PHI_TEXT_MAX);
    append_go_g(&text, phi);
    eval_warn_at(eval, owner, expr, "quantile value should be between 0 and 1, got %.*s",
                 STR_ARG(buffer_str(&text)));
    buffer_deinit(&text);
}

void quantile_check(struct eval *eval, const struct expr *owner, const struct expr *expr,
                    double phi)
{
    if (!(phi >= 0 && phi <= 1))
        quantile_warn(eval, owner, expr, phi);
}

static void check_phis(const struct aggregation *aggregation, const double *phis)
{
    const struct expr *owner = aggregation->expr;
    const struct expr *param = owner->aggregate.param;
    struct scalar_extremes extremes = scalar_extremes(phis, aggregation->grid.count);
    if (isnan(extremes.max))
        quantile_warn(aggregation->eval, owner, param, NAN);
    if (extremes.max > 1)
        quantile_warn(aggregation->eval, owner, param, extremes.max);
    if (extremes.min < 0)
        quantile_warn(aggregation->eval, owner, param, extremes.min);
}

struct work {
    struct aggregation *aggregation;
    const double *phis;
    struct members members;
    double *columns; /* of the members of one group */
    double *sorted;  /* of one step */
};

static enum status read_members(struct work *work, size_t group, struct error *err)
{
    size_t step_count = work->aggregation->grid.count;
    uint32_t first = work->members.first[group];
    for (size_t i = 0; i < members_count(&work->members, group); i++) {
        TRY(eval_check(work->aggregation->eval, err));
        TRY(operator_column(work->aggregation->inner, work->members.series[first + i],
                            work->columns + i * step_count, err));
    }
    return STATUS_OK;
}

static void quantiles_of_group(struct work *work, size_t member_count, double *values)
{
    size_t step_count = work->aggregation->grid.count;
    for (size_t step = 0; step < step_count; step++) {
        size_t count = 0;
        for (size_t i = 0; i < member_count; i++) {
            double value = work->columns[i * step_count + step];
            if (!value_is_absent(value))
                work->sorted[count++] = value;
        }
        values[step] =
            count == 0 ? value_absent() : quantile_of(work->phis[step], work->sorted, count);
    }
}

static enum status make_room(struct work *work, struct error *err)
{
    const struct aggregation *aggregation = work->aggregation;
    TRY(members_of(aggregation->eval, aggregation->groups, aggregation->inner->series_count,
                   aggregation->group_count, &work->members, err));
    size_t largest = members_largest(&work->members, aggregation->group_count);
    void *memory;
    TRY(eval_alloc_array(aggregation->eval, largest, aggregation->grid.count * sizeof(double),
                         &memory, err));
    work->columns = memory;
    TRY(eval_alloc_array(aggregation->eval, largest, sizeof(double), &memory, err));
    work->sorted = memory;
    return STATUS_OK;
}

enum status quantile_open(struct aggregation *aggregation, struct query_operator **out,
                          struct error *err)
{
    double *phis;
    TRY(scalar_read(aggregation->eval, &aggregation->grid, aggregation->expr->aggregate.param,
                    &phis, err));
    check_phis(aggregation, phis);
    struct work work = {.aggregation = aggregation, .phis = phis};
    TRY(make_room(&work, err));
    size_t step_count = aggregation->grid.count;
    void *memory;
    TRY(eval_alloc_array(aggregation->eval, aggregation->group_count, step_count * sizeof(double),
                         &memory, err));
    double *values = memory;
    for (size_t group = 0; group < aggregation->group_count; group++) {
        TRY(read_members(&work, group, err));
        quantiles_of_group(&work, members_count(&work.members, group), values + group * step_count);
    }
    return operator_of_columns(aggregation->eval, &aggregation->grid, VALUE_VECTOR,
                               aggregation->group_labels, aggregation->group_count, values, out,
                               err);
}
