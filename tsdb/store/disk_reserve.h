/*
 * disk_reserve: space of the disk that nobody else can take, given up when a deletion finds it
 * full.
 *
 * A file without content that holds its space; it stays when the process ends, so that a start on a
 * full disk has it. While the disk has 64 times as much there is none: it would only be counted to
 * what the samples take. Where the file system cannot reserve, it holds nothing.
 *
 * Threads:  synchronised.
 */
#ifndef CROFT_TSDB_DISK_RESERVE_H
#define CROFT_TSDB_DISK_RESERVE_H

#include "base/disk.h"
#include "base/thread.h"

struct disk_reserve {
    struct disk *disk;
    uint64_t size_bytes; /* 0 for none */
    struct mutex lock;
    bool is_held;     /* guarded by lock */
    bool is_adjusted; /* guarded by lock; what an earlier process held is gone or taken over */
};

/* `disk` is kept. */
void disk_reserve_init(struct disk_reserve *reserve, struct disk *disk, uint64_t size_bytes);
void disk_reserve_deinit(struct disk_reserve *reserve);
/* Holds the space where the disk, with `free_bytes` free, is not roomy, and only there.
   STATUS_UNAVAILABLE: the disk has not as much. */
MUST_USE enum status disk_reserve_adjust(struct disk_reserve *reserve, uint64_t free_bytes,
                                         struct error *err);
/* Gives the space back to the disk. False when there was none to give. */
bool disk_reserve_release(struct disk_reserve *reserve);
uint64_t disk_reserve_held_bytes(struct disk_reserve *reserve);

#endif
