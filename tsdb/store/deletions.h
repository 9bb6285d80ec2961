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
 */
#ifndef CROFT_TSDB_DELETIONS_H
#define CROFT_TSDB_DELETIONS_H

#include "base/counter.h"
#include "tsdb/block/block.h"
#include "tsdb/store/spans.h"

/* More that wait for their blocks are refused. */
enum { DELETIONS_MAX = 10000, DELETION_MATCHERS_MAX = 100 };

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

/* Whether anything of the tenant was deleted in a block of this sequence. */
bool deletions_concern(const struct deletions *list, uint64_t sequence, struct str tenant);
/* What was deleted of a series. */
struct span_list deletions_of_series(const struct deletions *list, uint64_t sequence,
                                     struct str tenant, struct labels labels, struct arena *arena);
/* Whether the block has series of the deletion with samples in its range; also when it cannot be
   read. `scratch` is reset. */
bool deletion_touches(const struct deletion *deletion, struct block *block, struct arena *scratch);

#endif
