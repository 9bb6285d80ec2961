/*
 * count_values: how many series have each value, with the value as a label.
 *
 * A series counts, at each step, for the pair of its group and its value there. Every such pair is
 * one output series with a column of counts.
 */
#include "query/engine/aggregate.h"

#include <math.h>

#include "base/number.h"
#include "query/engine/label_edit.h"
#include "query/engine/text_arg.h"
#include "query/engine/value_counts.h"
#include "tsdb/model/quote.h"

enum { DECIMAL_TEXT_MAX = 327, NAME_TEXT_MAX = 1024 };

struct counting {
    struct aggregation *aggregation;
    struct str label;
    const struct labels *group_labels; /* without the label of the value */
    bool shows_value; /* false when `without` names the label: one series per group */
    struct value_counts counts;
};

struct counted {
    struct query_operator base;
    const struct counted_value **values; /* one per series */
};

static enum status counted_column(struct query_operator *op, size_t series, double *values,
                                  struct error *err)
{
    (void)err;
    counted_value_column(((const struct counted *)op)->values[series], values, op->grid.count);
    return STATUS_OK;
}

static uint64_t key_bits(const struct counting *counting, double value)
{
    if (!counting->shows_value)
        return 0;
    return f64_bits(isnan(value) ? NAN : value);
}

static enum status count_column(struct counting *counting, uint32_t group, const double *column,
                                struct error *err)
{
    struct counted_value *value = NULL;
    for (size_t step = 0; step < counting->aggregation->grid.count; step++) {
        if (value_is_absent(column[step]))
            continue;
        uint64_t bits = key_bits(counting, column[step]);
        /* values tend to stay the same for a while */
        if (value == NULL || bits != value->bits)
            TRY(value_counts_find(&counting->counts, group, bits, &value, err));
        TRY(counted_value_add(&counting->counts, value, step, err));
    }
    return STATUS_OK;
}

static enum status count_all(struct counting *counting, struct error *err)
{
    const struct aggregation *aggregation = counting->aggregation;
    void *column;
    TRY(eval_alloc_array(aggregation->eval, aggregation->grid.count, sizeof(double), &column, err));
    for (size_t series = 0; series < aggregation->inner->series_count; series++) {
        TRY(eval_check(aggregation->eval, err));
        TRY(operator_column(aggregation->inner, series, column, err));
        TRY(count_column(counting, aggregation->groups[series], column, err));
    }
    return STATUS_OK;
}

static enum status label_value(const struct counting *counting, const struct counted_value *value,
                               struct labels *out, struct error *err)
{
    struct eval *eval = counting->aggregation->eval;
    struct labels labels = counting->group_labels[value->group];
    if (!counting->shows_value) {
        *out = labels;
        return STATUS_OK;
    }
    struct buffer text;
    buffer_init(&text, DECIMAL_TEXT_MAX);
    append_f64_plain(&text, f64_from_bits(value->bits));
    struct label label = {.name = counting->label};
    enum status status = text_copy(eval, buffer_str(&text), &label.value, err);
    buffer_deinit(&text);
    TRY(status);
    return labels_with(eval, labels, label, out, err);
}

static enum status open_counted(const struct counting *counting, struct query_operator **out,
                                struct error *err)
{
    const struct aggregation *aggregation = counting->aggregation;
    size_t count = counting->counts.count;
    size_t series = 0;
    void *memory;
    TRY(eval_alloc_array(aggregation->eval, count, sizeof(struct labels), &memory, err));
    struct labels *labels = memory;
    TRY(eval_alloc_array(aggregation->eval, count, sizeof(struct counted_value *), &memory, err));
    const struct counted_value **values = memory;
    for (const struct counted_value *value = counting->counts.first; value != NULL;
         value = value->next) {
        TRY(label_value(counting, value, &labels[series], err));
        values[series++] = value;
    }
    TRY(eval_alloc(aggregation->eval, sizeof(struct counted), &memory, err));
    struct counted *counted = memory;
    *counted = (struct counted){
        .base = {.eval = aggregation->eval,
                 .grid = aggregation->grid,
                 .type = VALUE_VECTOR,
                 .labels = labels,
                 .series_count = count,
                 .column = counted_column},
        .values = values,
    };
    *out = &counted->base;
    return STATUS_OK;
}

static enum status check_label(struct str label, struct error *err)
{
    if (label.len > 0 && str_is_utf8(label))
        return STATUS_OK;
    struct buffer text;
    buffer_init(&text, NAME_TEXT_MAX);
    append_quoted(&text, label);
    error_set(err, STATUS_LIMIT, "invalid label name %.*s", STR_ARG(buffer_str(&text)));
    buffer_deinit(&text);
    return STATUS_LIMIT;
}

/* The label of the value replaces one of the same name before series are grouped: so the groups are
   made as if no series had it. */
static enum status group_series(struct counting *counting, struct error *err)
{
    struct aggregation *aggregation = counting->aggregation;
    struct eval *eval = aggregation->eval;
    const struct query_operator *inner = aggregation->inner;
    struct label_filter filter;
    TRY(aggregation_filter(aggregation, aggregation->expr->aggregate.grouping, &filter, err));
    counting->shows_value = !filter.is_without || label_filter_keeps(&filter, counting->label);
    struct grouping grouping;
    TRY(grouping_init(&grouping, eval, filter, inner->series_count, err));
    void *memory;
    TRY(eval_alloc_array(eval, inner->series_count, sizeof(uint32_t), &memory, err));
    aggregation->groups = memory;
    for (size_t series = 0; series < inner->series_count; series++) {
        struct labels labels;
        struct label none = {counting->label, {NULL, 0}};
        TRY(labels_with(eval, inner->labels[series], none, &labels, err));
        TRY(grouping_add(&grouping, labels, &aggregation->groups[series], err));
    }
    for (size_t group = 0; group < grouping.count; group++)
        TRY(labels_copy(eval, grouping.labels[group], &grouping.labels[group], err));
    counting->group_labels = grouping.labels;
    return STATUS_OK;
}

static enum status run(struct counting *counting, struct query_operator **out, struct error *err)
{
    TRY(group_series(counting, err));
    TRY(count_all(counting, err));
    return open_counted(counting, out, err);
}

enum status count_values_open(struct aggregation *aggregation, struct query_operator **out,
                              struct error *err)
{
    struct counting counting = {
        .aggregation = aggregation,
        .label = text_of(aggregation->expr->aggregate.param),
    };
    TRY(check_label(counting.label, err));
    value_counts_init(&counting.counts, aggregation->eval);
    enum status status = run(&counting, out, err);
    value_counts_deinit(&counting.counts);
    return status;
}
