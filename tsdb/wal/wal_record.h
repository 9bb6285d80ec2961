/*
 * wal_record: what a frame of the log holds: declarations of series, and samples.
 *
 * Writing: records go to the end of a buffer; samples that follow each other share one record,
 * whose length is filled in when the run ends. A sample usually differs from the one before by
 *          little, and most values are short numbers, so it takes 2 to 12 bytes.
 * Reading: records_decode hands everything to a wal_replay_handler.
 * Format:  docs/format/wal.md, "Records".
 */
#ifndef CROFT_TSDB_WAL_RECORD_H
#define CROFT_TSDB_WAL_RECORD_H

#include "base/arena.h"
#include "tsdb/index/ref_set.h"
#include "tsdb/wal/wal.h"

struct record_writer {
    struct buffer raw; /* the caller cuts it into frames */
    size_t run_offset; /* of the open samples record in `raw`; SIZE_MAX when none is open */
    uint32_t ref;      /* of the sample before */
    int64_t ts_ms;     /* of the sample before */
};

void record_writer_init(struct record_writer *writer, size_t max_bytes);
void record_writer_deinit(struct record_writer *writer);

/* The next record is the first of a frame. */
void record_writer_begin_frame(struct record_writer *writer);
/* Ends an open run of samples: then `raw` ends with a whole record. */
void record_writer_end_run(struct record_writer *writer);
void record_write_series(struct record_writer *writer, struct series_ref ref,
                         const struct tenant_id *tenant, struct labels labels);
void record_write_sample(struct record_writer *writer, struct series_ref ref, struct sample sample);

/* Where decoded records go; the handler's own errors come back as they are. */
struct record_sink {
    const struct wal_replay_handler *handler;
    struct wal_replay_report *report;
    struct ref_set *declared;
    struct arena *arena; /* reset for each series */
};

/* STATUS_CORRUPT: a record of an unknown type that must not be skipped. Anything else that does not
   decode is counted as a damaged frame; what stood before it has been handed over. */
MUST_USE enum status records_decode(const struct record_sink *sink, struct bytes raw,
                                    struct error *err);

#endif
