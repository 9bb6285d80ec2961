/*
 * shard_files: which files a shard has on the disk, by name.
 *
 * Ownership: the caller owns the struct; it owns the lists.
 */
#ifndef CROFT_TSDB_SHARD_FILES_H
#define CROFT_TSDB_SHARD_FILES_H

#include "base/disk.h"

struct shard_files {
    uint32_t shard;
    bool is_missing; /* no folder, or only a part of it: the store was never opened as a whole */
    struct name_list segments; /* of the log */
    struct name_list blocks;   /* those being written included */
    struct name_list quarantine;
};

MUST_USE enum status shard_files_list(struct shard_files *files, struct disk *disk, uint32_t shard,
                                      struct error *err);
void shard_files_deinit(struct shard_files *files);
/* Whether every file of `before` is still there. */
bool shard_files_has_all(const struct shard_files *files, const struct shard_files *before);

/* `folder` is one of filenames.h or "", `name` a file in it or "". `path` has DISK_PATH_MAX bytes.
 */
void shard_file_path(char *path, uint32_t shard, const char *folder, const char *name);
/* DISK_NAME_MAX bytes. */
void block_name(char *name, uint64_t sequence);
/* The sequence in the name of a block; false when it is not the name of one. */
bool block_name_parse(struct str name, uint64_t *sequence);

#endif
