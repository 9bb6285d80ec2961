/*
 * bucket: quantiles and fractions of classic histograms, from their cumulative buckets.
 *
 * Both functions sort `buckets` by upper bound and add up those of the same bound. The arithmetic
 * is Prometheus', operation by operation.
 */
#ifndef CROFT_QUERY_BUCKET_H
#define CROFT_QUERY_BUCKET_H

#include <stdbool.h>
#include <stddef.h>

struct bucket {
    double upper; /* inclusive bound of the values counted */
    double count; /* of values at or below it */
};

/* What was done to counts that fell where they may only rise. */
struct bucket_repair {
    bool is_forced;   /* by more than rounding explains */
    double min_upper; /* lowest and highest bound at which it was */
    double max_upper;
    double max_drop; /* largest fall that was evened out */
};

/* Interpolates linearly within a bucket; the lowest begins at 0 unless its bound is not above that.
   In the highest bucket the answer is the bound below it. NaN without an infinite bucket, with less
   than two buckets or without observations; -Inf for phi < 0, +Inf for phi > 1. `count` > 0. */
double bucket_quantile(double phi, struct bucket *buckets, size_t count,
                       struct bucket_repair *repair);
/* The share of observations between `lower` and `upper`. */
double bucket_fraction(double lower, double upper, struct bucket *buckets, size_t count);

#endif
