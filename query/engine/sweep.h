/*
 * sweep: the columns of an operator in the order of its series, made by several threads when
 * processors are idle.
 *
 *     query's thread   columns 0-7    ...    40-47     ─┐
 *     helper           columns 8-15   ...    24-31     ─┼─► ring of batches ─► used one by one,
 *     helper           columns 16-23  ...    32-39     ─┘                      0, 1, 2, ...
 *
 * Columns are used on the query's own thread and in order, whoever made them: so sums have the same
 * bits, and of several errors the same one is told, with one thread and with many. A sweep begins
 * alone and asks for help only when it takes long. A helper needs an idle processor (turns.h) and
 * leaves when somebody else wants it.
 *
 * Threads: sweep_columns is for the query's own thread; `column` of the operator is called from
 *          several at once, for different series.
 */
#ifndef CROFT_QUERY_SWEEP_H
#define CROFT_QUERY_SWEEP_H

#include "query/engine/operator.h"

struct sweep {
    struct query_operator *op;
    const uint32_t *order; /* in which the series are visited, each once; NULL: as they are */
    /* Takes a column, which is borrowed. Anything but STATUS_OK ends the sweep. */
    enum status (*use)(void *context, size_t series, const double *column, struct error *err);
    void *context;
};

MUST_USE enum status sweep_columns(const struct sweep *sweep, struct error *err);

#endif
