/*
 * wal_files: which segments of a log are on the disk, and how large they are.
 *
 * Ownership:  the caller owns the struct; it owns its memory.
 * Invariant:  sorted by id.
 * Threads:    synchronised.
 */
#ifndef CROFT_TSDB_WAL_FILES_H
#define CROFT_TSDB_WAL_FILES_H

#include "base/thread.h"
#include "tsdb/wal/wal_segment.h"

struct wal_file {
    struct segment_id id;
    uint64_t size_bytes;
};

struct wal_files {
    struct mutex lock;
    struct wal_file *ptr; /* guarded by lock */
    size_t count;         /* guarded by lock */
    size_t capacity;      /* guarded by lock */
};

void wal_files_init(struct wal_files *files);
void wal_files_deinit(struct wal_files *files);

/* Adds every segment that is in `folder`, and makes it durable as it is. */
MUST_USE enum status wal_files_scan(struct wal_files *files, struct disk *disk, const char *folder,
                                    struct error *err);
/* Adds the segment, or changes its size. */
void wal_files_set(struct wal_files *files, struct segment_id id, uint64_t size_bytes);
void wal_files_remove(struct wal_files *files, struct segment_id id);
uint64_t wal_files_size_bytes(struct wal_files *files);
/* The first segment, whose epoch is <= `epoch`; false when there is none. */
bool wal_files_first(struct wal_files *files, uint32_t epoch, struct segment_id *out);
/* 0 when there is no segment. */
uint32_t wal_files_last_epoch(struct wal_files *files);

#endif
