/*
 * refusal: why the store takes some samples of a write and not others, and what is remembered of
 *          the last refusal for each reason: enough to tell who sends it.
 *
 * Bounded, whatever was refused: texts are cut.
 */
#ifndef CROFT_TSDB_REFUSAL_H
#define CROFT_TSDB_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* Name, and how metrics and errors call it. */
#define REFUSAL_LIST(X)                                                                            \
    X(REFUSAL_INVALID_LABELS, "invalid-labels")                                                    \
    X(REFUSAL_MAX_LABEL_NAMES, "max-label-names-per-series")                                       \
    X(REFUSAL_MAX_LABEL_NAME_LEN, "max-label-name-length")                                         \
    X(REFUSAL_MAX_LABEL_VALUE_LEN, "max-label-value-length")                                       \
    X(REFUSAL_MAX_SERIES, "max-series")                                                            \
    X(REFUSAL_MAX_SERIES_PER_METRIC, "max-series-per-metric")                                      \
    X(REFUSAL_MAX_LABEL_VALUES, "max-label-values")                                                \
    X(REFUSAL_MAX_SERIES_BYTES, "max-series-bytes")                                                \
    X(REFUSAL_MAX_NEW_SERIES, "max-new-series-per-second")                                         \
    X(REFUSAL_MAX_NEW_SERIES_PER_HOUR, "max-new-series-per-hour")                                  \
    X(REFUSAL_HEAD_MEMORY, "head-memory")                                                          \
    X(REFUSAL_INGESTION_RATE, "ingestion-rate")                                                    \
    X(REFUSAL_TOO_FAR_IN_FUTURE, "too-far-in-future")                                              \
    X(REFUSAL_TOO_OLD, "too-old")                                                                  \
    X(REFUSAL_OUT_OF_ORDER, "out-of-order")                                                        \
    X(REFUSAL_DUPLICATE_TIMESTAMP, "duplicate-timestamp")                                          \
    X(REFUSAL_HA_MAX_CLUSTERS, "ha-max-clusters")

enum refusal_reason {
#define REFUSAL_ENUM(name, text) name,
    REFUSAL_LIST(REFUSAL_ENUM)
#undef REFUSAL_ENUM
        REFUSAL_COUNT
};

const char *refusal_reason_text(enum refusal_reason reason);
/* Refused only for now: the sender may repeat the write. */
bool refusal_reason_is_passing(enum refusal_reason reason);

enum {
    REFUSAL_TEXT_MAX = 100,
    REFUSAL_EXAMPLES_MAX = 3,
    /* pairs of a tenant and a reason, of one write; the first of each reason may be more */
    REFUSAL_EXPLAINED_MAX = 64,
};

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
