/*
 * grouping: puts series into groups by some of their labels.
 *
 * Aggregates, vector matching, histograms and merging of equal series all stand on it: a series is
 * added by its labels and gets the number of its group; groups are numbered in the order in which
 * they first appear, which is the order of Prometheus' output.
 *
 * Ownership:  everything lives in the query's arena; nothing to release. The text of labels is that
 *             of the series: whoever closes their operator copies it first (labels_copy).
 * Units:      numbers of groups and series are 32 bits wide, which the budget of a query never
 *             reaches.
 */
#ifndef CROFT_QUERY_GROUPING_H
#define CROFT_QUERY_GROUPING_H

#include "query/engine/operator.h"

/* Which labels decide. */
struct label_filter {
    bool is_without;         /* all labels but these, else only these */
    const struct str *names; /* sorted, without duplicates */
    size_t count;
};

/* Every label decides. */
#define LABEL_FILTER_ALL ((struct label_filter){.is_without = true})

/* by (...), on (...): only the labels named. */
MUST_USE enum status label_filter_only(struct eval *eval, struct name_set names,
                                       struct label_filter *out, struct error *err);
/* without (...), ignoring (...): all labels but those named and `__name__`. */
MUST_USE enum status label_filter_without(struct eval *eval, struct name_set names,
                                          struct label_filter *out, struct error *err);
/* What on or ignoring of a vector matching keeps. */
MUST_USE enum status label_filter_matching(struct eval *eval,
                                           const struct vector_matching *matching,
                                           struct label_filter *out, struct error *err);
bool label_filter_keeps(const struct label_filter *filter, struct str name);
/* The labels that the filter keeps, in the arena. */
MUST_USE enum status label_filter_apply(struct eval *eval, const struct label_filter *filter,
                                        struct labels labels, struct labels *out,
                                        struct error *err);

#define GROUP_NONE UINT32_MAX

struct grouping {
    struct eval *eval;
    struct label_filter filter;
    struct labels *labels; /* of each group: what the filter kept */
    uint64_t *hashes;      /* of each group */
    size_t count;
    size_t count_max;
    uint32_t *slots; /* open addressing: number of a group, GROUP_NONE when free */
    size_t slot_count;
    struct label *kept; /* room for the labels of the series at hand */
    size_t kept_max;
};

/* For at most `series_max` calls of grouping_add. `filter` keeps pointing at its names. */
MUST_USE enum status grouping_init(struct grouping *grouping, struct eval *eval,
                                   struct label_filter filter, size_t series_max,
                                   struct error *err);
/* The group of a series; a new one when there is none yet. */
MUST_USE enum status grouping_add(struct grouping *grouping, struct labels labels, uint32_t *group,
                                  struct error *err);
/* The same, but GROUP_NONE instead of a new one. */
MUST_USE enum status grouping_find(struct grouping *grouping, struct labels labels, uint32_t *group,
                                   struct error *err);
/* Adds `count` series; `*groups` gets the group of each. */
MUST_USE enum status grouping_add_all(struct grouping *grouping, const struct labels *labels,
                                      size_t count, uint32_t **groups, struct error *err);

/* The other direction: series[first[g]] to series[first[g + 1] - 1] are the members of group g, in
   the order in which they were added. */
struct members {
    uint32_t *first; /* one more than there are groups */
    uint32_t *series;
};

/* `groups` says the group of each of `count` series; those of GROUP_NONE are in no group. */
MUST_USE enum status members_of(struct eval *eval, const uint32_t *groups, size_t count,
                                size_t group_count, struct members *out, struct error *err);

/* The size of the largest group. */
size_t members_largest(const struct members *members, size_t group_count);

static inline size_t members_count(const struct members *members, size_t group)
{
    return members->first[group + 1] - members->first[group];
}

#endif
