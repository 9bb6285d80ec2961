/*
 * scalar: a scalar expression as one value per step, such as the k of topk or the bounds of clamp.
 */
#ifndef CROFT_QUERY_SCALAR_H
#define CROFT_QUERY_SCALAR_H

#include "query/engine/operator.h"

/* `*values` gets grid->count values in the arena. */
MUST_USE enum status scalar_read(struct eval *eval, const struct grid *grid,
                                 const struct expr *expr, double **values, struct error *err);

/* Over all steps; one NaN makes both extremes NaN, so that every comparison with them fails. */
struct scalar_extremes {
    double min;
    double max;
};

struct scalar_extremes scalar_extremes(const double *values, size_t count);

#endif
