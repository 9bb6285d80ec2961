/*
 * quantile: the value below which a share phi of some values lies.
 */
#ifndef CROFT_QUERY_QUANTILE_H
#define CROFT_QUERY_QUANTILE_H

#include "query/engine/operator.h"

/* Interpolates between the two values around phi, NaN first; moves `values`. NaN for no values or a
   NaN phi; -Inf for phi < 0, +Inf for phi > 1. */
double quantile_of(double phi, double *values, size_t count);

/* "quantile value should be between 0 and 1, got ...", when phi is not; `expr` is phi, an
   argument of `owner`. */
void quantile_check(struct eval *eval, const struct expr *owner, const struct expr *expr,
                    double phi);

#endif
