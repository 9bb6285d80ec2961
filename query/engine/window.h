/*
 * window: the samples of one series that a range function sees at one step.
 *
 * Left-open as in Prometheus 3: samples with start_ms < ts_ms <= end_ms, stale markers taken out.
 * The columns are those of the whole series, so that a function may keep to indexes and the
 * evaluator never copies; `first` and `count` say which part the window is.
 */
#ifndef CROFT_QUERY_WINDOW_H
#define CROFT_QUERY_WINDOW_H

#include "tsdb/model/sample.h"

/* What a function found in the window before, which mostly is in this one too. All 0 at first. */
struct window_memory {
    size_t at;  /* the sample found */
    size_t end; /* samples before this one were looked at */
};

struct window {
    const struct columns *columns;
    size_t first;
    size_t count;
    int64_t start_ms; /* exclusive */
    int64_t end_ms;   /* inclusive: step time less offset */
    double range_s;   /* from one to the other, in seconds */
    int64_t step_ms;  /* the time of the step itself, before offset and @ */
    /* Where the value of the series jumps: resets or changes, as the function needs; else NULL.
       Those of the window, its first sample aside, are at the samples jumps_at[jump_first] to
       jumps_at[jump_end - 1]. */
    const uint32_t *jumps_at;
    size_t jump_first;
    size_t jump_end;
    struct window_memory *memory; /* of this series */
    double *scratch;              /* room for `count` values; NULL unless the function needs it */
};

/* Those of the window, `count` of each. */
static inline const double *window_values(const struct window *window)
{
    return window->columns->values + window->first;
}

static inline const int64_t *window_times(const struct window *window)
{
    return window->columns->ts_ms + window->first;
}

#endif
