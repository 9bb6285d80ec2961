/*
 * Arithmetic and comparison of two vectors, matched by labels.
 *
 * Series of both sides with the same matching labels are in one group. One side, the "one" side,
 * may have one series per group at a step; the other is the "many" side, also where it may have but
 * one. A pair is one series of each side in the same group: its labels and its column do not depend
 * on the other pairs. What depends on them are the errors: match_check.c.
 */
#include "query/engine/matched_impl.h"

#include "query/engine/label_edit.h"

static void spread(const struct kept_column *kept, double *values, size_t step_count)
{
    size_t end = kept->first + kept->count;
    for (size_t step = 0; step < kept->first; step++)
        values[step] = value_absent();
    if (kept->count > 0)
        memcpy(values + kept->first, kept->values, kept->count * sizeof *values);
    for (size_t step = end; step < step_count; step++)
        values[step] = value_absent();
}

enum status matched_one_column(const struct matched *matched, uint32_t series, double *values,
                               struct error *err)
{
    const struct kept_column *kept = &matched->kept[series];
    if (!kept->is_kept)
        return operator_column(matched->one, series, values, err);
    spread(kept, values, matched->base.grid.count);
    return STATUS_OK;
}

static void combine(const struct matched *matched, double *values, const double *one)
{
    for (size_t step = 0; step < matched->base.grid.count; step++) {
        if (value_is_absent(values[step]))
            continue;
        if (value_is_absent(one[step]))
            values[step] = value_absent();
        else if (matched->is_one_left)
            values[step] = binary_value(matched->rule, one[step], values[step]);
        else
            values[step] = binary_value(matched->rule, values[step], one[step]);
    }
}

static enum status pair_column(const struct matched *matched, struct pair pair, double *values,
                               double *room, struct error *err)
{
    TRY(operator_column(matched->many, pair.many, values, err));
    TRY(matched_one_column(matched, pair.one, room, err));
    combine(matched, values, room);
    return STATUS_OK;
}

static enum status matched_column(struct query_operator *op, size_t series, double *values,
                                  struct error *err)
{
    const struct matched *matched = (const struct matched *)op;
    struct scratch *scratch = scratch_take(&op->eval->scratches);
    double *room = scratch_room(scratch, op->grid.count, sizeof *room);
    enum status status = pair_column(matched, matched->pairs[series], values, room, err);
    scratch_give(&op->eval->scratches, scratch);
    return status;
}

static void matched_close(struct query_operator *op)
{
    struct matched *matched = (struct matched *)op;
    operator_close(matched->many);
    operator_close(matched->one);
}

/* ---- groups ---- */

static enum status find_many_groups(struct matching *matching, struct error *err)
{
    const struct query_operator *many = matching->matched->many;
    void *memory;
    TRY(eval_alloc_array(matching->eval, many->series_count, sizeof(uint32_t), &memory, err));
    matching->many_groups = memory;
    for (size_t series = 0; series < many->series_count; series++)
        TRY(grouping_find(&matching->groups, many->labels[series], &matching->many_groups[series],
                          err));
    return STATUS_OK;
}

static enum status make_groups(struct matching *matching, struct error *err)
{
    const struct query_operator *one = matching->matched->one;
    struct label_filter filter;
    TRY(label_filter_matching(matching->eval, &matching->expr->binary.matching, &filter, err));
    TRY(grouping_init(&matching->groups, matching->eval, filter, one->series_count, err));
    TRY(grouping_add_all(&matching->groups, one->labels, one->series_count, &matching->one_groups,
                         err));
    TRY(members_of(matching->eval, matching->one_groups, one->series_count, matching->groups.count,
                   &matching->one_members, err));
    return find_many_groups(matching, err);
}

static enum status make_columns(struct matching *matching, struct error *err)
{
    struct matched *matched = matching->matched;
    size_t step_count = matched->base.grid.count;
    void *memory;
    TRY(eval_alloc_array(matching->eval, step_count, sizeof(double), &memory, err));
    matching->many_column = memory;
    TRY(eval_alloc_array(matching->eval, step_count, sizeof(double), &memory, err));
    matching->one_column = memory;
    TRY(eval_alloc_array(matching->eval, matched->one->series_count, sizeof(struct kept_column),
                         &memory, err));
    matched->kept = memory;
    for (size_t series = 0; series < matched->one->series_count; series++)
        matched->kept[series] = (struct kept_column){0};
    return STATUS_OK;
}

static enum status keep_values(struct eval *eval, const double *column, size_t step_count,
                               struct kept_column *kept, struct error *err)
{
    size_t first = 0, end = step_count;
    void *memory;
    while (end > 0 && value_is_absent(column[end - 1]))
        end--;
    while (first < end && value_is_absent(column[first]))
        first++;
    TRY(eval_alloc_array(eval, end - first, sizeof *column, &memory, err));
    if (end > first)
        memcpy(memory, column + first, (end - first) * sizeof *column);
    *kept = (struct kept_column){memory, first, end - first, true};
    return STATUS_OK;
}

static enum status keep_one_column(struct matching *matching, uint32_t series, struct error *err)
{
    struct matched *matched = matching->matched;
    if (matched->kept[series].is_kept)
        return STATUS_OK;
    TRY(eval_check(matching->eval, err));
    TRY(operator_column(matched->one, series, matching->one_column, err));
    return keep_values(matching->eval, matching->one_column, matched->base.grid.count,
                       &matched->kept[series], err);
}

