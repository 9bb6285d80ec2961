/*
 * Arithmetic and comparison of two vectors, matched by labels.
 *
 * Series of both sides with the same matching labels are in one group. One side, the "one" side,
 * may have one series per group at a step; the other is the "many" side, also where it may have but
 * one. A pair is one series of each side in the same group: its labels and its column do not depend
 * on the other pairs. What depends on them are the errors, which are about single steps:
 *
 *   1. two series of the one side in a group:                    found duplicate series ...
 *   2. one to one, and two series of the many side in a group:   many-to-one must be explicit
 *   3. many to one, and two pairs of a group with equal labels:  grouping labels must ensure ...
 *
 * They are looked for when the operation is opened, and only in groups with several series, so that
 * in the usual case every column is read once.
 */
#include "query/engine/binary.h"

#include "query/engine/grouping.h"
#include "query/engine/label_edit.h"

enum { LABELS_TEXT_MAX = 4096 };

struct pair {
    uint32_t many;
    uint32_t one;
};

struct matched {
    struct query_operator base; /* one series per pair */
    struct query_operator *many;
    struct query_operator *one;
    struct binary_rule rule;
    bool is_one_left;
    struct pair *pairs;
    double **one_columns; /* per series of the one side: kept since many pairs read it, else NULL */
};

/* What is known while the operation is being opened. */
struct matching {
    struct matched *matched;
    const struct expr *expr;
    struct eval *eval;
    struct grouping groups;
    uint32_t *one_groups;       /* per series of the one side */
    uint32_t *many_groups;      /* per series of the many side; GROUP_NONE without a partner */
    struct members one_members; /* per group */
    double *many_column;        /* room for one column of each side */
    double *one_column;
};

static bool is_one_to_one(const struct matching *matching)
{
    return matching->expr->binary.matching.cardinality == MATCH_ONE_TO_ONE;
}

/* The column of a series of the one side: the kept one, or read into `room`. */
static enum status one_column(const struct matched *matched, uint32_t series, double *room,
                              const double **column, struct error *err)
{
    *column = matched->one_columns[series];
    if (*column != NULL)
        return STATUS_OK;
    *column = room;
    return operator_column(matched->one, series, room, err);
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
    const double *one;
    TRY(operator_column(matched->many, pair.many, values, err));
    TRY(one_column(matched, pair.one, room, &one, err));
    combine(matched, values, one);
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
    TRY(eval_alloc_array(matching->eval, matched->one->series_count, sizeof(double *), &memory,
                         err));
    matched->one_columns = memory;
    for (size_t series = 0; series < matched->one->series_count; series++)
        matched->one_columns[series] = NULL;
    return STATUS_OK;
}

