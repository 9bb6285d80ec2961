/*
 * layout: the file that says what the data directory is: its format version, its number of shards,
 * and whether all of them have a manifest yet.
 *
 * Format: docs/format/layout.md. Written when the store is made and once more, when the manifests
 * are there. Where it is damaged or gone, the folders of the shards say the same: all of them are
 * there before the first write is taken.
 */
#ifndef CROFT_TSDB_LAYOUT_H
#define CROFT_TSDB_LAYOUT_H

#include "base/buffer.h"
#include "base/disk.h"

enum { LAYOUT_VERSION = 1, LAYOUT_SHARDS_MAX = 256, LAYOUT_SIZE_BYTES = 24 };

struct layout {
    uint32_t shard_count;
    bool has_manifests; /* every shard does, durably: one that is gone was taken away */
};

void layout_encode(struct buffer *out, const struct layout *layout);
/* STATUS_CORRUPT: damaged; STATUS_INVALID: of a version this program does not know. */
MUST_USE enum status layout_decode(struct bytes data, struct layout *out, struct error *err);

/* STATUS_NOT_FOUND: there is none. Else as layout_decode. */
MUST_USE enum status layout_read(struct disk *disk, struct layout *out, struct error *err);
/* The same, or what the folders say. */
MUST_USE enum status layout_find(struct disk *disk, struct layout *out, struct error *err);
/* The same, and writes it where the folders had to say it; writes `fresh` where nothing is. A
   damaged file is kept beside it. STATUS_CORRUPT: it is damaged, and the folders do not tell; the
   text says what to do. */
MUST_USE enum status layout_open(struct disk *disk, const struct layout *fresh, struct layout *out,
                                 struct error *err);
/* Replaces the file as a whole. */
MUST_USE enum status layout_write(struct disk *disk, const struct layout *layout,
                                  struct error *err);

#endif
