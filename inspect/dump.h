/*
 * dump: `croft dump`: all samples as OpenMetrics text, series by series, in order of time.
 *
 * What is written is what a query could see, and what has expired but is not deleted yet. Memory:
 * the label sets that match, the log, and one series' samples.
 */
#ifndef CROFT_INSPECT_DUMP_H
#define CROFT_INSPECT_DUMP_H

#include <stdio.h>

#include "base/clock.h"
#include "base/disk.h"
#include "tsdb/model/scope.h"

struct dump_options {
    struct disk *disk; /* borrowed, as is the rest */
    struct scope scope;
    struct str tenant_label; /* as the server's, for a scope of several tenants */
    struct str selector;     /* empty for everything */
    int64_t min_ts_ms;       /* both inclusive */
    int64_t max_ts_ms;
    bool is_exact; /* stale markers and other NaNs with their bits, which OpenMetrics has no form
                      for */
};

struct dump_report {
    uint64_t series;
    uint64_t samples;
    uint64_t stale;   /* markers that were left out */
    uint64_t damaged; /* blocks and places in the log of which not all could be read */
};

/* STATUS_INVALID: a bad selector; STATUS_NOT_FOUND: not a data directory; STATUS_UNAVAILABLE: the
   server kept changing the files; STATUS_IO: reading or writing failed. Damage is left out and
   counted. */
MUST_USE enum status dump_write(const struct dump_options *options, FILE *out,
                                struct dump_report *report, struct error *err);

/* Returns the exit status: 0, 1 when something is damaged or fails, 2 for a bad command line. */
int dump_main(int count, char *const *args);

#endif
