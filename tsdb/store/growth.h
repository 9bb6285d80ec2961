/*
 * growth: by which metric and which label the series grow that a limit refused.
 *
 * Looks at a few of them: the metric that most have, and the label of which they bring the most
 * values that no series in memory has; of equals, the one that has the most values already.
 *
 * Ownership:  text is that of the series.
 */
#ifndef CROFT_TSDB_GROWTH_H
#define CROFT_TSDB_GROWTH_H

#include "tsdb/head/head.h"

enum {
    GROWTH_SERIES_MAX = 16,  /* looked at */
    GROWTH_NAMES_MAX = 32,   /* of labels told apart; further ones do not take part */
    GROWTH_EXAMPLES_MAX = 3, /* given */
};

struct growth {
    uint32_t series_count; /* looked at */
    struct str metric;
    uint32_t metric_count; /* of the series looked at, those of that metric */
    struct str label;      /* empty: no value is new, only their combinations are */
    uint32_t value_count;  /* new values of that label */
    struct str examples[GROWTH_EXAMPLES_MAX];
    size_t example_count;
};

/* `count` is 1 to GROWTH_SERIES_MAX; labels need not be canonical. The caller may
   change the head. */
void growth_find(struct growth *out, struct head *head, const struct tenant *tenant,
                 const struct labels *series, size_t count);

#endif
