/*
 * range_source: the series of a range vector: a matrix selector, or a subquery.
 *
 * Each series is read once, for all windows of all steps; whoever reads it slides over the samples.
 * Ownership:  labels live until range_source_close.
 * Units:      windows are left-open: start_ms < ts_ms <= end_ms.
 */
#ifndef CROFT_QUERY_RANGE_SOURCE_H
#define CROFT_QUERY_RANGE_SOURCE_H

#include "query/engine/operator.h"

struct range_source {
    struct eval *eval;
    const struct expr *expr; /* EXPR_MATRIX_SELECTOR or EXPR_SUBQUERY */
    const struct time_modifier *time;
    int64_t range_ms;
    int64_t min_ts_ms; /* inclusive, of all windows */
    int64_t max_ts_ms; /* inclusive */
    const struct labels *labels;
    size_t series_count;
    struct selection *selection;  /* of a matrix selector, else NULL */
    struct query_operator *inner; /* of a subquery, else NULL; NULL too when it has no steps */
};

/* The matrix-typed `expr` for the steps of `grid`. */
MUST_USE enum status range_source_open(struct range_source *source, struct eval *eval,
                                       const struct grid *grid, const struct expr *expr,
                                       struct error *err);
void range_source_close(struct range_source *source);
/* The end of the window of the step at `ts_ms`. */
int64_t range_source_end_ms(const struct range_source *source, int64_t ts_ms);
/* Replaces `out` by the samples of one series in all windows, without stale markers. They are
   charged to the query in passing: whoever keeps them charges them itself. */
MUST_USE enum status range_source_read(struct range_source *source, size_t series,
                                       struct columns *out, struct error *err);

#endif
