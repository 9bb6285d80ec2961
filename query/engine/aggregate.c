#include "query/engine/aggregate.h"

#include "base/check.h"
#include "query/engine/label_edit.h"

enum status aggregation_open_empty(const struct aggregation *aggregation,
                                   struct query_operator **out, struct error *err)
{
    return operator_of_vector(aggregation->eval, &aggregation->grid, (struct vector){0}, out, err);
}

enum status aggregation_filter(const struct aggregation *aggregation, struct name_set grouping,
                               struct label_filter *out, struct error *err)
{
    if (aggregation->expr->aggregate.is_without)
        return label_filter_without(aggregation->eval, grouping, out, err);
    return label_filter_only(aggregation->eval, grouping, out, err);
}

static enum status group_series(struct aggregation *aggregation, struct error *err)
{
    const struct query_operator *inner = aggregation->inner;
    struct label_filter filter;
    struct grouping grouping;
    TRY(aggregation_filter(aggregation, aggregation->expr->aggregate.grouping, &filter, err));
    TRY(grouping_init(&grouping, aggregation->eval, filter, inner->series_count, err));
    TRY(grouping_add_all(&grouping, inner->labels, inner->series_count, &aggregation->groups, err));
    /* the series are closed when all is added up */
    for (size_t group = 0; group < grouping.count; group++)
        TRY(labels_copy(aggregation->eval, grouping.labels[group], &grouping.labels[group], err));
    aggregation->group_labels = grouping.labels;
    aggregation->group_count = grouping.count;
    return STATUS_OK;
}

static enum status open_kind(struct aggregation *aggregation, struct query_operator **out,
                             struct error *err)
{
    if (aggregation->expr->aggregate.op == AGGREGATE_COUNT_VALUES)
        return count_values_open(aggregation, out, err);
    TRY(group_series(aggregation, err));
    switch (aggregation->expr->aggregate.op) {
    case AGGREGATE_TOPK:
    case AGGREGATE_BOTTOMK:
    case AGGREGATE_LIMITK:
        return picks_open(aggregation, out, err);
    case AGGREGATE_LIMIT_RATIO:
        return limit_ratio_open(aggregation, out, err);
    case AGGREGATE_QUANTILE:
        return quantile_open(aggregation, out, err);
    default:
        return accumulator_open(aggregation, out, err);
    }
}

enum status operator_open_aggregate(struct eval *eval, const struct grid *grid,
                                    const struct expr *expr, struct query_operator **out,
                                    struct error *err)
{
    CHECK(expr->kind == EXPR_AGGREGATE);
    struct aggregation aggregation = {.eval = eval, .grid = *grid, .expr = expr};
    uint64_t loaded = eval->samples_loaded;
    TRY(operator_open(eval, grid, expr->aggregate.inner, &aggregation.inner, err));
    enum status status = open_kind(&aggregation, out, err);
    operator_close(aggregation.inner);
    eval_release_samples(eval, eval->samples_loaded - loaded);
    return status;
}
