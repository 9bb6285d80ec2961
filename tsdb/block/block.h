/*
 * block: an immutable file of one shard and one time range, holding many tenants in sections.
 *
 * Written aside, synced, renamed, folder synced; read through a mapping. Every section is under a
 * CRC32C that is checked before its bytes are believed: the index of a tenant when it is first
 * used, timeline and values of a series when they are read.
 *
 * Format:  docs/format/block.md.
 * Threads: a writer belongs to one thread; a block may be read by many.
 */
#ifndef CROFT_TSDB_BLOCK_H
#define CROFT_TSDB_BLOCK_H

#include "base/arena.h"
#include "base/disk.h"
#include "tsdb/model/label.h"
#include "tsdb/model/matcher.h"
#include "tsdb/model/sample.h"
#include "tsdb/model/tenant_id.h"
#include "tsdb/block/timeline_cache.h"

struct block_meta {
    uint32_t shard;
    uint64_t sequence;      /* unique within the shard */
    uint64_t rank;          /* of blocks that overlap, the one of lower rank was written first and
                               wins; at level 0 the sequence, of a merged block its inputs' least */
    int64_t min_ts_ms;      /* inclusive */
    int64_t max_ts_ms;      /* inclusive */
    uint32_t level;         /* 0: flushed from the head; n + 1: merged from level n */
    uint32_t covered_epoch; /* all log epochs <= this are contained in this and older blocks */
    uint64_t series_count;
    uint64_t sample_count;
};

/* How many blocks one block may replace. */
enum { BLOCK_REPLACED_MAX = 64 };

/* After a failed call only block_writer_abort may follow, except that block_writer_finish ends the
   writer by itself. */
struct block_writer;

/* Begins `folder`/`name`.tmp. `meta` gives shard, sequence, level, covered_epoch and, above level
   0, rank; the rest is counted. */
MUST_USE enum status block_writer_open(struct disk *disk, const char *folder,
                                       const struct block_meta *meta, struct block_writer **out,
                                       struct error *err);
/* Tenants in increasing order of id, once each. */
MUST_USE enum status block_writer_tenant(struct block_writer *writer, const struct tenant_id *id,
                                         struct error *err);
/* Series of the current tenant in increasing order of labels, once each; at least one sample. */
MUST_USE enum status block_writer_series(struct block_writer *writer, struct labels labels,
                                         const struct columns *samples, struct error *err);
/* Says that everything that the block of this sequence held is in this one, or has expired: the
   other's file is a leftover, to be deleted. In increasing order, at most BLOCK_REPLACED_MAX. */
void block_writer_replaces(struct block_writer *writer, uint64_t sequence);
uint64_t block_writer_sequence(const struct block_writer *writer);
/* What the index of the tenant under way takes, and as much again while it is written; after
   block_writer_tenant. */
size_t block_writer_memory_bytes(const struct block_writer *writer);
/* Makes the block durable under its final name, which is written to `path` (DISK_PATH_MAX bytes,
   relative to the disk), and ends the writer, also on failure: then no file is left, if the disk
   lets it. */
MUST_USE enum status block_writer_finish(struct block_writer *writer, char *path,
                                         struct error *err);
/* Removes the unfinished file and ends the writer. NULL is fine. */
void block_writer_abort(struct block_writer *writer);

struct block;

/* Maps the file and checks header and footer. The caller owns one reference. */
MUST_USE enum status block_open(struct disk *disk, const char *path, struct block **out,
                                struct error *err);
void block_acquire(struct block *block);
/* The last release unmaps. NULL is fine. */
void block_release(struct block *block);
const struct block_meta *block_meta(const struct block *block);
const char *block_path(const struct block *block);
uint64_t block_size_bytes(const struct block *block);
bool block_replaces(const struct block *block, uint64_t sequence);

/* Notes that something of the block could not be read. True for the first who says so. */
bool block_note_damage(struct block *block);
bool block_is_damaged(const struct block *block);
/* What of a block cannot be read; the directory says what there should be. Reads all of it. */
struct block_loss {
    uint64_t series;
    uint64_t samples;
};
void block_measure_loss(struct block *block, struct block_loss *out);

/* Proves the directory once more: bytes that were right when the block was opened may have changed
   since. STATUS_CORRUPT otherwise. */
