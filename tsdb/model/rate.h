/*
 * rate: so many a second, and some at once: a bucket that fills steadily and is emptied by taking.
 *
 * Exact: over any time t no more than burst + per_second * t are taken. What is more than the burst
 * by itself would never be: it is taken out of a full bucket, and the bucket is filled from below
 * zero, so that no more than it + per_second * t are taken, and its sender does not repeat it for
 * ever.
 * Threads: not synchronised. A zeroed rate is a full bucket.
 */
#ifndef CROFT_TSDB_RATE_H
#define CROFT_TSDB_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
    bool is_begun;
    double available;
    uint64_t last_ns; /* monotonic; when `available` was right */
};

struct rate_limit {
    uint64_t per_second;
    uint64_t burst;
};

/* Whether rate_take would take; takes nothing. */
bool rate_allows(const struct rate *rate, const struct rate_limit *limit, uint64_t now_ns,
                 uint64_t count, int64_t *wait_ms);
/* Takes all of `count` or nothing; false for nothing, and `wait_ms` says when to ask again. */
bool rate_take(struct rate *rate, const struct rate_limit *limit, uint64_t now_ns, uint64_t count,
               int64_t *wait_ms);

#endif
