/* The label sets of operators: names dropped, equal ones merged, those of absent(). */
#include "query/engine/operator.h"

#include "query/engine/grouping.h"

static bool is_metadata(struct str name)
{
    return str_eq(name, LABEL_METRIC_NAME) || str_eq(name, STR("__type__")) ||
           str_eq(name, STR("__unit__"));
}

static size_t metadata_count(struct labels labels)
{
    size_t count = 0;
    for (size_t i = 0; i < labels.count; i++)
        count += is_metadata(labels.ptr[i].name);
    return count;
}

enum status labels_without_name(struct eval *eval, struct labels labels, struct labels *out,
                                struct error *err)
{
    size_t dropped = metadata_count(labels);
    if (dropped == 0 || (dropped == 1 && is_metadata(labels.ptr[0].name))) {
        *out = (struct labels){labels.ptr + dropped, labels.count - dropped};
        return STATUS_OK;
    }
    void *memory = NULL;
    TRY(eval_alloc_array(eval, labels.count - dropped, sizeof(struct label), &memory, err));
    struct label *kept = memory;
    size_t count = 0;
    for (size_t i = 0; i < labels.count; i++) {
        if (!is_metadata(labels.ptr[i].name))
            kept[count++] = labels.ptr[i];
    }
    *out = (struct labels){kept, count};
    return STATUS_OK;
}

/* ---- merging ---- */

struct merge_operator {
    struct query_operator base;
    struct query_operator *child;
    enum merge_rule rule;
    struct members members; /* series of the child, by the series they become */
};

static void merge_close(struct query_operator *op)
{
    operator_close(((struct merge_operator *)op)->child);
}

static enum status refuse_equal(struct error *err)
{
    return error_set(err, STATUS_LIMIT, "vector cannot contain metrics with the same labelset");
}

/* Adds the values of `from` to `values`; false when both have one at the same step. */
static bool merge_values(double *values, const double *from, size_t count, bool *has_any)
{
    *has_any = false;
    for (size_t i = 0; i < count; i++) {
        if (value_is_absent(from[i]))
            continue;
        *has_any = true;
        if (!value_is_absent(values[i]))
            return false;
        values[i] = from[i];
    }
    return true;
}

static enum status merge_members(struct merge_operator *self, size_t series, double *values,
                                 double *one, struct error *err)
{
    const struct members *members = &self->members;
    size_t count = self->base.grid.count;
    size_t with_values = 0;
    for (size_t i = 0; i < count; i++)
        values[i] = value_absent();
    for (uint32_t k = members->first[series]; k < members->first[series + 1]; k++) {
        bool has_any;
        TRY(operator_column(self->child, members->series[k], one, err));
        if (!merge_values(values, one, count, &has_any))
            return refuse_equal(err);
        with_values += has_any;
        if (self->rule == MERGE_NEVER && with_values > 1)
            return refuse_equal(err);
    }
    return STATUS_OK;
}

static enum status merge_column(struct query_operator *op, size_t series, double *values,
                                struct error *err)
{
    struct merge_operator *self = (struct merge_operator *)op;
    const struct members *members = &self->members;
    if (members_count(members, series) == 1)
        return operator_column(self->child, members->series[members->first[series]], values, err);
    struct scratch *scratch = scratch_take(&op->eval->scratches);
    double *one = scratch_room(scratch, op->grid.count, sizeof *one);
    enum status status = merge_members(self, series, values, one, err);
    scratch_give(&op->eval->scratches, scratch);
    return status;
}

enum status operator_merge_equal(struct query_operator **op, enum merge_rule rule,
                                 struct error *err)
{
    struct query_operator *child = *op;
    struct grouping grouping;
    uint32_t *groups;
    TRY(grouping_init(&grouping, child->eval, LABEL_FILTER_ALL, child->series_count, err));
    TRY(grouping_add_all(&grouping, child->labels, child->series_count, &groups, err));
    if (grouping.count == child->series_count)
        return STATUS_OK;
    void *memory = NULL;
    TRY(eval_alloc(child->eval, sizeof(struct merge_operator), &memory, err));
    struct merge_operator *self = memory;
    *self = (struct merge_operator){.base = *child, .child = child, .rule = rule};
    self->base.labels = grouping.labels;
    self->base.series_count = grouping.count;
    self->base.column = merge_column;
    self->base.close = merge_close;
    TRY(members_of(child->eval, groups, child->series_count, grouping.count, &self->members, err));
    *op = &self->base;
    return STATUS_OK;
}

/* ---- dropping names ---- */

/* Whether all series have the same metadata, so that they stay distinct without it. */
static bool have_same_name(const struct query_operator *op)
{
    for (size_t i = 0; i < op->series_count; i++) {
        struct labels labels = op->labels[i];
        size_t metadata = metadata_count(labels);
        if (metadata > 1)
            return false;
        if (!str_eq(labels_get(labels, LABEL_METRIC_NAME),
                    labels_get(op->labels[0], LABEL_METRIC_NAME)))
            return false;
        if (metadata == 1 && labels_get(labels, LABEL_METRIC_NAME).len == 0)
            return false;
    }
    return true;
}

enum status operator_drop_names(struct query_operator **op, enum merge_rule rule, struct error *err)
{
    struct query_operator *self = *op;
    bool stay_distinct = have_same_name(self);
    void *memory = NULL;
    TRY(eval_alloc_array(self->eval, self->series_count, sizeof(struct labels), &memory, err));
    struct labels *labels = memory;
    for (size_t i = 0; i < self->series_count; i++)
        TRY(labels_without_name(self->eval, self->labels[i], &labels[i], err));
    self->labels = labels;
    return stay_distinct ? STATUS_OK : operator_merge_equal(op, rule, err);
}

/* ---- absent ---- */

static void remove_label(struct label *labels, size_t *count, struct str name)
{
    for (size_t i = 0; i < *count; i++) {
        if (!str_eq(labels[i].name, name))
            continue;
        memmove(&labels[i], &labels[i + 1], (*count - i - 1) * sizeof *labels);
        (*count)--;
        return;
    }
}

static bool was_fixed_before(const struct vector_selector *selector, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        const struct matcher *matcher = &selector->matchers[i];
        if (matcher->op == MATCHER_EQ && str_eq(matcher->name, selector->matchers[index].name))
            return true;
    }
    return false;
}

enum status labels_of_absent(struct eval *eval, const struct expr *arg, struct labels *out,
                             struct error *err)
{
    while (arg->kind == EXPR_PAREN)
        arg = arg->paren;
    *out = (struct labels){NULL, 0};
    if (arg->kind == EXPR_MATRIX_SELECTOR)
        arg = arg->matrix.selector;
    if (arg->kind != EXPR_VECTOR_SELECTOR)
        return STATUS_OK;
    const struct vector_selector *selector = &arg->selector;
    void *memory = NULL;
    TRY(eval_alloc_array(eval, selector->matcher_count, sizeof(struct label), &memory, err));
    struct label *labels = memory;
    size_t count = 0;
    for (size_t i = 0; i < selector->matcher_count; i++) {
        const struct matcher *matcher = &selector->matchers[i];
        if (str_eq(matcher->name, LABEL_METRIC_NAME))
            continue;
        /* a later matcher on the same label takes the label out again, as Prometheus does */
        if (matcher->op != MATCHER_EQ || was_fixed_before(selector, i))
            remove_label(labels, &count, matcher->name);
        else if (matcher->value.len > 0)
            labels[count++] = (struct label){matcher->name, matcher->value};
    }
    labels_sort(labels, count);
    *out = (struct labels){labels, count};
    return STATUS_OK;
}
