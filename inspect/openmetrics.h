/*
 * openmetrics: samples as lines of text, both ways.
 *
 *     up{job="a"} 1 1700000000.000
 *
 * Written as OpenMetrics 1.0; names that it has no form for are quoted as Prometheus 3 does:
 * {"my.metric","my.label"="x"}. Read are OpenMetrics, the text format 0.0.4 and what `promtool tsdb
 * dump` and `dump-openmetrics` print; every sample needs a timestamp.
 */
#ifndef CROFT_INSPECT_OPENMETRICS_H
#define CROFT_INSPECT_OPENMETRICS_H

#include "base/arena.h"
#include "base/status.h"
#include "tsdb/model/label.h"
#include "tsdb/model/sample.h"

/* Appends the metric with its labels. */
void openmetrics_append_series(struct buffer *out, struct labels labels);
/* Appends seconds, always with three digits behind the point. */
void openmetrics_append_ts(struct buffer *out, int64_t ts_ms);

/* What integers are; a timestamp with a point or an exponent is always seconds. */
enum openmetrics_unit {
    OPENMETRICS_UNIT_AUTO,    /* milliseconds from 10^11 on (1973), else seconds (until 5138) */
    OPENMETRICS_UNIT_SECONDS, /* OpenMetrics */
    OPENMETRICS_UNIT_MS,      /* the text format 0.0.4, promtool tsdb dump */
};

struct openmetrics_line {
    struct str series; /* empty for comments and empty lines */
    struct sample sample;
};

/* `line` is without its end. Views point into it. STATUS_INVALID says what is wrong. */
MUST_USE enum status openmetrics_split(struct str line, enum openmetrics_unit unit,
                                       struct openmetrics_line *out, struct error *err);
/* The labels of openmetrics_line.series, in their order there. Text lives in `arena` or in
 * `series`. */
MUST_USE enum status openmetrics_parse_series(struct str series, struct arena *arena,
                                              struct labels *out, struct error *err);

#endif
