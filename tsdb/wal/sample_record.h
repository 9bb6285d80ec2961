/*
 * sample_record: the samples of a frame, by columns: refs and timestamps as runs, values by what
 * has changed since the last one of the same series.
 *
 * A sample of a scrape usually has the ref behind the one before, the same timestamp, and more
 * often than not the value of the scrape before: then it takes a bit.
 *
 * Format: docs/format/wal.md, "Type 2: samples".
 */
#ifndef CROFT_TSDB_SAMPLE_RECORD_H
#define CROFT_TSDB_SAMPLE_RECORD_H

#include "base/codec.h"
#include "tsdb/wal/last_values.h"
#include "tsdb/wal/wal.h"

/* Nothing larger is written or believed: some MB for who reads it. */
enum { SAMPLE_RECORD_COUNT_MAX = 16384 };

/* Appends the body of the record; 1 <= count <= SAMPLE_RECORD_COUNT_MAX. */
void sample_record_encode(struct buffer *out, struct last_values *last,
                          const struct logged_sample *samples, size_t count);

/* What a record holds. */
struct sample_list {
    struct logged_sample samples[SAMPLE_RECORD_COUNT_MAX];
    size_t count;
    size_t lost_count; /* in the record, but the value they are told by is not known */
};

/* Replaces `out`. False for bytes that are not exactly the body of a record: `out` then has what
   stood before, and no last value is to be trusted. */
bool sample_record_decode(struct sample_list *out, struct last_values *last, struct bytes body);

#endif
