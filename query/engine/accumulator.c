/* The aggregations that need a few numbers per group and step, whatever the number of series. */
#include "query/engine/aggregate.h"

#include <math.h>

#include "base/check.h"
#include "query/engine/compensated.h"
#include "query/engine/sweep.h"

/*
 * The state of one group is cut into tiles of TILE_STEPS steps, which are made when the group has a
 * value in them: of pods that come and go, each is there for a few steps only.
 *
 * A tile has `plane_count` planes of one number per step, one plane behind the other. The first
 * plane is absent at a step until the group has a value there.
 */
enum { TILE_STEPS = 64 };

struct accumulator_kind {
    size_t plane_count;
    void (*add)(double *planes, const double *column, size_t count);
    void (*finish)(const double *planes, double *values, size_t count);
};

struct accumulator {
    struct query_operator base;
    const struct accumulator_kind *kind;
    size_t tile_count; /* of each group */
    double **tiles;    /* group by group; NULL where there is no value */
};

static void add_compensated(double value, double *sum, double *error)
{
    struct compensated total = compensated_add((struct compensated){*sum, *error}, value);
    *sum = total.sum;
    *error = total.error;
}

/* planes: sum, error */
static void add_sum(double *planes, const double *column, size_t count)
{
    double *sum = planes;
    double *error = planes + count;
    for (size_t step = 0; step < count; step++) {
        if (value_is_absent(column[step]))
            continue;
        if (value_is_absent(sum[step])) {
            sum[step] = column[step];
            error[step] = 0;
        } else {
            add_compensated(column[step], &sum[step], &error[step]);
        }
    }
}

static void finish_sum(const double *planes, double *values, size_t count)
{
    const double *error = planes + count;
    for (size_t step = 0; step < count; step++)
        values[step] = value_is_absent(planes[step]) ? planes[step] : planes[step] + error[step];
}

/* The mean of `count` values, the last of which is `value`; the numbers before it are behind the
   pointers. */
static void step_mean(double value, double count, double *mean, double *error)
{
    double share = (count - 1) / count;
    *mean *= share;
    *error *= share;
    add_compensated(value / count, mean, error);
}

/*
 * planes: sum, error, count
 *
 * Adding up is more exact than stepping the mean, but a sum can overflow where the mean does not.
 * So where the sum would become infinite, the cell holds the mean from then on; its count is kept
 * negative to say so.
 */
static void add_avg_cell(double value, double *sum, double *error, double *count)
{
    if (*count < 0) {
        *count -= 1;
        step_mean(value, -*count, sum, error);
        return;
    }
    struct compensated total = compensated_add((struct compensated){*sum, *error}, value);
    if (isinf(total.sum)) {
        *sum /= *count;
        *error /= *count;
        *count = -(*count + 1);
        step_mean(value, -*count, sum, error);
        return;
    }
    *sum = total.sum;
    *error = total.error;
    *count += 1;
}

static void add_avg(double *planes, const double *column, size_t count)
{
    double *sum = planes;
    double *error = planes + count;
    double *number = planes + 2 * count;
    for (size_t step = 0; step < count; step++) {
        if (value_is_absent(column[step]))
            continue;
        if (value_is_absent(sum[step])) {
            sum[step] = column[step];
            error[step] = 0;
            number[step] = 1;
        } else {
            add_avg_cell(column[step], &sum[step], &error[step], &number[step]);
        }
    }
}

static void finish_avg(const double *planes, double *values, size_t count)
{
    const double *error = planes + count;
    const double *number = planes + 2 * count;
    for (size_t step = 0; step < count; step++) {
        double divisor = number[step] < 0 ? 1 : number[step];
        values[step] = value_is_absent(planes[step])
                           ? planes[step]
                           : planes[step] / divisor + error[step] / divisor;
    }
}

/* A NaN gives way to any number, so that it shows only when there is nothing else. */
static void add_min(double *planes, const double *column, size_t count)
{
    for (size_t step = 0; step < count; step++) {
        if (value_is_absent(column[step]))
            continue;
        if (isnan(planes[step]) || planes[step] > column[step])
            planes[step] = column[step];
    }
}

static void add_max(double *planes, const double *column, size_t count)
{
    for (size_t step = 0; step < count; step++) {
        if (value_is_absent(column[step]))
            continue;
        if (isnan(planes[step]) || planes[step] < column[step])
            planes[step] = column[step];
    }
}

static void add_count(double *planes, const double *column, size_t count)
{
    for (size_t step = 0; step < count; step++) {
        if (!value_is_absent(column[step]))
            planes[step] = value_is_absent(planes[step]) ? 1 : planes[step] + 1;
    }
}

static void add_group(double *planes, const double *column, size_t count)
{
    for (size_t step = 0; step < count; step++) {
        if (!value_is_absent(column[step]))
            planes[step] = 1;
    }
}

static void finish_plain(const double *planes, double *values, size_t count)
{
    memcpy(values, planes, count * sizeof *values);
}

/* planes: count, mean, sum of squared distances from the mean (Welford) */
static void add_variance(double *planes, const double *column, size_t count)
{
    double *number = planes;
    double *mean = planes + count;
    double *squares = planes + 2 * count;
    for (size_t step = 0; step < count; step++) {
        double value = column[step];
        if (value_is_absent(value))
            continue;
        if (value_is_absent(number[step])) {
            number[step] = 1;
            mean[step] = value;
            squares[step] = isfinite(value) ? 0 : NAN;
            continue;
        }
        number[step] += 1;
        double distance = value - mean[step];
        mean[step] += distance / number[step];
        squares[step] += distance * (value - mean[step]);
    }
}

