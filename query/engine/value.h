/*
 * value: what a query answers.
 */
#ifndef CROFT_QUERY_VALUE_H
#define CROFT_QUERY_VALUE_H

#include "query/syntax/ast.h"
#include "tsdb/model/label.h"
#include "tsdb/model/sample.h"

/* One series of a vector (one sample) or matrix. Points are strictly increasing in time. */
struct result_series {
    struct labels labels;
    const struct sample *points;
    size_t point_count;
};

struct notes {
    struct str *ptr; /* without duplicates */
    size_t count;
};

struct query_result {
    enum value_type type;         /* VALUE_MATRIX for a range query */
    struct sample scalar;         /* VALUE_SCALAR */
    struct str string;            /* VALUE_STRING, at scalar.ts_ms */
    struct result_series *series; /* vector: in evaluation order; matrix: sorted by labels */
    size_t series_count;
    struct notes warnings;
    struct notes infos;
    uint64_t samples_total; /* samples read, as stats' totalQueryableSamples counts */
    uint64_t samples_peak;
    uint64_t memory_peak_bytes; /* of what max_estimated_memory_consumption_per_query bounds */
};

#endif
