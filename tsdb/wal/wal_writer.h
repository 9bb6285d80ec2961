/*
 * wal_writer: writes batches to segments, one behind the other, and makes them durable.
 *
 * A failed write or sync is never retried on the same file: what is not durable of it is void, and
 * the batch is written again to the next segment.
 *
 * Threads: one at a time.
 * Format:  docs/format/wal.md
 */
#ifndef CROFT_TSDB_WAL_WRITER_H
#define CROFT_TSDB_WAL_WRITER_H

#include "base/disk.h"
#include "tsdb/wal/last_values.h"
#include "tsdb/wal/wal_batch.h"
#include "tsdb/wal/wal_files.h"
#include "tsdb/wal/wal_segment.h"

struct wal_writer {
    struct disk *disk;       /* kept */
    const char *folder;      /* kept */
    struct wal_files *files; /* kept; told of each segment */
    uint32_t shard;
    uint64_t segment_bytes_max; /* a new segment is begun beyond this */

    struct wal_segment segment;
    struct segment_id previous; /* the last segment with anything durable */
    uint64_t previous_bytes;
    uint32_t next_number;
    struct last_values last_values; /* of the open segment */
    struct buffer records;          /* of one frame */
    struct buffer out;
};

/* The fields before the first empty line are set. */
void wal_writer_init(struct wal_writer *writer);
void wal_writer_deinit(struct wal_writer *writer);
/* Writes and syncs the whole batch, which is sealed; `*written_bytes` is what it takes. */
MUST_USE enum status wal_writer_write(struct wal_writer *writer, const struct wal_batch *batch,
                                      uint64_t *written_bytes, struct error *err);
/* wal.h: wal_leave_proof. */
void wal_writer_leave_proof(struct wal_writer *writer);

#endif
