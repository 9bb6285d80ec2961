/*
 * whole_file: a small file that is read as a whole, and replaced as a whole: after a power cut at
 * any moment it is the old one or the new one.
 *
 * Threads: one replacement of a path at a time.
 */
#ifndef CROFT_BASE_WHOLE_FILE_H
#define CROFT_BASE_WHOLE_FILE_H

#include "base/buffer.h"
#include "base/disk.h"

/* While it is written, the new file is called `path` with this at its end; one left behind by a
   power cut is replaced by the next. */
#define WHOLE_FILE_ASIDE ".tmp"

/* Appends to `out`. STATUS_NOT_FOUND: there is none; STATUS_CORRUPT: larger than `out` may get. */
MUST_USE enum status whole_file_read(struct disk *disk, const char *path, struct buffer *out,
                                     struct error *err);
/* Written aside, synced, renamed; `folder` is where `path` is, "" for the root. When it fails the
   old file is still there, unless the last sync failed: then either is. */
MUST_USE enum status whole_file_replace(struct disk *disk, const char *folder, const char *path,
                                        struct bytes data, struct error *err);

#endif
