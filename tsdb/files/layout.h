/*
 * layout: the file that says what the data directory is: its format version and number of shards.
 *
 * Format: docs/format/layout.md. Written once, when the store is made; never changed.
 */
#ifndef CROFT_TSDB_LAYOUT_H
#define CROFT_TSDB_LAYOUT_H

#include "base/buffer.h"
#include "base/disk.h"

enum { LAYOUT_VERSION = 1, LAYOUT_SHARDS_MAX = 256, LAYOUT_SIZE_BYTES = 24 };

struct layout {
    uint32_t shard_count;
};

void layout_encode(struct buffer *out, const struct layout *layout);
MUST_USE enum status layout_decode(struct bytes data, struct layout *out, struct error *err);

/* STATUS_NOT_FOUND: there is none. Else as layout_open. */
MUST_USE enum status layout_read(struct disk *disk, struct layout *out, struct error *err);
/* Reads the layout, or writes `fresh` when there is none. STATUS_CORRUPT: the file is damaged or of
   a version this program does not know. */
MUST_USE enum status layout_open(struct disk *disk, const struct layout *fresh, struct layout *out,
                                 struct error *err);

#endif
