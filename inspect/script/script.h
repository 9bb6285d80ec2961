/*
 * script: PromQL behaviour written down as data, in the language of Prometheus' own query tests.
 *
 *     load 1m
 *       requests_total{job="a"} 0+10x5 _ stale 7
 *     eval instant at 5m rate(requests_total[5m])
 *       expect no_warn
 *       {job="a"} 0.2
 *     eval range from 0 to 5m step 1m requests_total
 *       {__name__="requests_total", job="a"} 0+10x5
 *     clear
 *
 * Series lines: script_series.h; values are one interval apart from time 0 on. Expectations: fail,
 * warn, info (each with an optional `msg: text` or `regex: pattern`), no_warn, no_info, ordered,
 * `string "text"`, `range vector from A to B step C`. A bare number is a scalar. The older words
 * eval_fail, eval_warn, eval_info, eval_ordered, expected_fail_message and expected_fail_regexp do
 * too. A blank line or a comment (#) ends a block.
 * Without a word about them, warnings and infos may be there or not.
 */
#ifndef CROFT_INSPECT_SCRIPT_H
#define CROFT_INSPECT_SCRIPT_H

#include <stdio.h>

#include "base/status.h"

struct script_options {
    FILE *out;        /* failures, as "path:line: what" */
    double tolerance; /* relative, of values */
};

struct script_result {
    size_t query_count;
    size_t failure_count;
};

/* Runs the file; adds to `result`. STATUS_IO: it cannot be read. */
MUST_USE enum status script_run(const char *path, const struct script_options *options,
                                struct script_result *result, struct error *err);

#endif
