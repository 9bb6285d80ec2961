/*
 * refusal: what is remembered of the last refusal for a reason: enough to tell who sends it.
 *
 * Bounded, whatever was refused: texts are cut.
 */
#ifndef CROFT_TSDB_REFUSAL_H
#define CROFT_TSDB_REFUSAL_H

#include "base/status.h"

enum { REFUSAL_TEXT_MAX = 100, REFUSAL_EXAMPLES_MAX = 3 };

struct refusal {
    int64_t at_ms;    /* wall clock */
    struct error why; /* as it was answered */
    /* by what the series grew that were refused; empty where it was not whole series */
    char metric[REFUSAL_TEXT_MAX];
    char label[REFUSAL_TEXT_MAX];
    uint32_t value_count; /* new values of the label, in those that were looked at */
    char examples[REFUSAL_EXAMPLES_MAX][REFUSAL_TEXT_MAX];
};

#endif
