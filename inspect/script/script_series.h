/*
 * script_series: a line that names a series and gives its values:
 *
 *     requests_total{job="a"} 0+10x5 _ stale 7
 *
 * Values are numbers, a+bxN, a-bxN and axN (N steps after the first), _ and _xN (absent), stale.
 *
 * Ownership: all memory is the arena's.
 */
#ifndef CROFT_INSPECT_SCRIPT_SERIES_H
#define CROFT_INSPECT_SCRIPT_SERIES_H

#include "base/arena.h"
#include "base/status.h"
#include "tsdb/model/label.h"

enum { SCRIPT_VALUES_MAX = 1000000 };

struct script_series {
    struct labels labels;
    double *values; /* the stale marker for "stale" */
    bool *is_absent;
    size_t count;
};

/* STATUS_INVALID names what is wrong. */
MUST_USE enum status script_series_parse(struct str line, struct arena *arena,
                                         struct script_series *out, struct error *err);
/* Whether any value is there. */
bool script_series_has_values(const struct script_series *series);

#endif
