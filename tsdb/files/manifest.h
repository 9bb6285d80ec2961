/*
 * manifest: the file that says which blocks a shard has, and whether it has a file of deletions.
 *
 * Only to notice that one is gone: nothing that is there depends on it, and it may name
 * less than there is.
 *
 * Ownership: the caller owns the struct; it owns the list.
 * Format:    docs/format/manifest.md.
 */
#ifndef CROFT_TSDB_MANIFEST_H
#define CROFT_TSDB_MANIFEST_H

#include "base/buffer.h"
#include "base/disk.h"

enum { MANIFEST_BLOCKS_MAX = 1 << 20 };

struct manifest_block {
    uint64_t sequence;
    int64_t min_ts_ms; /* both inclusive */
    int64_t max_ts_ms;
    uint64_t sample_count;
};

struct manifest {
    struct manifest_block *blocks; /* base/mem; by increasing sequence, each once */
    size_t count;
    size_t capacity;
    bool has_deletions;
};

void manifest_init(struct manifest *manifest);
void manifest_deinit(struct manifest *manifest);
bool manifest_has(const struct manifest *manifest, uint64_t sequence);
/* One that it has already stays as it is. */
void manifest_add(struct manifest *manifest, const struct manifest_block *block);
/* Does nothing when it has none of that sequence. */
void manifest_remove(struct manifest *manifest, uint64_t sequence);

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
