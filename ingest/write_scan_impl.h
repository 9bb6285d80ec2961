/*
 * write_scan_impl: what the two ways through a series share: write_scan_plain.c takes what most
 * senders write, write_scan_general.c whatever protobuf allows. write_scan.c has the message around
 * them.
 */
#ifndef CROFT_INGEST_WRITE_SCAN_IMPL_H
#define CROFT_INGEST_WRITE_SCAN_IMPL_H

#include "ingest/wire.h"
#include "ingest/write_scan.h"

/* Field numbers: ingest/proto/remote_write.proto. */
enum {
    REQUEST_SERIES = 1,
    REQUEST_METADATA = 3,
    SERIES_LABEL = 1,
    SERIES_SAMPLE = 2,
    SERIES_EXEMPLAR = 3,
    SERIES_HISTOGRAM = 4,
    LABEL_NAME = 1,
    LABEL_VALUE = 2,
    SAMPLE_VALUE = 1,
    SAMPLE_TS = 2,
    METADATA_TYPE = 1,
    METADATA_METRIC = 2,
    METADATA_HELP = 4,
    METADATA_UNIT = 5,
};

struct scanner {
    struct write_scan *scan;
    const struct write_scan_options *options;
    struct wire_fault fault;
    uint64_t label_total; /* of all series so far */
    const char *limit;    /* which limit was passed; NULL for none */
    uint32_t limit_max;
    bool is_refused; /* by the charge */
};

/* Notes which limit was passed; returns false. */
static inline bool scanner_fail_limit(struct scanner *scanner, const char *limit,
                                      uint32_t limit_max)
{
    scanner->limit = limit;
    scanner->limit_max = limit_max;
    return false;
}

/* An array of the scan, grown; NULL, which is noted, when the charge refuses. */
static inline void *scanner_grow(struct scanner *scanner, void *array, size_t *capacity,
                                 size_t want, size_t element_bytes)
{
    void *grown = charge_grow(scanner->options->charge, array, capacity, want, element_bytes);
    scanner->is_refused = grown == NULL;
    return grown;
}

/* Limits first, memory second. */
static inline bool scanner_reserve_sample(struct scanner *scanner)
{
    struct write_scan *scan = scanner->scan;
    if (scan->sample_count >= scanner->options->samples_max)
        return scanner_fail_limit(scanner, "samples", scanner->options->samples_max);
    if (scan->sample_count < scan->sample_capacity)
        return true;
    void *grown = scanner_grow(scanner, scan->samples, &scan->sample_capacity,
                               scan->sample_count + 1, sizeof *scan->samples);
    if (grown != NULL)
        scan->samples = grown;
    return grown != NULL;
}

static inline struct wire scanner_wire(struct scanner *scanner, struct bytes content)
{
    return (struct wire){content.ptr, content.ptr + content.len, &scanner->fault};
}

static inline bool is_tenant_label(struct str name, struct str tenant_label)
{
    return name.len == tenant_label.len && name.len > 0 &&
           memcmp(name.ptr, tenant_label.ptr, name.len) == 0;
}

enum plain_result {
    PLAIN_ALL,   /* the whole series was plain */
    PLAIN_NOT,   /* it is not: what was read of it means nothing */
    PLAIN_LIMIT, /* a limit was passed, or memory refused */
};
enum plain_result scan_plain_series(struct scanner *scanner, struct bytes content,
                                    struct scanned_series *series);
/* False: malformed, a limit was passed, or memory refused. */
bool scan_any_series(struct scanner *scanner, struct bytes content, struct scanned_series *series);

/* A field of text; `field` is its name in errors. */
bool scan_text(struct wire *wire, const char *field, struct wire_tag tag, struct str *out);

#endif
