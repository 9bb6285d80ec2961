/*
 * answer: what the columns of an operator become: series of the result, or handed over one by one.
 *
 * Series without any value are left out. What is kept counts against the budget of the query.
 */
#ifndef CROFT_QUERY_ANSWER_H
#define CROFT_QUERY_ANSWER_H

#include "query/engine/operator.h"

/* Room for so many series in the result; before the first answer_add. */
MUST_USE enum status answer_begin(struct eval *eval, size_t series_max, struct error *err);
/* Adds a series; labels are copied, points live in the result's arena. */
MUST_USE enum status answer_add(struct eval *eval, struct labels labels,
                                const struct sample *points, size_t point_count, struct error *err);
/* All series of `op` in their order. */
MUST_USE enum status answer_collect(struct eval *eval, struct query_operator *op,
                                    struct error *err);
/* All series of `op`, sorted by labels, to the query's take_series. */
MUST_USE enum status answer_hand_over(struct eval *eval, struct query_operator *op,
                                      struct error *err);

#endif
