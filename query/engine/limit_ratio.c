/*
 * limit_ratio: a share of the series, always the same ones.
 *
 * A series is in when the hash of its labels, as a fraction of all hashes, is below the ratio; a
 * negative ratio takes the complement. The hash is that of Prometheus 3 (XXH64 over its packed
 * labels), so that both pick the same series.
 */
#include "query/engine/aggregate.h"

#include <math.h>

#include <xxhash.h>

#include "query/engine/scalar.h"

/* Packed labels: name and value, each behind its length in one byte, or 255 and three bytes. */
enum { LENGTH_ESCAPE = 255, PACKED_MAX = 64 << 20, RATIO_TEXT_MAX = 64 };

struct limit_ratio {
    struct query_operator base;
    struct query_operator *inner;
    const double *ratios;    /* per step, within [-1, 1] */
    const double *fractions; /* per series, within [0, 1] */
};

static bool is_in(double ratio, double fraction)
{
    return ratio >= 0 ? fraction < ratio : fraction >= 1 + ratio;
}

static enum status limit_ratio_column(struct query_operator *op, size_t series, double *values,
                                      struct error *err)
{
    const struct limit_ratio *limit = (const struct limit_ratio *)op;
    TRY(operator_column(limit->inner, series, values, err));
    for (size_t step = 0; step < op->grid.count; step++) {
        if (!is_in(limit->ratios[step], limit->fractions[series]))
            values[step] = value_absent();
    }
    return STATUS_OK;
}

static void limit_ratio_close(struct query_operator *op)
{
    operator_close(((struct limit_ratio *)op)->inner);
}

static void append_packed(struct buffer *out, struct str text)
{
    if (text.len < LENGTH_ESCAPE) {
        write_u8(out, (uint8_t)text.len);
    } else {
        write_u8(out, LENGTH_ESCAPE);
        write_u8(out, (uint8_t)text.len);
        write_u8(out, (uint8_t)(text.len >> 8));
        write_u8(out, (uint8_t)(text.len >> 16));
    }
    buffer_append_str(out, text);
}

static double fraction_of(struct labels labels, struct buffer *packed)
{
    buffer_reset(packed);
    for (size_t i = 0; i < labels.count; i++) {
        append_packed(packed, labels.ptr[i].name);
        append_packed(packed, labels.ptr[i].value);
    }
    return (double)XXH64(packed->ptr, packed->len, 0) / (double)UINT64_MAX;
}

static enum status make_fractions(const struct aggregation *aggregation, const double **out,
                                  struct error *err)
{
    const struct query_operator *inner = aggregation->inner;
    void *memory;
    TRY(eval_alloc_array(aggregation->eval, inner->series_count, sizeof(double), &memory, err));
    double *fractions = memory;
    struct buffer packed;
    buffer_init(&packed, PACKED_MAX);
    for (size_t series = 0; series < inner->series_count; series++)
        fractions[series] = fraction_of(inner->labels[series], &packed);
    buffer_deinit(&packed);
    *out = fractions;
    return STATUS_OK;
}

static void warn_of_ratio(const struct aggregation *aggregation, double ratio, int cap)
{
    struct buffer text;
    buffer_init(&text, RATIO_TEXT_MAX);
    append_go_g(&text, ratio);
    eval_warn_at(aggregation->eval, aggregation->expr, aggregation->expr->aggregate.param,
                 "ratio value should be between -1 and 1, got %.*s, capping to %d",
                 STR_ARG(buffer_str(&text)), cap);
    buffer_deinit(&text);
}

static enum status cap_ratios(const struct aggregation *aggregation, double *ratios,
                              struct error *err)
{
    struct scalar_extremes extremes = scalar_extremes(ratios, aggregation->grid.count);
    if (isnan(extremes.max))
        return error_set(err, STATUS_LIMIT, "Ratio value is NaN");
    if (extremes.max > 1)
        warn_of_ratio(aggregation, extremes.max, 1);
    if (extremes.min < -1)
        warn_of_ratio(aggregation, extremes.min, -1);
    for (size_t step = 0; step < aggregation->grid.count; step++)
        ratios[step] = fmax(-1, fmin(1, ratios[step]));
    return STATUS_OK;
}

enum status limit_ratio_open(struct aggregation *aggregation, struct query_operator **out,
                             struct error *err)
{
    double *ratios;
    TRY(scalar_read(aggregation->eval, &aggregation->grid, aggregation->expr->aggregate.param,
                    &ratios, err));
    TRY(cap_ratios(aggregation, ratios, err));
    void *memory;
    TRY(eval_alloc(aggregation->eval, sizeof(struct limit_ratio), &memory, err));
    struct limit_ratio *limit = memory;
    *limit = (struct limit_ratio){
        .base = {.eval = aggregation->eval,
                 .grid = aggregation->grid,
                 .type = VALUE_VECTOR,
                 .labels = aggregation->inner->labels,
                 .series_count = aggregation->inner->series_count,
                 .column = limit_ratio_column,
                 .close = limit_ratio_close},
        .inner = aggregation->inner,
        .ratios = ratios,
    };
    TRY(make_fractions(aggregation, &limit->fractions, err));
    aggregation->inner = NULL;
    *out = &limit->base;
    return STATUS_OK;
}
