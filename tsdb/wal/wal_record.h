/*
 * wal_record: what a frame of the log holds: declarations of series, and samples.
 *
 * Writing: a declaration is written as it comes; the samples of a frame are one record behind them.
 * Reading: records_decode hands everything to a wal_replay_handler.
 * Format:  docs/format/wal.md, "Records".
 */
#ifndef CROFT_TSDB_WAL_RECORD_H
#define CROFT_TSDB_WAL_RECORD_H

#include "base/arena.h"
#include "tsdb/index/ref_set.h"
#include "tsdb/wal/sample_record.h"
#include "tsdb/wal/wal.h"

/* Both append one record. */
void record_write_series(struct buffer *out, struct series_ref ref, const struct tenant_id *tenant,
                         struct labels labels);
void record_write_samples(struct buffer *out, struct last_values *last,
                          const struct logged_sample *samples, size_t count);

/* Where decoded records go; the handler's own errors come back as they are. */
struct record_sink {
    const struct wal_replay_handler *handler;
    struct wal_replay_report *report;
    struct ref_set *declared;
    struct last_values *last;
    struct sample_list *samples; /* scratch */
    struct arena *arena;         /* reset for each series */
};

/* STATUS_CORRUPT: a record of an unknown type that must not be skipped. Anything else that does not
   decode is counted as a damaged frame; what stood before it has been handed over. */
MUST_USE enum status records_decode(const struct record_sink *sink, struct bytes raw,
                                    struct error *err);

#endif
