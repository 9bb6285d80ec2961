/*
 * script_report: what a script did, and every failure as "file:line: what".
 */
#ifndef CROFT_INSPECT_SCRIPT_REPORT_H
#define CROFT_INSPECT_SCRIPT_REPORT_H

#include <stdio.h>

#include "base/status.h"
#include "tsdb/model/label.h"

struct script_report {
    FILE *out; /* failures go here */
    const char *path;
    size_t line; /* of the command under way, from 1 */
    size_t query_count;
    size_t failure_count;
};

void script_fail(struct script_report *report, const char *format, ...) PRINTF_LIKE(2, 3);
/* Another line about the last failure, indented. */
void script_explain(struct script_report *report, const char *format, ...) PRINTF_LIKE(2, 3);

/* Labels as a failure shows them. */
struct script_labels_text {
    char text[512];
};
struct script_labels_text script_labels_text(struct labels labels);

#endif
