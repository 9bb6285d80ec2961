#include "query/engine/grouping.h"

#include "base/check.h"
#include "base/words.h"

enum { SERIES_BETWEEN_CHECKS = 1024 };

static enum status copy_names(struct eval *eval, struct name_set given, struct str **out,
                              struct error *err)
{
    void *memory;
    TRY(eval_alloc_array(eval, given.count + 1, sizeof **out, &memory, err));
    *out = memory;
    for (size_t i = 0; i < given.count; i++)
        (*out)[i] = given.ptr[i];
    return STATUS_OK;
}

enum status label_filter_only(struct eval *eval, struct name_set names, struct label_filter *out,
                              struct error *err)
{
    struct str *copy;
    TRY(copy_names(eval, names, &copy, err));
    *out = (struct label_filter){false, copy, str_sort_unique(copy, names.count)};
    return STATUS_OK;
}

enum status label_filter_without(struct eval *eval, struct name_set names, struct label_filter *out,
                                 struct error *err)
{
    struct str *copy;
    TRY(copy_names(eval, names, &copy, err));
    copy[names.count] = LABEL_METRIC_NAME;
    *out = (struct label_filter){true, copy, str_sort_unique(copy, names.count + 1)};
    return STATUS_OK;
}

enum status label_filter_matching(struct eval *eval, const struct vector_matching *matching,
                                  struct label_filter *out, struct error *err)
{
    if (matching->is_on)
        return label_filter_only(eval, matching->labels, out, err);
    return label_filter_without(eval, matching->labels, out, err);
}

bool label_filter_keeps(const struct label_filter *filter, struct str name)
{
    if (filter->count == 0)
        return filter->is_without;
    bool is_named = str_is_among(name, filter->names, filter->count);
    return is_named != filter->is_without;
}

/* Labels and names are both sorted: one walk. `kept` has room for all labels. */
static size_t keep_labels(const struct label_filter *filter, struct labels labels,
                          struct label *kept)
{
    size_t count = 0;
    size_t next = 0;
    for (size_t i = 0; i < labels.count; i++) {
        int order = 1;
        while (next < filter->count &&
               (order = str_compare(filter->names[next], labels.ptr[i].name)) < 0)
            next++;
        bool is_named = next < filter->count && order == 0;
        if (is_named != filter->is_without)
            kept[count++] = labels.ptr[i];
    }
    return count;
}

enum status label_filter_apply(struct eval *eval, const struct label_filter *filter,
                               struct labels labels, struct labels *out, struct error *err)
{
    void *memory;
    TRY(eval_alloc_array(eval, labels.count, sizeof(struct label), &memory, err));
    *out = (struct labels){memory, keep_labels(filter, labels, memory)};
    return STATUS_OK;
}

enum status grouping_init(struct grouping *grouping, struct eval *eval, struct label_filter filter,
                          size_t series_max, struct error *err)
{
    CHECK(series_max < GROUP_NONE);
    *grouping = (struct grouping){.eval = eval, .filter = filter, .count_max = series_max};
    size_t slot_count = 8;
    while (slot_count < 2 * series_max)
        slot_count *= 2;
    grouping->slot_count = slot_count;
    void *memory;
    TRY(eval_alloc_array(eval, slot_count, sizeof(uint32_t), &memory, err));
    grouping->slots = memory;
    memset(grouping->slots, 0xff, slot_count * sizeof(uint32_t));
    TRY(eval_alloc_array(eval, series_max, sizeof(struct labels), &memory, err));
    grouping->labels = memory;
    TRY(eval_alloc_array(eval, series_max, sizeof(uint64_t), &memory, err));
    grouping->hashes = memory;
    return STATUS_OK;
}

static enum status make_room(struct grouping *grouping, size_t label_count, struct error *err)
{
    if (label_count <= grouping->kept_max)
        return STATUS_OK;
    void *memory;
    TRY(eval_alloc_array(grouping->eval, 2 * label_count, sizeof(struct label), &memory, err));
    grouping->kept = memory;
    grouping->kept_max = 2 * label_count;
    return STATUS_OK;
}

