/*
 * disk: every byte that reaches a disk goes through here, so that tests can put a simulated one.
 *
 * Only these state changes exist: create, append, zeros ahead of appends, sync, rename, unlink,
 * make a folder, sync a folder. What survives a power cut: bytes of a file that were file_sync'ed,
 * under the name that was in its folder at the last disk_sync_dir. Nothing else is promised.
 *
 * Paths:      NUL-terminated, relative to the root of the disk, '/' between parts, never "..".
 * Ownership:  a file belongs to the caller until file_close; a disk until disk_close.
 * Threads:    a disk may be used from several threads; one file by one thread at a time, except
 *             that file_read and a mapping may be used by many.
 * Errors:     STATUS_NOT_FOUND when a path does not exist, STATUS_UNAVAILABLE when the disk is full
 *             (ENOSPC, EDQUOT, EROFS), else STATUS_IO; the text names path, call and errno.
 *             After a failed file_sync the file must not be used again but for file_close: the
 *             kernel may have dropped the pages (see docs/decisions on failed fsync); appends,
 *             zeros, reserves and syncs then give STATUS_IO.
 */
#ifndef CROFT_BASE_DISK_H
#define CROFT_BASE_DISK_H

#include "base/bytes.h"
#include "base/status.h"

struct disk;
struct file;

enum { DISK_PATH_MAX = 512, DISK_NAME_MAX = 128 };

/* The names in a folder, sorted byte-wise; without "." and "..", and without names too long for
   it. */
struct name_list {
    char (*names)[DISK_NAME_MAX];
    size_t count;
};
void name_list_deinit(struct name_list *list);
bool name_list_has(const struct name_list *list, const char *name);

/* The folder `root` on the machine's file system, made (0700) when it is missing, and locked with a
   kernel lock: a second process that opens the same root gets STATUS_UNAVAILABLE. A root that
   cannot be written to is an error, for the first write may be long after the start. */
MUST_USE enum status disk_open_real(const char *root, struct disk **out, struct error *err);
/* The same folder for reading only, without the lock: what a running server owns may be looked at.
   Names may come and go meanwhile. STATUS_NOT_FOUND when it is missing; every change is refused
   with STATUS_IO. */
MUST_USE enum status disk_open_read_only(const char *root, struct disk **out, struct error *err);
/* NULL is fine. */
void disk_close(struct disk *disk);

/* A new empty file for appending; STATUS_IO when the path exists. */
MUST_USE enum status disk_create(struct disk *disk, const char *path, struct file **out,
                                 struct error *err);
/* An existing file for reading; STATUS_IO for what is none, such as a folder or a pipe. */
MUST_USE enum status disk_open(struct disk *disk, const char *path, struct file **out,
                               struct error *err);
/* A file at `to` is replaced. A folder may be renamed too. */
MUST_USE enum status disk_rename(struct disk *disk, const char *from, const char *to,
                                 struct error *err);
/* A file or an empty folder; STATUS_IO for a folder that holds something. */
MUST_USE enum status disk_unlink(struct disk *disk, const char *path, struct error *err);
/* Fine when it exists already and can be written to. Parents must exist. */
MUST_USE enum status disk_make_dir(struct disk *disk, const char *path, struct error *err);
/* Makes creations, renames and unlinks in the folder durable; "" is the root. After a rename from
   one folder to another both need it. */
MUST_USE enum status disk_sync_dir(struct disk *disk, const char *path, struct error *err);
MUST_USE enum status disk_list(struct disk *disk, const char *path, struct name_list *out,
                               struct error *err);
/* Of the whole file system, whoever uses it. */
MUST_USE enum status disk_capacity_bytes(struct disk *disk, uint64_t *out, struct error *err);
/* Bytes that an unprivileged writer may still use. */
MUST_USE enum status disk_free_bytes(struct disk *disk, uint64_t *out, struct error *err);

/* To a file from disk_create only: all of `data`, behind what was appended before, or an error; a
   failed append may have left a part of it there. */
MUST_USE enum status file_append(struct file *file, struct bytes data, struct error *err);
/* Makes the file `size_bytes` long, by zeros whose place later appends take: once they are durable,
   a sync of what took their place writes data alone, and nothing that the file system notes. Fine
   when the file is as long. A failure may have left a part of the zeros. */
MUST_USE enum status file_zero_ahead(struct file *file, uint64_t size_bytes, struct error *err);
/* Reserves space up to `size_bytes` without changing the size of the file; nothing is reserved, and
   that is fine, where the file system cannot. */
MUST_USE enum status file_reserve(struct file *file, uint64_t size_bytes, struct error *err);
/* fdatasync: the bytes and the size survive a power cut; the name needs disk_sync_dir. */
MUST_USE enum status file_sync(struct file *file, struct error *err);
/* Reads up to `len` bytes at `offset`; `*got` is less than `len` only at the end of the file. */
MUST_USE enum status file_read(struct file *file, uint64_t offset, void *ptr, size_t len,
                               size_t *got, struct error *err);
MUST_USE enum status file_size(struct file *file, uint64_t *out, struct error *err);
/* The whole file, read-only, as it is now; valid until file_close. An empty file maps to {NULL, 0}.
   A mapped file holds no descriptor: nothing may be called for it any more but file_fault_count and
   file_close. */
MUST_USE enum status file_map(struct file *file, struct bytes *out, struct error *err);
/* How often a reader of the mapping met bytes that are gone: the file became shorter, or its disk
   cannot read them. They are zeros from then on. Bytes read between two equal counts were those of
   the file. */
uint64_t file_fault_count(const struct file *file);
/* NULL is fine. */
void file_close(struct file *file);

#endif
