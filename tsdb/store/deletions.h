/*
 * deletions: what was deleted and may still be in blocks of a shard.
 *
 * A deletion names a tenant, matchers and a range of time, and counts for the blocks whose sequence
 * is at most its own: those that were there. Readers leave out what it names, and so do merges,
 * whose blocks have a greater sequence. When no block holds anything of it any more it has done its
 * work and is forgotten.
 *
 * Ownership: a list does not change once it is shared; it is replaced by another. References are
 *            counted.
 * Threads:   a shared list may be read by many.
 * Format:    docs/format/deletions.md.
 */
#ifndef CROFT_TSDB_DELETIONS_H
#define CROFT_TSDB_DELETIONS_H

#include "base/counter.h"
#include "tsdb/block/block.h"

/* More that wait for their blocks are refused. */
enum { DELETIONS_MAX = 10000, DELETION_MATCHERS_MAX = 100, DELETIONS_FILE_BYTES_MAX = 64 << 20 };

struct deletion {
    struct tenant_id tenant;
    uint64_t last_sequence;         /* of the blocks that it is about */
    int64_t min_ts_ms;              /* inclusive */
    int64_t max_ts_ms;              /* inclusive */
    const struct matcher *matchers; /* all must match; none means every series */
    size_t matcher_count;
    int64_t since_ms; /* monotonic, when it came; 0 after a start. Not on disk */
};

struct deletions {
    struct refcount references;
    struct arena arena;
    struct deletion *ptr; /* base/mem; by tenant */
    size_t count;
    size_t capacity;
};

/* An empty list with one reference, the caller's. */
struct deletions *deletions_new(void);
void deletions_acquire(struct deletions *list);
/* NULL is fine. */
void deletions_release(struct deletions *list);
/* To a list that nobody else has yet. Copies; compiles the matchers anew.
   STATUS_LIMIT: too many. */
MUST_USE enum status deletions_add(struct deletions *list, const struct deletion *deletion,
                                   struct error *err);

/* `out` is overflown when it does not fit. */
void deletions_encode(struct buffer *out, const struct deletions *list, uint32_t shard);
/* The caller owns one reference. STATUS_CORRUPT: both copies in `data` are damaged. */
MUST_USE enum status deletions_decode(struct bytes data, uint32_t shard, struct deletions **out,
                                      struct error *err);

/* Reads the file of a shard. STATUS_NOT_FOUND: nothing is deleted. `*is_whole` false: only one of
   its two copies could be read, or there is more in it. */
MUST_USE enum status deletions_load(struct disk *disk, uint32_t shard, struct deletions **out,
                                    bool *is_whole, struct error *err);

/* A range of time, both ends inclusive. */
struct span {
    int64_t min_ts_ms;
    int64_t max_ts_ms;
};
struct span_list {
    const struct span *ptr; /* in an arena; increasing, apart from each other */
    size_t count;
};

/* Whether anything of the tenant was deleted in a block of this sequence. */
bool deletions_concern(const struct deletions *list, uint64_t sequence, struct str tenant);
/* What was deleted of a series. */
struct span_list deletions_of_series(const struct deletions *list, uint64_t sequence,
                                     struct str tenant, struct labels labels, struct arena *arena);
bool spans_cover(struct span_list spans, int64_t min_ts_ms, int64_t max_ts_ms);
/* block_read without what was deleted. */
MUST_USE enum status deletions_read(struct span_list deleted, struct block *block, size_t tenant,
                                    uint32_t series, const struct block_range *range,
                                    struct columns *out, struct error *err);
/* Whether deletions leave nothing of a series within the range, which may begin where retention
   does. Its samples are read only when the last one there is deleted, and the first one is or
   cannot be told; false when they cannot be. */
bool deletions_empty(struct span_list deleted, struct block *block, size_t tenant, uint32_t series,
                     const struct block_range *range);
/* Whether the block has series of the deletion with samples in its range; also when it cannot be
   read. `scratch` is reset. */
bool deletion_touches(const struct deletion *deletion, struct block *block, struct arena *scratch);

#endif
