/*
 * and, or, unless: which series of one side show, step by step, given what the other side has
 * there.
 *
 * What decides is whether the other side has any value in the group of the series at a step. That
 * is one flag per group and step, made when the operation is opened, and only for groups that both
 * sides have.
 */
#include "query/engine/binary.h"

#include "query/engine/grouping.h"

/* What the other side has. */
struct presence {
    uint32_t *groups; /* of each series that may show */
    bool **flags;     /* per group: one flag per step; NULL when the other side has no such group */
};

/* A vector, hidden in part. */
struct masked {
    struct query_operator base;
    struct query_operator *shown;
    struct presence presence;
    bool hides_present; /* or, unless: a value on the other side hides; and: a missing one does */
};

/* One vector behind the other. */
struct joined {
    struct query_operator base;
    struct query_operator *first;
    struct query_operator *second;
};

static void mark_present(bool *flags, const double *column, size_t count)
{
    for (size_t step = 0; step < count; step++)
        flags[step] |= !value_is_absent(column[step]);
}

static enum status mark_series(struct query_operator *other, size_t series, bool **flags,
                               double *column, struct error *err)
{
    size_t count = other->grid.count;
    TRY(eval_check(other->eval, err));
    TRY(operator_column(other, series, column, err));
    if (*flags == NULL) {
        void *memory;
        TRY(eval_alloc(other->eval, count * sizeof(bool), &memory, err));
        memset(memory, 0, count * sizeof(bool));
        *flags = memory;
    }
    mark_present(*flags, column, count);
    return STATUS_OK;
}

static enum status presence_read(const struct expr *expr, const struct query_operator *shown,
                                 struct query_operator *other, struct presence *out,
                                 struct error *err)
{
    const struct vector_matching *matching = &expr->binary.matching;
    struct eval *eval = shown->eval;
    struct label_filter filter;
    struct grouping grouping;
    TRY(label_filter_matching(eval, matching, &filter, err));
    TRY(grouping_init(&grouping, eval, filter, shown->series_count, err));
    TRY(grouping_add_all(&grouping, shown->labels, shown->series_count, &out->groups, err));
    void *memory;
    TRY(eval_alloc_array(eval, grouping.count, sizeof *out->flags, &memory, err));
    out->flags = memory;
    for (size_t group = 0; group < grouping.count; group++)
        out->flags[group] = NULL;
    TRY(eval_alloc_array(eval, other->grid.count, sizeof(double), &memory, err));
    uint64_t loaded = eval->samples_loaded;
    for (size_t series = 0; series < other->series_count; series++) {
        uint32_t group;
        TRY(grouping_find(&grouping, other->labels[series], &group, err));
        if (group != GROUP_NONE)
            TRY(mark_series(other, series, &out->flags[group], memory, err));
    }
    eval_release_samples(eval, eval->samples_loaded - loaded);
    return STATUS_OK;
}

static enum status masked_column(struct query_operator *op, size_t series, double *values,
                                 struct error *err)
{
    const struct masked *masked = (const struct masked *)op;
    const bool *flags = masked->presence.flags[masked->presence.groups[series]];
    if (flags == NULL && masked->hides_present)
        return operator_column(masked->shown, series, values, err);
    if (flags != NULL)
        TRY(operator_column(masked->shown, series, values, err));
    for (size_t step = 0; step < op->grid.count; step++) {
        if (flags == NULL || flags[step] == masked->hides_present)
            values[step] = value_absent();
    }
    return STATUS_OK;
}

static void masked_close(struct query_operator *op)
{
    operator_close(((struct masked *)op)->shown);
}

/* `shown` is taken on success. */
static enum status masked_open(const struct expr *expr, struct query_operator *shown,
                               struct query_operator *other, struct query_operator **out,
                               struct error *err)
{
    void *memory;
    TRY(eval_alloc(shown->eval, sizeof(struct masked), &memory, err));
    struct masked *masked = memory;
    *masked = (struct masked){
        .base = {.eval = shown->eval,
                 .grid = shown->grid,
                 .type = VALUE_VECTOR,
                 .labels = shown->labels,
                 .series_count = shown->series_count,
                 .column = masked_column,
                 .close = masked_close},
        .shown = shown,
        .hides_present = expr->binary.op != BINARY_AND,
    };
    TRY(presence_read(expr, shown, other, &masked->presence, err));
    *out = &masked->base;
    return STATUS_OK;
}

static enum status joined_column(struct query_operator *op, size_t series, double *values,
                                 struct error *err)
{
    const struct joined *joined = (const struct joined *)op;
    if (series < joined->first->series_count)
        return operator_column(joined->first, series, values, err);
    return operator_column(joined->second, series - joined->first->series_count, values, err);
}

static void joined_close(struct query_operator *op)
{
    struct joined *joined = (struct joined *)op;
    operator_close(joined->first);
    operator_close(joined->second);
}

static enum status join_labels(const struct query_operator *first,
                               const struct query_operator *second, const struct labels **out,
                               struct error *err)
{
    size_t count = first->series_count + second->series_count;
    void *memory;
    TRY(eval_alloc_array(first->eval, count, sizeof(struct labels), &memory, err));
    struct labels *labels = memory;
    for (size_t i = 0; i < first->series_count; i++)
        labels[i] = first->labels[i];
    for (size_t i = 0; i < second->series_count; i++)
        labels[first->series_count + i] = second->labels[i];
    *out = labels;
    return STATUS_OK;
}

/* Both are taken on success. */
static enum status joined_open(struct query_operator *first, struct query_operator *second,
                               struct query_operator **out, struct error *err)
{
    void *memory;
    TRY(eval_alloc(first->eval, sizeof(struct joined), &memory, err));
    struct joined *joined = memory;
    *joined = (struct joined){
        .base = {.eval = first->eval,
                 .grid = first->grid,
                 .type = VALUE_VECTOR,
                 .series_count = first->series_count + second->series_count,
                 .column = joined_column,
                 .close = joined_close},
        .first = first,
        .second = second,
    };
    TRY(join_labels(first, second, &joined->base.labels, err));
    *out = &joined->base;
    return STATUS_OK;
}

/* Both sides are taken on success; `*right` may be replaced by its masked form before a failure. */
static enum status open_or(const struct expr *expr, struct query_operator *left,
                           struct query_operator **right, struct query_operator **out,
                           struct error *err)
{
    TRY(masked_open(expr, *right, left, right, err));
    return joined_open(left, *right, out, err);
}

static enum status merge_or(struct query_operator **out, struct error *err)
{
    enum status status = operator_merge_equal(out, MERGE_STEPS, err);
    if (status != STATUS_OK)
        operator_close(*out);
    return status;
}

enum status set_operation_open(const struct expr *expr, struct query_operator *left,
                               struct query_operator *right, struct query_operator **out,
                               struct error *err)
{
    if (expr->binary.op == BINARY_OR) {
        enum status status = open_or(expr, left, &right, out, err);
        if (status == STATUS_OK)
            return merge_or(out, err);
        operator_close(left);
        operator_close(right);
        return status;
    }
    enum status status = masked_open(expr, left, right, out, err);
    operator_close(right);
    if (status != STATUS_OK)
        operator_close(left);
    return status;
}