/* With group_left and group_right many pairs share a series of the one side. */
static enum status keep_shared_columns(struct matching *matching, struct error *err)
{
    const struct members *members = &matching->one_members;
    for (size_t many = 0; many < matching->matched->many->series_count; many++) {
        uint32_t group = matching->many_groups[many];
        if (group == GROUP_NONE)
            continue;
        for (uint32_t at = members->first[group]; at < members->first[group + 1]; at++)
            TRY(keep_one_column(matching, members->series[at], err));
    }
    return STATUS_OK;
}

/* ---- pairs ---- */

static enum status include_labels(const struct matching *matching, struct labels one,
                                  struct labels *labels, struct error *err)
{
    const struct name_set *include = &matching->expr->binary.matching.include;
    for (size_t i = 0; i < include->count; i++) {
        struct label label = {include->ptr[i], labels_get(one, include->ptr[i])};
        TRY(labels_with(matching->eval, *labels, label, labels, err));
    }
    return STATUS_OK;
}

/* `matching_labels` are those of on or ignoring, which only one to one matching takes or leaves. */
static enum status pair_labels(const struct matching *matching, struct pair pair,
                               const struct label_filter *matching_labels, struct labels *out,
                               struct error *err)
{
    const struct matched *matched = matching->matched;
    *out = matched->many->labels[pair.many];
    if (!binary_op_is_comparison(matched->rule.op) || matched->rule.returns_bool)
        TRY(labels_without_name(matching->eval, *out, out, err));
    if (matching_is_one_to_one(matching))
        TRY(label_filter_apply(matching->eval, matching_labels, *out, out, err));
    return include_labels(matching, matched->one->labels[pair.one], out, err);
}

static size_t count_pairs(const struct matching *matching)
{
    size_t count = 0;
    for (size_t many = 0; many < matching->matched->many->series_count; many++) {
        if (matching->many_groups[many] != GROUP_NONE)
            count += members_count(&matching->one_members, matching->many_groups[many]);
    }
    return count;
}

static void list_pairs(const struct matching *matching, struct pair *pairs)
{
    const struct members *members = &matching->one_members;
    size_t count = 0;
    for (uint32_t many = 0; many < matching->matched->many->series_count; many++) {
        uint32_t group = matching->many_groups[many];
        if (group == GROUP_NONE)
            continue;
        for (uint32_t at = members->first[group]; at < members->first[group + 1]; at++)
            pairs[count++] = (struct pair){many, members->series[at]};
    }
}

static enum status make_pairs(struct matching *matching, struct error *err)
{
    struct matched *matched = matching->matched;
    size_t count = count_pairs(matching);
    void *memory;
    TRY(eval_alloc_array(matching->eval, count, sizeof(struct pair), &memory, err));
    matched->pairs = memory;
    list_pairs(matching, matched->pairs);
    TRY(eval_alloc_array(matching->eval, count, sizeof(struct labels), &memory, err));
    struct labels *labels = memory;
    struct label_filter filter;
    TRY(label_filter_only(matching->eval, matching->expr->binary.matching.labels, &filter, err));
    filter.is_without = !matching->expr->binary.matching.is_on;
    for (size_t i = 0; i < count; i++)
        TRY(pair_labels(matching, matched->pairs[i], &filter, &labels[i], err));
    matched->base.labels = labels;
    matched->base.series_count = count;
    return STATUS_OK;
}

static enum status match(struct matching *matching, struct error *err)
{
    TRY(make_groups(matching, err));
    TRY(make_columns(matching, err));
    if (!matching_is_one_to_one(matching))
        TRY(keep_shared_columns(matching, err));
    TRY(make_pairs(matching, err));
    uint64_t loaded = matching->eval->samples_loaded;
    TRY(match_check_one_side(matching, err));
    TRY(match_check_many_side(matching, err));
    /* what was looked at is read again when its column is asked for */
    eval_release_samples(matching->eval, matching->eval->samples_loaded - loaded);
    return STATUS_OK;
}

static enum status open_matched(const struct expr *expr, struct query_operator *left,
                                struct query_operator *right, struct matched **out,
                                struct error *err)
{
    bool is_one_left = expr->binary.matching.cardinality == MATCH_ONE_TO_MANY;
    void *memory;
    TRY(eval_alloc(left->eval, sizeof(struct matched), &memory, err));
    struct matched *matched = memory;
    *matched = (struct matched){
        .base = {.eval = left->eval,
                 .grid = left->grid,
                 .type = VALUE_VECTOR,
                 .column = matched_column,
                 .close = matched_close},
        .many = is_one_left ? right : left,
        .one = is_one_left ? left : right,
        .rule = {expr->binary.op, expr->binary.returns_bool, false},
        .is_one_left = is_one_left,
    };
    struct matching matching = {.matched = matched, .expr = expr, .eval = left->eval};
    TRY(match(&matching, err));
    *out = matched;
    return STATUS_OK;
}

enum status matched_open(const struct expr *expr, struct query_operator *left,
                         struct query_operator *right, struct query_operator **out,
                         struct error *err)
{
    struct matched *matched;
    enum status status = open_matched(expr, left, right, &matched, err);
    if (status != STATUS_OK) {
        operator_close(left);
        operator_close(right);
        return status;
    }
    *out = &matched->base;
    status = operator_merge_equal(out, MERGE_STEPS, err);
    if (status != STATUS_OK)
        operator_close(*out);
    return status;
}
