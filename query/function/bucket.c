#include "query/function/bucket.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* Counts that differ by less, relative to their sum, are taken as equal: rates of buckets that
   count the same observations come out of their own divisions. */
static const double TOLERANCE = 1e-12;

static int compare_upper(const void *a, const void *b)
{
    double left = ((const struct bucket *)a)->upper;
    double right = ((const struct bucket *)b)->upper;
    return (left > right) - (left < right);
}

/* One bucket per bound, in order; how many there are. */
static size_t coalesce(struct bucket *buckets, size_t count)
{
    qsort(buckets, count, sizeof *buckets, compare_upper);
    size_t last = 0;
    for (size_t i = 1; i < count; i++) {
        if (buckets[i].upper == buckets[last].upper)
            buckets[last].count += buckets[i].count;
        else
            buckets[++last] = buckets[i];
    }
    return last + 1;
}

static bool are_almost_equal(double a, double b)
{
    double sum = fabs(a) + fabs(b);
    double difference = fabs(a - b);
    if (isnan(a) && isnan(b))
        return true;
    if (a == 0 || b == 0 || sum < DBL_MIN)
        return difference < TOLERANCE * DBL_MIN;
    return difference / fmin(sum, DBL_MAX) < TOLERANCE;
}

static void note_drop(struct bucket_repair *repair, double upper, double drop)
{
    repair->is_forced = true;
    repair->min_upper = fmin(repair->min_upper, upper);
    repair->max_upper = fmax(repair->max_upper, upper);
    repair->max_drop = fmax(repair->max_drop, drop);
}

/* Every count is at least the one before it: differences within rounding are dropped either way,
   falls are evened out. */
static void make_monotonic(struct bucket *buckets, size_t count, struct bucket_repair *repair)
{
    double previous = buckets[0].count;
    for (size_t i = 1; i < count; i++) {
        double current = buckets[i].count;
        if (current == previous)
            continue;
        if (are_almost_equal(previous, current)) {
            buckets[i].count = previous;
        } else if (current < previous) {
            buckets[i].count = previous;
            note_drop(repair, buckets[i].upper, previous - current);
        } else {
            previous = current;
        }
    }
}

/* The first bucket but the last that reaches `rank`, else the last. */
static size_t find_rank(const struct bucket *buckets, size_t count, double rank)
{
    size_t low = 0;
    size_t high = count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (buckets[middle].count >= rank)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static double interpolate(const struct bucket *buckets, size_t at, double rank)
{
    struct bucket below = at == 0 ? (struct bucket){0} : buckets[at - 1];
    double count = buckets[at].count - below.count;
    return below.upper + (buckets[at].upper - below.upper) * ((rank - below.count) / count);
}

double bucket_quantile(double phi, struct bucket *buckets, size_t count,
                       struct bucket_repair *repair)
{
    *repair = (struct bucket_repair){.min_upper = INFINITY, .max_upper = -INFINITY};
    if (isnan(phi))
        return NAN;
    if (phi < 0)
        return -INFINITY;
    if (phi > 1)
        return INFINITY;
    count = coalesce(buckets, count);
    if (buckets[count - 1].upper != INFINITY)
        return NAN;
    make_monotonic(buckets, count, repair);
    double observations = buckets[count - 1].count;
    if (count < 2 || observations == 0)
        return NAN;
    double rank = phi * observations;
    size_t at = find_rank(buckets, count, rank);
    if (at == count - 1)
        return buckets[count - 2].upper;
    if (at == 0 && buckets[0].upper <= 0)
        return buckets[0].upper;
    return interpolate(buckets, at, rank);
}

/* How many observations lie at or below `bound`, by linear interpolation. */
static double rank_of(double bound, const struct bucket *buckets, size_t count)
{
    double lower = buckets[0].upper <= 0 ? -INFINITY : 0;
    double rank = 0;
    for (size_t i = 0; i < count; i++) {
        if (lower >= bound)
            return rank;
        if (buckets[i].upper > bound) {
            if (lower == -INFINITY)
                return buckets[i].count;
            return rank + (buckets[i].count - rank) * (bound - lower) / (buckets[i].upper - lower);
        }
        rank = buckets[i].count;
        lower = buckets[i].upper;
    }
    return buckets[count - 1].count;
}

/* Unlike fmin, a NaN stays one. */
static double at_most(double rank, double observations)
{
    return rank > observations ? observations : rank;
}

double bucket_fraction(double lower, double upper, struct bucket *buckets, size_t count)
{
    count = coalesce(buckets, count);
    double observations = buckets[count - 1].count;
    if (buckets[count - 1].upper != INFINITY || observations == 0 || isnan(lower) || isnan(upper))
        return NAN;
    if (lower >= upper)
        return 0;
    double lower_rank = at_most(rank_of(lower, buckets, count), observations);
    double upper_rank = at_most(rank_of(upper, buckets, count), observations);
    return (upper_rank - lower_rank) / observations;
}