static void finish_stdvar(const double *planes, double *values, size_t count)
{
    const double *squares = planes + 2 * count;
    for (size_t step = 0; step < count; step++)
        values[step] = value_is_absent(planes[step]) ? planes[step] : squares[step] / planes[step];
}

static void finish_stddev(const double *planes, double *values, size_t count)
{
    finish_stdvar(planes, values, count);
    for (size_t step = 0; step < count; step++) {
        if (!value_is_absent(values[step]))
            values[step] = sqrt(values[step]);
    }
}

static const struct accumulator_kind kinds[] = {
    [AGGREGATE_SUM] = {2, add_sum, finish_sum},
    [AGGREGATE_AVG] = {3, add_avg, finish_avg},
    [AGGREGATE_MIN] = {1, add_min, finish_plain},
    [AGGREGATE_MAX] = {1, add_max, finish_plain},
    [AGGREGATE_COUNT] = {1, add_count, finish_plain},
    [AGGREGATE_GROUP] = {1, add_group, finish_plain},
    [AGGREGATE_STDDEV] = {3, add_variance, finish_stddev},
    [AGGREGATE_STDVAR] = {3, add_variance, finish_stdvar},
};

/* ---- tiles ---- */

static double **tiles_of(const struct accumulator *accumulator, size_t group)
{
    return accumulator->tiles + group * accumulator->tile_count;
}

/* All but the last are as long as they can be. */
static size_t tile_len(const struct accumulator *accumulator, size_t tile)
{
    size_t left = accumulator->base.grid.count - tile * TILE_STEPS;
    return left < TILE_STEPS ? left : TILE_STEPS;
}

static void fill_absent(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = value_absent();
}

static bool has_value(const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!value_is_absent(values[i]))
            return true;
    return false;
}

static enum status make_tiles(struct accumulator *accumulator, size_t group_count,
                              struct error *err)
{
    accumulator->tile_count = (accumulator->base.grid.count + TILE_STEPS - 1) / TILE_STEPS;
    size_t row_bytes = accumulator->tile_count * sizeof *accumulator->tiles;
    void *memory;
    TRY(eval_alloc_array(accumulator->base.eval, group_count, row_bytes, &memory, err));
    memset(memory, 0, group_count * row_bytes);
    accumulator->tiles = memory;
    return STATUS_OK;
}

static enum status make_tile(const struct accumulator *accumulator, size_t len, double **out,
                             struct error *err)
{
    size_t count = accumulator->kind->plane_count * len;
    void *memory;
    TRY(eval_alloc_array(accumulator->base.eval, count, sizeof(double), &memory, err));
    *out = memory;
    fill_absent(*out, count);
    return STATUS_OK;
}

static enum status accumulator_column(struct query_operator *op, size_t series, double *values,
                                      struct error *err)
{
    (void)err;
    const struct accumulator *accumulator = (const struct accumulator *)op;
    double **tiles = tiles_of(accumulator, series);
    for (size_t tile = 0; tile < accumulator->tile_count; tile++) {
        double *part = values + tile * TILE_STEPS;
        size_t len = tile_len(accumulator, tile);
        if (tiles[tile] == NULL)
            fill_absent(part, len);
        else
            accumulator->kind->finish(tiles[tile], part, len);
    }
    return STATUS_OK;
}

struct adding {
    const struct accumulator *accumulator;
    const uint32_t *groups;
};

static enum status add_column(void *context, size_t series, const double *column, struct error *err)
{
    const struct adding *adding = context;
    const struct accumulator *accumulator = adding->accumulator;
    double **tiles = tiles_of(accumulator, adding->groups[series]);
    for (size_t tile = 0; tile < accumulator->tile_count; tile++) {
        const double *part = column + tile * TILE_STEPS;
        size_t len = tile_len(accumulator, tile);
        if (tiles[tile] == NULL && has_value(part, len))
            TRY(make_tile(accumulator, len, &tiles[tile], err));
        if (tiles[tile] != NULL)
            accumulator->kind->add(tiles[tile], part, len);
    }
    return STATUS_OK;
}

static enum status add_all(struct accumulator *accumulator, const struct aggregation *aggregation,
                           struct error *err)
{
    struct adding adding = {accumulator, aggregation->groups};
    struct sweep sweep = {.op = aggregation->inner, .use = add_column, .context = &adding};
    return sweep_columns(&sweep, err);
}

enum status accumulator_open(struct aggregation *aggregation, struct query_operator **out,
                             struct error *err)
{
    enum aggregate_op op = aggregation->expr->aggregate.op;
    CHECK(op < sizeof kinds / sizeof kinds[0]);
    void *memory;
    TRY(eval_alloc(aggregation->eval, sizeof(struct accumulator), &memory, err));
    struct accumulator *accumulator = memory;
    *accumulator = (struct accumulator){
        .base = {.eval = aggregation->eval,
                 .grid = aggregation->grid,
                 .type = VALUE_VECTOR,
                 .labels = aggregation->group_labels,
                 .series_count = aggregation->group_count,
                 .column = accumulator_column},
        .kind = &kinds[op],
    };
    TRY(make_tiles(accumulator, aggregation->group_count, err));
    TRY(add_all(accumulator, aggregation, err));
    *out = &accumulator->base;
    return STATUS_OK;
}
