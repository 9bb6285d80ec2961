/*
 * wal_segment: one file of the log: its name, its header, and appending to it.
 *
 * Format: docs/format/wal.md, "Segment".
 */
#ifndef CROFT_TSDB_WAL_SEGMENT_H
#define CROFT_TSDB_WAL_SEGMENT_H

#include "base/codec.h"
#include "base/disk.h"

enum { SEGMENT_HEADER_BYTES = 48 };

/* Numbers go up within a run, across epochs; a new run begins at 1 in a new epoch. So (epoch,
   number) is the order of writing. */
struct segment_id {
    uint32_t epoch; /* at least 1; 0 for no segment */
    uint32_t number;
};

int segment_id_compare(struct segment_id a, struct segment_id b);
/* False when `name` is not the name of a segment. */
bool segment_id_parse(struct str name, struct segment_id *out);
/* DISK_NAME_MAX bytes. */
void segment_name(char *name, struct segment_id id);
/* `path` has DISK_PATH_MAX bytes. */
void segment_path(char *path, const char *folder, struct segment_id id);

struct segment_header {
    uint32_t shard;
    struct segment_id id;
    struct segment_id previous; /* the last one that holds anything durable; epoch 0 for none */
    uint64_t previous_bytes;    /* of it that are durable */
};

void segment_header_encode(struct buffer *out, const struct segment_header *header);

enum segment_header_state {
    SEGMENT_HEADER_GOOD,
    SEGMENT_HEADER_DAMAGED, /* torn, changed, or of another file */
    SEGMENT_HEADER_UNKNOWN, /* good, but of another version */
};
/* `bytes` is the beginning of the segment `id` of `shard`. */
enum segment_header_state segment_header_decode(struct bytes bytes, uint32_t shard,
                                                struct segment_id id, struct segment_header *out);

/* Open for appending while `file` is not NULL. */
struct wal_segment {
    struct file *file;
    struct segment_id id;
    uint64_t size_bytes;
    uint64_t durable_bytes; /* survive a power cut, name included */
    uint64_t
        zeroed_bytes; /* the file is as long, or could not be made so: zeros from size_bytes on */
};

/* Makes the file and writes its header; nothing is durable before segment_sync. On failure there is
   a file if it is open, to be closed and deleted. */
MUST_USE enum status segment_create(struct wal_segment *segment, struct disk *disk,
                                    const char *folder, const struct segment_header *header,
                                    struct error *err);
MUST_USE enum status segment_append(struct wal_segment *segment, struct bytes data,
                                    struct error *err);
/* The bytes, and the first time the name. After a failure of this or of segment_append the segment
   may only be closed. */
MUST_USE enum status segment_sync(struct wal_segment *segment, struct disk *disk,
                                  const char *folder, struct error *err);
void segment_close(struct wal_segment *segment);

#endif
