/*
 * line_fit: the straight line through the samples of a window, by least squares.
 *
 * Units:      times in milliseconds, the slope per second.
 *
 * The sums are compensated, with the result of Prometheus to the last bit (compensated.h).
 */
#ifndef CROFT_QUERY_LINE_FIT_H
#define CROFT_QUERY_LINE_FIT_H

#include <stddef.h>
#include <stdint.h>

struct line {
    double slope;
    double intercept; /* at `zero_ms` */
};

/* `count` is 1 at least. */
struct line line_fit(const double *values, const int64_t *ts_ms, size_t count, int64_t zero_ms);

#endif
