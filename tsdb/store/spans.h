/*
 * spans: ranges of time of which the samples are left out.
 *
 * Invariant: of a list, increasing and apart from each other.
 */
#ifndef CROFT_TSDB_SPANS_H
#define CROFT_TSDB_SPANS_H

#include "tsdb/model/sample.h"

/* Both ends inclusive. */
struct span {
    int64_t min_ts_ms;
    int64_t max_ts_ms;
};

struct span_list {
    const struct span *ptr; /* in an arena */
    size_t count;
};

/* Puts the span in its place among `count` others and unites it with those that it touches: how
   many there are then. There is room for one more. */
size_t spans_add(struct span *spans, size_t count, struct span span);
/* Whether one of them covers all of the range, both ends inclusive. */
bool spans_cover(struct span_list spans, int64_t min_ts_ms, int64_t max_ts_ms);
/* Takes the samples within the spans out of `columns`. */
void spans_cut(struct span_list spans, struct columns *columns);

#endif
