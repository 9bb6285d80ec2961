/*
 * timeline_cache: decoded timelines, so that a thousand series of one scrape decode theirs once.
 *
 * Whoever reads many series makes one for as long as it reads, a query or a merge. It keeps
 * TIMELINE_CACHE_BYTES_MAX at most; what does not fit throws out all the others.
 *
 * Ownership:  the caller owns the struct. A block that was read through it must stay referenced
 *             until the cache is ended: its address is the key.
 * Threads:    synchronised.
 */
#ifndef CROFT_TSDB_TIMELINE_CACHE_H
#define CROFT_TSDB_TIMELINE_CACHE_H

#include "base/thread.h"
#include "tsdb/index/ref_table.h"
#include "tsdb/block/timeline.h"

enum { TIMELINE_CACHE_BYTES_MAX = 8 << 20 };

struct block;

struct timeline_key {
    const struct block *block;
    uint32_t tenant;
    uint32_t number;
};

struct cached_timeline;

struct timeline_cache {
    struct mutex lock;
    struct ref_table table;          /* guarded by lock: hash of the key ─► position */
    struct cached_timeline *entries; /* guarded by lock */
    size_t entry_count;              /* guarded by lock */
    size_t entry_capacity;           /* guarded by lock */
    size_t bytes;                    /* guarded by lock: memory of all entries */
};

void timeline_cache_init(struct timeline_cache *cache);
void timeline_cache_deinit(struct timeline_cache *cache);

/* The timeline if it is there, decoded for whatever range it was last put in: the caller owns one
   reference. NULL when it is not. */
struct timeline *timeline_cache_get(struct timeline_cache *cache, const struct timeline_key *key);
/* Keeps a reference of its own; replaces what it had under this key. */
void timeline_cache_put(struct timeline_cache *cache, const struct timeline_key *key,
                        struct timeline *timeline);

#endif
