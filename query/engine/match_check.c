/*
 * What must not be matched. Errors are about single steps:
 *
 *   1. two series of the one side in a group:                    found duplicate series ...
 *   2. one to one, and two series of the many side in a group:   many-to-one must be explicit
 *   3. many to one, and two pairs of a group with equal labels:  grouping labels must ensure ...
 *
 * They are looked for when the operation is opened, and only in groups with several series, so that
 * in the usual case every column is read once.
 */
#include "query/engine/matched_impl.h"

#include "query/engine/label_edit.h"

enum { LABELS_TEXT_MAX = 4096 };

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
        const double *column = matching->one_column;
        TRY(eval_check(matching->eval, err));
        TRY(matched_one_column(matching->matched, series, matching->one_column, err));
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

enum status match_check_one_side(struct matching *matching, struct error *err)
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

/* ---- 2 and 3: several series of the many side ---- */

/* Which pairs exclude each other at a step: those of a group (2), those of equal labels (3). */
static enum status find_rivals(struct matching *matching, struct members *rivals, size_t *count,
                               struct error *err)
{
    const struct matched *matched = matching->matched;
    size_t pair_count = matched->base.series_count;
    if (!matching_is_one_to_one(matching)) {
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
                     matching_is_one_to_one(matching)
                         ? "many-to-one matching must be explicit (group_left/group_right)"
                         : "grouping labels must ensure unique matches");
}

/* `seen` has the match group of the pair that has a value at a step. */
static enum status see_pair(struct matching *matching, struct pair pair, uint32_t *seen,
                            struct error *err)
{
    const struct matched *matched = matching->matched;
    uint32_t group = matching->one_groups[pair.one];
    const double *many = matching->many_column, *one = matching->one_column;
    TRY(eval_check(matching->eval, err));
    TRY(operator_column(matched->many, pair.many, matching->many_column, err));
    TRY(matched_one_column(matched, pair.one, matching->one_column, err));
    for (size_t step = 0; step < matched->base.grid.count; step++) {
        if (value_is_absent(many[step]) || value_is_absent(one[step]))
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

enum status match_check_many_side(struct matching *matching, struct error *err)
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
