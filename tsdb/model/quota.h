/*
 * quota: so many in an hour, where an hour begins with the first of them.
 *
 * Exact: no more than `max` are taken from the begin of an hour to its end. Simpler than a bucket
 * that fills steadily (rate.h), which would let twice as many pass in its first hour.
 *
 * Threads: not synchronised. A zeroed quota has taken nothing.
 */
#ifndef CROFT_TSDB_QUOTA_H
#define CROFT_TSDB_QUOTA_H

#include <stdint.h>

struct quota {
    uint64_t taken;
    int64_t begin_ms; /* of the hour of `taken`; of a clock that is never set back */
};

/* What was taken in the hour that `now_ms` belongs to. */
uint64_t quota_taken(const struct quota *quota, int64_t now_ms);
void quota_take(struct quota *quota, int64_t now_ms);

#endif
