/*
 * deletions_file: the bytes of the file that says what was deleted in a shard: the list, twice.
 *
 * Format: docs/format/deletions.md.
 */
#ifndef CROFT_TSDB_DELETIONS_FILE_H
#define CROFT_TSDB_DELETIONS_FILE_H

#include "base/disk.h"
#include "tsdb/store/deletions.h"

enum { DELETIONS_FILE_BYTES_MAX = 64 << 20 };

/* `out` is overflown when it does not fit. */
void deletions_encode(struct buffer *out, const struct deletions *list, uint32_t shard);
/* The caller owns one reference. STATUS_CORRUPT: both copies in `data` are damaged. */
MUST_USE enum status deletions_decode(struct bytes data, uint32_t shard, struct deletions **out,
                                      struct error *err);

/* Reads the file of a shard. STATUS_NOT_FOUND: nothing is deleted. `*is_whole` false: only one of
   its two copies could be read, or there is more in it. */
MUST_USE enum status deletions_load(struct disk *disk, uint32_t shard, struct deletions **out,
                                    bool *is_whole, struct error *err);

#endif
