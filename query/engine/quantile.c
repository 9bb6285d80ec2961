#include "query/engine/quantile.h"

#include <math.h>

#include "query/engine/aggregate.h"
#include "query/engine/scalar.h"

enum {
    PHI_TEXT_MAX = 64,
    SORTED_MAX = 12, /* that many are sorted sooner than they are split */
};

static void swap(double *a, double *b)
{
    double value = *a;
    *a = *b;
    *b = value;
}

/* How many NaNs there are; they come first. */
static size_t move_nans_ahead(double *values, size_t count)
{
    size_t nans = 0;
    for (size_t i = 0; i < count; i++) {
        if (isnan(values[i]))
            swap(&values[nans++], &values[i]);
    }
    return nans;
}

static void sort_few(double *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        double value = values[i];
        size_t at = i;
        for (; at > 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
}

/* The middle one of the first, the middle and the last value. */
static double pivot_of(const double *values, size_t count)
{
    double a = values[0], b = values[count / 2], c = values[count - 1];
    double low = a < b ? a : b;
    double high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/* Hoare's: values[0..result) are at most the pivot, the others at least; both have some. */
static size_t split(double *values, size_t count)
{
    double pivot = pivot_of(values, count);
    size_t low = 0, high = count - 1;
    for (;;) {
        while (values[low] < pivot)
            low++;
        while (values[high] > pivot)
            high--;
        if (low >= high)
            return high + 1 < count ? high + 1 : high;
        swap(&values[low++], &values[high--]);
    }
}

/* Makes values[at] what it is when they are sorted, with nothing larger ahead of it and nothing
   smaller behind it. No NaNs. */
static void select_at(double *values, size_t count, size_t at)
{
    while (count > SORTED_MAX) {
        size_t left = split(values, count);
        if (at < left) {
            count = left;
        } else {
            values += left;
            count -= left;
            at -= left;
        }
    }
    sort_few(values, count);
}

static double least(const double *values, size_t count)
{
    double found = values[0];
    for (size_t i = 1; i < count; i++)
        found = values[i] < found ? values[i] : found;
    return found;
}

double quantile_of(double phi, double *values, size_t count)
{
    if (count == 0 || isnan(phi))
        return NAN;
    if (phi < 0)
        return -INFINITY;
    if (phi > 1)
        return INFINITY;
    double rank = phi * (double)(count - 1);
    double weight = rank - floor(rank);
    size_t lower = (size_t)floor(rank);
    size_t nans = move_nans_ahead(values, count);
    if (lower >= nans)
        select_at(values + nans, count - nans, lower - nans);
    double low = values[lower];
    double high = lower + 1 < count ? least(values + lower + 1, count - lower - 1) : low;
    return low * (1 - weight) + high * weight;
}

static void warn_of_phi(struct eval *eval, const struct expr *owner, const struct expr *expr,
                        double phi)
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
        warn_of_phi(eval, owner, expr, phi);
}

static void check_phis(const struct aggregation *aggregation, const double *phis)
{
    const struct expr *owner = aggregation->expr;
    const struct expr *param = owner->aggregate.param;
    struct scalar_extremes extremes = scalar_extremes(phis, aggregation->grid.count);
    if (isnan(extremes.max))
        warn_of_phi(aggregation->eval, owner, param, NAN);
    if (extremes.max > 1)
        warn_of_phi(aggregation->eval, owner, param, extremes.max);
    if (extremes.min < 0)
        warn_of_phi(aggregation->eval, owner, param, extremes.min);
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
    struct vector vector = {aggregation->group_labels, aggregation->group_count, values};
    return operator_of_vector(aggregation->eval, &aggregation->grid, vector, out, err);
}
