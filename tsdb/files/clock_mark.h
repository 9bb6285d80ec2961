/*
 * clock_mark: the file that says how late it was when a process last knew, for the next one, which
 * may start with a clock that is wrong.
 *
 * Written by who believes its clock, never told by what somebody sends. Without it the newest
 * sample has to do.
 *
 * Format: docs/format/clock.md.
 */
#ifndef CROFT_TSDB_CLOCK_MARK_H
#define CROFT_TSDB_CLOCK_MARK_H

#include "base/buffer.h"
#include "base/disk.h"

enum { CLOCK_MARK_VERSION = 1, CLOCK_MARK_SIZE_BYTES = 24 };

void clock_mark_encode(struct buffer *out, int64_t now_ms);
/* STATUS_CORRUPT: damaged; STATUS_INVALID: of a version this program does not know. */
MUST_USE enum status clock_mark_decode(struct bytes data, int64_t *now_ms, struct error *err);

/* STATUS_NOT_FOUND: there is none. Else as clock_mark_decode. */
MUST_USE enum status clock_mark_read(struct disk *disk, int64_t *now_ms, struct error *err);
/* Replaces the file as a whole. */
MUST_USE enum status clock_mark_write(struct disk *disk, int64_t now_ms, struct error *err);

#endif
