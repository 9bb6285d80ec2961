/*
 * postings: a set of series positions that share one label pair; CRoaring behind a few verbs.
 *
 * Most label pairs belong to a handful of series, so one position stands in the struct itself, a
 * small set is a plain sorted array, and only a larger one becomes a bitmap.
 *
 * Ownership:  the caller owns the struct; it owns its memory.
 * Threads:    not synchronised.
 * Format:     docs/format/postings.md.
 */
#ifndef CROFT_TSDB_POSTINGS_H
#define CROFT_TSDB_POSTINGS_H

#include "base/codec.h"
#include "base/status.h"

/* `count` of a set that is held as a bitmap. */
#define POSTINGS_IS_BITMAP UINT32_MAX

struct postings {
    uint32_t count; /* of the small form; POSTINGS_IS_BITMAP when `bitmap` is in use */
    union {
        uint32_t capacity;     /* of `small`; 0 with `one` */
        uint32_t bitmap_bytes; /* as they were counted last */
    };
    union {
        uint32_t one;    /* capacity 0 and count 1 */
        uint32_t *small; /* strictly increasing */
        void *bitmap;    /* roaring_bitmap_t */
    };
};

void postings_init(struct postings *p);
void postings_deinit(struct postings *p);
/* Adding what is there, or removing what is not, changes nothing. */
void postings_add(struct postings *p, uint32_t position);
void postings_remove(struct postings *p, uint32_t position);
bool postings_contains(const struct postings *p, uint32_t position);
bool postings_is_empty(const struct postings *p);
size_t postings_count(const struct postings *p);
/* `to` is inited here. */
void postings_clone(struct postings *to, const struct postings *from);
/* to = to AND/OR/AND NOT other; `other` is another set than `to`. */
void postings_intersect(struct postings *to, const struct postings *other);
void postings_unite(struct postings *to, const struct postings *other);
void postings_subtract(struct postings *to, const struct postings *other);
/* Writes all positions in increasing order; `out` has room for postings_count. */
void postings_to_array(const struct postings *p, uint32_t *out);
/* Outside the struct; about right for bitmaps, of which it is counted now and then. */
size_t postings_memory_bytes(const struct postings *p);

/* Adds first..last, both included. */
void postings_add_range(struct postings *p, uint32_t first, uint32_t last);

/* Appends the on-disk form of the set of `positions`, which increase. */
void postings_encode(struct buffer *out, const uint32_t *positions, size_t count);
/* Replaces the content of `p`, which is inited. STATUS_CORRUPT, and `p` is empty, for bytes that
   are no runs and for positions greater than `position_max`. Memory stays in proportion to `data`.
 */
MUST_USE enum status postings_decode(struct postings *p, struct bytes data, uint32_t position_max,
                                     struct error *err);

#endif
