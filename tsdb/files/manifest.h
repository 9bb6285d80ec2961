/*
 * manifest: the file that says which blocks a shard has, which segments its log has and how much of
 * them is durable at least, and whether it has a file of deletions.
 *
 * Only to notice that something is gone: nothing that is there depends on it, and it may name
 * less than there is.
 *
 * Ownership: the caller owns the struct; it owns the lists.
 * Format:    docs/format/manifest.md.
 */
#ifndef CROFT_TSDB_MANIFEST_H
#define CROFT_TSDB_MANIFEST_H

#include "base/buffer.h"
#include "base/disk.h"

enum { MANIFEST_BLOCKS_MAX = 1 << 20, MANIFEST_SEGMENTS_MAX = 1 << 16 };

struct manifest_block {
    uint64_t sequence;
    int64_t min_ts_ms; /* both inclusive */
    int64_t max_ts_ms;
    uint64_t sample_count;
};

/* Of the log: tsdb/wal/wal_segment.h. */
struct manifest_segment {
    uint32_t epoch;
    uint32_t number;
    uint64_t durable_bytes; /* as many as were when it was noted last */
};

struct manifest {
    struct manifest_block *blocks; /* base/mem; by increasing sequence, each once */
    size_t count;
    size_t capacity;
    struct manifest_segment *segments; /* base/mem; as they were noted: by (epoch, number) */
    size_t segment_count;
    size_t segment_capacity;
    bool has_deletions;
};

void manifest_init(struct manifest *manifest);
void manifest_deinit(struct manifest *manifest);
bool manifest_has(const struct manifest *manifest, uint64_t sequence);
/* One that it has already stays as it is. */
void manifest_add(struct manifest *manifest, const struct manifest_block *block);
/* Does nothing when it has none of that sequence. */
void manifest_remove(struct manifest *manifest, uint64_t sequence);

/* A new one, behind all others, or the last one once more. What is beyond MANIFEST_SEGMENTS_MAX is
   left out. */
void manifest_note_segment(struct manifest *manifest, struct manifest_segment segment);
/* More of it is durable, if it has such a segment; whether that is news. */
bool manifest_raise_durable(struct manifest *manifest, struct manifest_segment segment);
/* 0 when it has no such segment. */
uint64_t manifest_durable_bytes(const struct manifest *manifest, uint32_t epoch, uint32_t number);
/* Of all epochs <= `epoch`. */
void manifest_forget_segments(struct manifest *manifest, uint32_t epoch);

void manifest_encode(struct buffer *out, const struct manifest *manifest, uint32_t shard);
/* To an empty one. STATUS_CORRUPT: damaged; STATUS_INVALID: of a version this program does not
   know. It is empty then. */
MUST_USE enum status manifest_decode(struct bytes data, uint32_t shard, struct manifest *out,
                                     struct error *err);

/* The same from the file. STATUS_NOT_FOUND: there is none. */
MUST_USE enum status manifest_read(struct disk *disk, uint32_t shard, struct manifest *out,
                                   struct error *err);
/* Replaces the file as a whole. */
MUST_USE enum status manifest_write(struct disk *disk, uint32_t shard,
                                    const struct manifest *manifest, struct error *err);

#endif
