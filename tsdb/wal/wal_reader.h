/*
 * wal_reader: the good frames of one segment, in order, past whatever is damaged.
 *
 * Reads the file in windows: memory is bounded by one frame, not by the segment.
 *
 * Ownership:  the reader owns the open file; the disk must outlive it.
 * Threads:    not synchronised.
 * Format:     docs/format/wal.md, "Reading a damaged segment".
 */
#ifndef CROFT_TSDB_WAL_READER_H
#define CROFT_TSDB_WAL_READER_H

#include "tsdb/wal/wal_frame.h"
#include "tsdb/wal/wal_segment.h"

struct wal_reader {
    struct file *file;
    uint32_t shard;
    struct segment_id id;
    uint64_t size_bytes;
    uint64_t limit_bytes;   /* where reading stops: nothing behind it counts */
    uint64_t durable_bytes; /* durable for certain, as far as is known */
    uint64_t offset;        /* of the next frame, or of what is none */
    uint8_t *window;        /* bytes [window_offset, window_offset + window_len) of the file */
    size_t window_capacity;
    uint64_t window_offset;
    size_t window_len;
    struct buffer raw;
    uint64_t frame_offset; /* of the frame whose records `raw` holds */
    struct frame_header frame;

    /* What was found so far. */
    uint64_t damaged_frames;
    uint64_t torn_tail_bytes;
};

/* The segment `id` of `folder`. */
MUST_USE enum status wal_reader_open(struct wal_reader *reader, struct disk *disk,
                                     const char *folder, uint32_t shard, struct segment_id id,
                                     struct error *err);
void wal_reader_close(struct wal_reader *reader);

/* STATUS_CORRUPT for a header of an unknown version. `*state` is never SEGMENT_HEADER_UNKNOWN. */
MUST_USE enum status wal_reader_header(struct wal_reader *reader, struct segment_header *header,
                                       enum segment_header_state *state, struct error *err);
/* This one is known to be durable up to `bytes`: it is damaged when it is not as long. */
void wal_reader_set_durable(struct wal_reader *reader, uint64_t bytes);
/* The same, and given up behind that. */
MUST_USE enum status wal_reader_set_limit(struct wal_reader *reader, uint64_t bytes,
                                          struct error *err);
/* `*records` are the records of the next good frame (until the next call); empty at the end. */
MUST_USE enum status wal_reader_next(struct wal_reader *reader, struct bytes *records,
                                     struct error *err);

#endif