MUST_USE enum status block_check_directory(const struct block *block, struct error *err);
/* The same where bytes of the file are gone since the last proof, else STATUS_OK at once. */
MUST_USE enum status block_confirm_directory(struct block *block, struct error *err);
size_t block_tenant_count(const struct block *block);
/* The id, pointing into the mapping (valid while the caller holds a reference); tenants are
   sorted. Believe it when block_confirm_directory says so afterwards. */
struct str block_tenant(const struct block *block, size_t tenant);
/* STATUS_NOT_FOUND when the block holds nothing of that tenant. */
MUST_USE enum status block_find_tenant(struct block *block, struct str id, size_t *tenant,
                                       struct error *err);

/* Positions of series of one tenant, in increasing order, which is label order. */
struct series_list {
    uint32_t *ptr; /* in the arena */
    size_t count;
};

/* The series of a tenant that match. Here and below STATUS_CORRUPT is about this tenant, or this
   series, only: the others can still be read; STATUS_LIMIT when the arena has no room. */
MUST_USE enum status block_select(struct block *block, size_t tenant, struct matchers matchers,
                                  struct arena *arena, struct series_list *out, struct error *err);
size_t block_series_count(const struct block *block, size_t tenant);
/* The position of the series with exactly these labels; `*series` says where it may be, any number
   will do. STATUS_NOT_FOUND: there is none. `scratch` is reset. */
MUST_USE enum status block_find_series(struct block *block, size_t tenant, struct labels labels,
                                       struct arena *scratch, uint32_t *series, struct error *err);
/* Array and text are in `arena`. */
MUST_USE enum status block_labels(struct block *block, size_t tenant, uint32_t series,
                                  struct arena *arena, struct labels *out, struct error *err);
/* Of the samples of a series, inclusive; the index knows. */
MUST_USE enum status block_time_range(struct block *block, size_t tenant, uint32_t series,
                                      int64_t *min_ts_ms, int64_t *max_ts_ms, struct error *err);
/* Which samples to read. */
struct block_range {
    int64_t min_ts_ms;                /* inclusive */
    int64_t max_ts_ms;                /* inclusive */
    struct timeline_cache *timelines; /* for who reads many series; may be NULL */
};
extern const struct block_range block_all_time; /* without a cache */
/* Appends the samples of the range (columns_merge rules). */
MUST_USE enum status block_read(struct block *block, size_t tenant, uint32_t series,
                                const struct block_range *range, struct columns *out,
                                struct error *err);
/* Sorted. Array and text are in `arena`. */
MUST_USE enum status block_label_names(struct block *block, size_t tenant, struct arena *arena,
                                       struct str_list *out, struct error *err);
MUST_USE enum status block_label_values(struct block *block, size_t tenant, struct str name,
                                        struct arena *arena, struct str_list *out,
                                        struct error *err);
/* The same of these series alone. */
MUST_USE enum status block_label_names_of(struct block *block, size_t tenant,
                                          struct series_list series, struct arena *arena,
                                          struct str_list *out, struct error *err);
MUST_USE enum status block_label_values_of(struct block *block, size_t tenant,
                                           struct series_list series, struct str name,
                                           struct arena *arena, struct str_list *out,
                                           struct error *err);
/* Where the parts of a tenant are in the file. */
struct block_section {
    uint64_t runs_offset;
    uint64_t index_offset; /* the end of the runs */
    uint64_t index_len;
    uint64_t series_count;
    uint64_t sample_count;
    int64_t min_ts_ms;
    int64_t max_ts_ms;
};
/* Empty, and of all times of the block, where the directory is gone. */
struct block_section block_tenant_section(struct block *block, size_t tenant);
/* The tenant's index, good for reading while the caller holds a reference; for who only shows it:
   bytes that are gone meanwhile go unnoticed. */
struct block_index;
MUST_USE enum status block_tenant_index(struct block *block, size_t tenant,
                                        const struct block_index **out, struct error *err);
/* Adds what the run of a series is made of. */
struct run_sizes;
MUST_USE enum status block_series_measure(struct block *block, size_t tenant, uint32_t series,
                                          struct timeline_cache *timelines, struct run_sizes *sizes,
                                          struct error *err);
/* Adds what all timelines of a tenant are made of. */
struct timeline_sizes;
MUST_USE enum status block_timelines_measure(struct block *block, size_t tenant,
                                             struct timeline_sizes *sizes, struct error *err);
/* Proves every checksum and invariant; for tests, inspection and after recovery. */
MUST_USE enum status block_verify(struct block *block, struct error *err);

#endif
