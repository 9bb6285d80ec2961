/*
 * write_scan: one pass over a remote-write 1.0 message (prometheus.WriteRequest), without an object
 * tree.
 *
 *     body: | series | series | metadata | ...         scan: series[]  ─► identity in the body
 *                                                                      or labels[first_label ...]
 *                                                                      ─► samples[first_sample ...]
 *                                                            metadata[]
 *
 * Gives exactly what a conforming protobuf decoder gives: fields in any order, the last of a
 * repeated single field wins, missing fields are empty or 0, unknown fields are skipped. Text is
 * not checked for UTF-8, label sets are not checked at all: that is labels_canonicalise's.
 * Exemplars and native histograms are counted, their content is not read.
 *
 * The way most senders write a series (name before value, short lengths, labels before samples,
 * nothing else) takes a tight path; whatever deviates takes the general one, with the same result.
 *
 * Ownership:  the scan owns its arrays and reuses them; text points into the body.
 * Threads:    not synchronised.
 */
#ifndef CROFT_INGEST_WRITE_SCAN_H
#define CROFT_INGEST_WRITE_SCAN_H

#include "base/budget.h"
#include "base/bytes.h"
#include "base/status.h"
#include "tsdb/model/label.h"
#include "tsdb/model/sample.h"

struct write_scan_options {
    struct str tenant_label;        /* its value is noted per series; empty for none; kept */
    uint32_t labels_per_series_max; /* labels beyond it are counted, not kept */
    /* Of one message; one more is STATUS_LIMIT. */
    uint32_t series_max;
    uint32_t labels_max;
    uint32_t samples_max;
    uint32_t metadata_max;
    struct charge *charge; /* takes what the arrays grow by; kept; may be NULL */
};

/* 1 M samples, and as many series; 4 M labels: as many as 32 MiB can hold when each has a name and
   a value. */
struct write_scan_options write_scan_options_default(void);

struct scanned_series {
    /* The encoding of its labels, which is all that is kept of them; empty when it is not in one
       piece in the body. */
    struct bytes identity;
    struct str tenant;    /* value of the tenant label; empty when there is none */
    uint32_t first_label; /* in the scan's array; unused when there is an `identity` */
    uint32_t label_count; /* kept */
    uint32_t label_total; /* in the message */
    uint32_t first_sample;
    uint32_t sample_count;
};

struct scanned_metadata {
    uint32_t type; /* MetricType as sent, any value */
    struct str metric;
    struct str help;
    struct str unit;
};

struct write_scan {
    struct scanned_series *series;
    size_t series_count;
    size_t series_capacity;
    struct label *labels;
    size_t label_count;
    size_t label_capacity;
    struct sample *samples;
    size_t sample_count;
    size_t sample_capacity;
    struct scanned_metadata *metadata;
    size_t metadata_count;
    size_t metadata_capacity;
    uint64_t exemplar_count;
    uint64_t histogram_count;
};

void write_scan_init(struct write_scan *scan);
void write_scan_deinit(struct write_scan *scan);
/* What the arrays occupy. */
size_t write_scan_memory_bytes(const struct write_scan *scan);

/* Replaces the content of `scan`. STATUS_INVALID: malformed, the text says where; STATUS_LIMIT: too
   much in one message; STATUS_UNAVAILABLE: the charge refuses. After a failure the content means
   nothing. */
MUST_USE enum status write_scan_run(struct write_scan *scan,
                                    const struct write_scan_options *options, struct bytes body,
                                    struct error *err);

#endif