/* The slot of the group with these labels, or the free one where it belongs. */
static uint32_t *find_slot(const struct grouping *grouping, struct labels kept, uint64_t hash)
{
    size_t mask = grouping->slot_count - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        uint32_t group = grouping->slots[at];
        if (group == GROUP_NONE)
            return &grouping->slots[at];
        if (grouping->hashes[group] == hash && labels_eq(grouping->labels[group], kept))
            return &grouping->slots[at];
    }
}

static enum status copy_labels(struct eval *eval, struct labels labels, struct labels *out,
                               struct error *err)
{
    return label_filter_apply(eval, &LABEL_FILTER_ALL, labels, out, err);
}

static enum status add_group(struct grouping *grouping, struct labels kept, uint64_t hash,
                             uint32_t *slot, struct error *err)
{
    CHECK(grouping->count < grouping->count_max);
    TRY(copy_labels(grouping->eval, kept, &grouping->labels[grouping->count], err));
    grouping->hashes[grouping->count] = hash;
    *slot = (uint32_t)grouping->count++;
    return STATUS_OK;
}

enum status grouping_add(struct grouping *grouping, struct labels labels, uint32_t *group,
                         struct error *err)
{
    TRY(make_room(grouping, labels.count, err));
    struct labels kept = {grouping->kept, keep_labels(&grouping->filter, labels, grouping->kept)};
    uint64_t hash = labels_hash(kept);
    uint32_t *slot = find_slot(grouping, kept, hash);
    if (*slot == GROUP_NONE)
        TRY(add_group(grouping, kept, hash, slot, err));
    *group = *slot;
    return STATUS_OK;
}

enum status grouping_find(struct grouping *grouping, struct labels labels, uint32_t *group,
                          struct error *err)
{
    TRY(make_room(grouping, labels.count, err));
    struct labels kept = {grouping->kept, keep_labels(&grouping->filter, labels, grouping->kept)};
    *group = *find_slot(grouping, kept, labels_hash(kept));
    return STATUS_OK;
}

enum status grouping_add_all(struct grouping *grouping, const struct labels *labels, size_t count,
                             uint32_t **groups, struct error *err)
{
    void *memory;
    TRY(eval_alloc_array(grouping->eval, count, sizeof **groups, &memory, err));
    *groups = memory;
    for (size_t i = 0; i < count; i++) {
        if (i % SERIES_BETWEEN_CHECKS == SERIES_BETWEEN_CHECKS - 1)
            TRY(eval_check(grouping->eval, err));
        TRY(grouping_add(grouping, labels[i], &(*groups)[i], err));
    }
    return STATUS_OK;
}

/* first[g] becomes where the members of group g begin. */
static void count_members(const uint32_t *groups, size_t count, size_t group_count, uint32_t *first)
{
    memset(first, 0, (group_count + 1) * sizeof *first);
    for (size_t i = 0; i < count; i++) {
        if (groups[i] != GROUP_NONE)
            first[groups[i] + 1]++;
    }
    for (size_t group = 0; group < group_count; group++)
        first[group + 1] += first[group];
}

enum status members_of(struct eval *eval, const uint32_t *groups, size_t count, size_t group_count,
                       struct members *out, struct error *err)
{
    void *memory;
    TRY(eval_alloc_array(eval, group_count + 1, sizeof(uint32_t), &memory, err));
    out->first = memory;
    TRY(eval_alloc_array(eval, count, sizeof(uint32_t), &memory, err));
    out->series = memory;
    TRY(eval_alloc_array(eval, group_count, sizeof(uint32_t), &memory, err));
    uint32_t *next = memory;
    count_members(groups, count, group_count, out->first);
    if (group_count > 0)
        memcpy(next, out->first, group_count * sizeof *next);
    for (size_t i = 0; i < count; i++) {
        if (groups[i] != GROUP_NONE)
            out->series[next[groups[i]]++] = (uint32_t)i;
    }
    return STATUS_OK;
}

size_t members_largest(const struct members *members, size_t group_count)
{
    size_t largest = 0;
    for (size_t group = 0; group < group_count; group++) {
        size_t count = members_count(members, group);
        largest = count > largest ? count : largest;
    }
    return largest;
}