static enum status keep_one_column(struct matching *matching, uint32_t series, struct error *err)
{
    struct matched *matched = matching->matched;
    if (matched->one_columns[series] != NULL)
        return STATUS_OK;
    TRY(eval_check(matching->eval, err));
    void *memory;
    TRY(eval_alloc_array(matching->eval, matched->base.grid.count, sizeof(double), &memory, err));
    TRY(operator_column(matched->one, series, memory, err));
    matched->one_columns[series] = memory;
    return STATUS_OK;
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

/* ---- 1: duplicates on the one side ---- */

/* The first two series of a group of the one side that both have a value at a step. */
struct clash {
    uint32_t first;
    uint32_t second; /* GROUP_NONE: no clash at this step */
};

static enum status find_clashes_of_group(struct matching *matching, size_t group,
                                         struct clash *clashes, uint32_t *seen, struct error *err)
{
    const struct members *members = &matching->one_members;
    size_t step_count = matching->matched->base.grid.count;
    memset(seen, 0xff, step_count * sizeof *seen);
    for (uint32_t at = members->first[group]; at < members->first[group + 1]; at++) {
        uint32_t series = members->series[at];
        const double *column;
        TRY(eval_check(matching->eval, err));
        TRY(one_column(matching->matched, series, matching->one_column, &column, err));
        for (size_t step = 0; step < step_count; step++) {
            if (value_is_absent(column[step]))
                continue;
            if (seen[step] == GROUP_NONE)
                seen[step] = series;
            else if (series < clashes[step].second)
                clashes[step] = (struct clash){seen[step], series};
        }
    }
    return STATUS_OK;
}

static enum status fail_of_clash(const struct matching *matching, struct clash clash,
                                 struct error *err)
{
    const struct matched *matched = matching->matched;
    struct buffer text;
    buffer_init(&text, LABELS_TEXT_MAX);
    buffer_append_str(&text, STR("found duplicate series for the match group "));
    labels_append_braced(&text, matching->groups.labels[matching->one_groups[clash.first]]);
    buffer_append_format(&text, " on the %s hand-side of the operation: [",
                         matched->is_one_left ? "left" : "right");
    labels_append_braced(&text, matched->one->labels[clash.second]);
    buffer_append_str(&text, STR(", "));
    labels_append_braced(&text, matched->one->labels[clash.first]);
    buffer_append_str(&text, STR("];many-to-many matching not allowed: matching labels must be "
                                 "unique on one side"));
    error_set(err, STATUS_LIMIT, "%.*s", STR_ARG(buffer_str(&text)));
    buffer_deinit(&text);
    return STATUS_LIMIT;
}

/* A clash matters only at a step at which the many side has any value. */
static enum status check_clashes(struct matching *matching, const struct clash *clashes,
                                 struct error *err)
{
    struct query_operator *many = matching->matched->many;
    size_t earliest = many->grid.count;
    for (size_t series = 0; series < many->series_count; series++) {
        TRY(eval_check(matching->eval, err));
        TRY(operator_column(many, series, matching->many_column, err));
        for (size_t step = 0; step < earliest; step++) {
            if (clashes[step].second != GROUP_NONE && !value_is_absent(matching->many_column[step]))
                earliest = step;
        }
    }
    return earliest == many->grid.count ? STATUS_OK
                                        : fail_of_clash(matching, clashes[earliest], err);
}

static enum status check_one_side(struct matching *matching, struct error *err)
{
    if (matching->groups.count == matching->matched->one->series_count)
        return STATUS_OK;
    size_t step_count = matching->matched->base.grid.count;
    void *memory;
    TRY(eval_alloc_array(matching->eval, step_count, sizeof(struct clash), &memory, err));
    struct clash *clashes = memory;
    memset(clashes, 0xff, step_count * sizeof *clashes);
    TRY(eval_alloc_array(matching->eval, step_count, sizeof(uint32_t), &memory, err));
    for (size_t group = 0; group < matching->groups.count; group++) {
        if (members_count(&matching->one_members, group) > 1)
            TRY(find_clashes_of_group(matching, group, clashes, memory, err));
    }
    return check_clashes(matching, clashes, err);
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
    if (!binary_op_is_comparison(matched->rule.op))
        TRY(labels_without_name(matching->eval, *out, out, err));
    if (is_one_to_one(matching))
        TRY(label_filter_apply(matching->eval, matching_labels, *out, out, err));
    TRY(include_labels(matching, matched->one->labels[pair.one], out, err));
    if (matched->rule.returns_bool)
        TRY(labels_without_name(matching->eval, *out, out, err));
    return STATUS_OK;
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

/* ---- 2 and 3: several series of the many side ---- */

/* Which pairs exclude each other at a step: those of a group (2), those of equal labels (3). */
static enum status find_rivals(struct matching *matching, struct members *rivals, size_t *count,
                               struct error *err)
{
    const struct matched *matched = matching->matched;
    size_t pair_count = matched->base.series_count;
    if (!is_one_to_one(matching)) {
        struct grouping equal;
        uint32_t *groups;
        TRY(grouping_init(&equal, matching->eval, LABEL_FILTER_ALL, pair_count, err));
        TRY(grouping_add_all(&equal, matched->base.labels, pair_count, &groups, err));
        *count = equal.count;
        return members_of(matching->eval, groups, pair_count, equal.count, rivals, err);
    }
    void *memory;
    TRY(eval_alloc_array(matching->eval, pair_count, sizeof(uint32_t), &memory, err));
    uint32_t *groups = memory;
    for (size_t i = 0; i < pair_count; i++)
        groups[i] = matching->one_groups[matched->pairs[i].one];
    *count = matching->groups.count;
    return members_of(matching->eval, groups, pair_count, *count, rivals, err);
}

static enum status fail_of_rivals(const struct matching *matching, struct error *err)
{
    return error_set(err, STATUS_LIMIT, "multiple matches for labels: %s",
                     is_one_to_one(matching)
                         ? "many-to-one matching must be explicit (group_left/group_right)"
                         : "grouping labels must ensure unique matches");
}

/* `seen` has the match group of the pair that has a value at a step. */
static enum status see_pair(struct matching *matching, struct pair pair, uint32_t *seen,
                            struct error *err)
{
    const struct matched *matched = matching->matched;
    uint32_t group = matching->one_groups[pair.one];
    const double *one;
    TRY(eval_check(matching->eval, err));
    TRY(operator_column(matched->many, pair.many, matching->many_column, err));
    TRY(one_column(matched, pair.one, matching->one_column, &one, err));
    for (size_t step = 0; step < matched->base.grid.count; step++) {
        if (value_is_absent(matching->many_column[step]) || value_is_absent(one[step]))
            continue;
        if (seen[step] == group)
            return fail_of_rivals(matching, err);
        seen[step] = group;
    }
    return STATUS_OK;
}

/* Pairs of one series of the many side exclude each other already: see 1. */
static bool are_of_one_series(const struct matched *matched, const struct members *rivals,
                              size_t index)
{
    uint32_t first = matched->pairs[rivals->series[rivals->first[index]]].many;
    uint32_t last = matched->pairs[rivals->series[rivals->first[index + 1] - 1]].many;
    return first == last;
}

static enum status check_many_side(struct matching *matching, struct error *err)
{
    const struct matched *matched = matching->matched;
    size_t step_count = matched->base.grid.count;
    struct members rivals;
    size_t count;
    TRY(find_rivals(matching, &rivals, &count, err));
    void *memory;
    TRY(eval_alloc_array(matching->eval, step_count, sizeof(uint32_t), &memory, err));
    uint32_t *seen = memory;
    for (size_t i = 0; i < count; i++) {
        if (members_count(&rivals, i) < 2 || are_of_one_series(matched, &rivals, i))
            continue;
        memset(seen, 0xff, step_count * sizeof *seen);
        for (uint32_t at = rivals.first[i]; at < rivals.first[i + 1]; at++)
            TRY(see_pair(matching, matched->pairs[rivals.series[at]], seen, err));
    }
    return STATUS_OK;
}

static enum status match(struct matching *matching, struct error *err)
{
    TRY(make_groups(matching, err));
    TRY(make_columns(matching, err));
    if (!is_one_to_one(matching))
        TRY(keep_shared_columns(matching, err));
    TRY(make_pairs(matching, err));
    uint64_t loaded = matching->eval->samples_loaded;
    TRY(check_one_side(matching, err));
    TRY(check_many_side(matching, err));
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
