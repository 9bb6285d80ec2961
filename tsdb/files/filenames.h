/*
 * filenames: the name of every file and folder below the data directory.
 *
 *     croft.layout            version and number of shards; docs/format/layout.md
 *     croft.clock             how late it was last; docs/format/clock.md
 *     croft.limits            limits set at run time; docs/format/limits.md
 *     croft.reserve           no content, but space for deletions, while the disk is nearly full
 *     shard-0003/
 *         wal/0000000012-000001.log      epoch, segment
 *         blocks/0000000007.block        sequence
 *         blocks/0000000008.block.tmp    being written, removed at start
 *         deletions                      what was deleted and is in blocks yet
 *         manifest                       which of all these there should be
 *         quarantine/                    files that could not be read; the log says why
 *
 * Format:  a page in docs/format for each kind of file.
 */
#ifndef CROFT_TSDB_FILENAMES_H
#define CROFT_TSDB_FILENAMES_H

#define LAYOUT_FILE         "croft.layout"
#define CLOCK_FILE          "croft.clock"
#define LIMITS_FILE         "croft.limits"
#define RESERVE_FILE        "croft.reserve"
#define SHARD_FOLDER_PREFIX "shard-"
#define SHARD_FOLDER_FORMAT SHARD_FOLDER_PREFIX "%04u"
#define WAL_FOLDER          "wal"
#define BLOCKS_FOLDER       "blocks"
#define QUARANTINE_FOLDER   "quarantine"
#define DELETIONS_FILE      "deletions"
#define MANIFEST_FILE       "manifest"
#define WAL_FILE_FORMAT     "%010u-%06u.log"
#define BLOCK_FILE_FORMAT   "%010llu.block"
#define BLOCK_FILE_SUFFIX   ".block"
#define TMP_SUFFIX          ".tmp"
#define DAMAGED_SUFFIX      ".damaged"

#endif
