/*
 * verify: proves all files of a data directory: every checksum, every order, and that the files
 * agree with each other and with their names. Changes nothing.
 *
 * What is proved:
 *   layout   its checksum; every shard's folders are there, unless nothing was ever written
 *   clock    its checksum
 *   log      every frame and record of the epochs that no block covers; each sample's series is
 *            declared; labels are in order; the tenant belongs to the shard. A torn tail is normal
 *            after a crash.
 *   blocks   block_verify; number and shard are those of the name; the tenants belong to the shard
 *   names    nothing else lies in the folders of log and blocks; nothing is in quarantine
 *   manifest it is there; its checksum; every block that it names is there, or replaced;
 *            deletions likewise, in two copies
 *
 * While a server runs, files may vanish between listing and reading: such a file is left out.
 */
#ifndef CROFT_TSDB_VERIFY_H
#define CROFT_TSDB_VERIFY_H

#include "base/disk.h"

struct verify_handler {
    void *context;
    /* Once for each thing that is wrong: the file, relative to the disk, and what. */
    void (*wrong)(void *context, const char *path, const char *text);
};

struct verify_report {
    uint64_t wrong; /* how often the handler was called */
    uint32_t shards;
    uint64_t segments; /* proved */
    uint64_t log_samples;
    uint64_t torn_tail_bytes;
    uint64_t blocks; /* proved */
    uint64_t block_series;
    uint64_t block_samples;
    uint64_t unfinished; /* blocks that were being written; removed at start */
};

/* STATUS_NOT_FOUND: no layout file, so no data directory; STATUS_IO: the disk failed. What is wrong
   with the contents is told to the handler and not an error. */
MUST_USE enum status store_verify(struct disk *disk, const struct verify_handler *handler,
                                  struct verify_report *report, struct error *err);

#endif
