/*
 * elementary_impl: what the files behind elementary.h share.
 */
#ifndef CROFT_QUERY_FUNCTION_ELEMENTARY_IMPL_H
#define CROFT_QUERY_FUNCTION_ELEMENTARY_IMPL_H

#include <stddef.h>

/* ln 2 in two parts, so that a multiple of the first is exact. */
static const double LN2_HIGH = 6.93147180369123816490e-01;
static const double LN2_LOW = 1.90821492927058770002e-10;

/* Coefficients from that of the highest power on. */
struct polynomial {
    size_t count;
    double coefficients[8];
};

/* By Horner's rule, each step rounded twice. */
static inline double polynomial_value(const struct polynomial *p, double x)
{
    double value = p->coefficients[0];
    for (size_t i = 1; i < p->count; i++)
        value = value * x + p->coefficients[i];
    return value;
}

/* log(1 + x) without the loss of adding 1 first. */
double elementary_log1p(double x);

#endif
