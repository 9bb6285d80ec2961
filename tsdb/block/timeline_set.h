/*
 * timeline_set: the distinct timelines of one tenant while its section of a block is written.
 *
 * Found by hash, then compared timestamp by timestamp. What it keeps for that is the encoded form,
 * of TIMELINE_SET_BYTES_MAX at most: a tenant whose series share nothing makes it forget, and then
 * a timeline may be written a second time. Series of a few targets alternate when they stand in the
 * order of their labels, so some of the last ones are kept decoded as well.
 *
 * Ownership:  the caller owns the struct; the set owns what it keeps.
 * Threads:    not synchronised.
 */
#ifndef CROFT_TSDB_TIMELINE_SET_H
#define CROFT_TSDB_TIMELINE_SET_H

#include "base/buffer.h"
#include "tsdb/index/ref_table.h"

enum {
    TIMELINE_SET_BYTES_MAX = 16 << 20,
    TIMELINE_SET_RECENT = 16,           /* decoded */
    TIMELINE_SET_RECENT_COUNT = 8 << 10 /* timestamps of each, at most: more than a day at 15 s */
};

struct kept_timeline;
struct timeline;

struct timeline_set {
    struct ref_table table; /* hash of the timestamps ─► position in `kept` */
    struct kept_timeline *kept;
    size_t kept_count;
    size_t kept_capacity;
    struct buffer bytes;                          /* of those kept, one behind the other */
    struct timeline *recent[TIMELINE_SET_RECENT]; /* by position in `kept` modulo their number */
    size_t recent_refs[TIMELINE_SET_RECENT];      /* whose they are */
};

void timeline_set_init(struct timeline_set *set);
void timeline_set_deinit(struct timeline_set *set);
/* Empty, capacity kept. */
void timeline_set_reset(struct timeline_set *set);

/* False when the timeline is not known (any more). */
bool timeline_set_find(struct timeline_set *set, const int64_t *ts_ms, size_t count,
                       uint32_t *number);
/* Keeps a timeline, by its timestamps and its encoding, under a number of the caller's. */
void timeline_set_add(struct timeline_set *set, const int64_t *ts_ms, size_t count,
                      struct bytes encoded, uint32_t number);

#endif
