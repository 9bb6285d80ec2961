/*
 * info_source: the info series that info() looks up, and what its selector says of them.
 *
 * An info series belongs to a target, which is an instance and a job.
 *
 * Ownership:  all of it lives in the query's arena; the selector is kept.
 */
#ifndef CROFT_QUERY_INFO_SOURCE_H
#define CROFT_QUERY_INFO_SOURCE_H

#include "query/engine/eval.h"
#include "query/engine/grouping.h"

struct info_series {
    struct labels labels;
    uint32_t metric; /* number of its metric name */
    uint32_t target; /* number of its instance and job */
    int64_t *ts_ms;  /* per step: of the current sample; INT64_MIN: none within the lookback */
};

struct info_source {
    struct eval *eval;
    struct grid grid;
    int64_t min_ts_ms;                      /* inclusive: the lookback before the first step */
    int64_t max_ts_ms;                      /* inclusive */
    const struct vector_selector *selector; /* NULL without a second argument */
    struct grouping targets;                /* by instance and job, of the series to enrich */
    struct grouping metrics;                /* by metric name, of the info series */
    struct info_series *series;             /* ordered as they were found */
    size_t count;
    struct members of_target; /* the info series of each target */
};

/* Whether the label of an info series is to be added. */
bool info_label_is_wanted(const struct vector_selector *selector, struct str label);
/* Whether a series without any info shows. */
bool info_may_be_missing(const struct vector_selector *selector);

/* Reads the info series of the targets that these `count` series have; `eval` to `selector` are
   set. `targets` gets a number per series; GROUP_NONE: an info series itself, to be left as it
   is. */
MUST_USE enum status info_source_read(struct info_source *source, const struct labels *labels,
                                      size_t count, uint32_t **targets, struct error *err);
/* The current series of each info metric for a target at a step, NULL for none: the latest one. */
MUST_USE enum status info_source_choose(const struct info_source *source, uint32_t target,
                                        size_t step, const struct info_series **chosen,
                                        struct error *err);

#endif
