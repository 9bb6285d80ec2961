/*
 * compensated: sums that carry their rounding error along (Neumaier's form of Kahan summation).
 *
 * The same operations in the same order as Prometheus, so that sums are equal to the last bit.
 */
#ifndef CROFT_QUERY_COMPENSATED_H
#define CROFT_QUERY_COMPENSATED_H

#include <math.h>

struct compensated {
    double sum;
    double error; /* what `sum` lacks; 0 once it is infinite */
};

static inline struct compensated compensated_add(struct compensated total, double value)
{
    double sum = total.sum + value;
    if (isinf(sum))
        return (struct compensated){sum, 0};
    if (fabs(total.sum) >= fabs(value))
        total.error += (total.sum - sum) + value;
    else
        total.error += (value - sum) + total.sum;
    total.sum = sum;
    return total;
}

#endif
