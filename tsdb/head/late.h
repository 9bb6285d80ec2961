/*
 * late: what a series has in memory only because samples came late: the samples that were too late
 *       for its open run, and an index of its sealed chunks for those who look one up.
 *
 *     runs      ██████████████ ███████ ███     each sorted; the longest first, each at least twice
 *                                              as long as the next, but for the last
 *     chunks    oldest ─► ... ─►               the ring of the series, as far as a look-up came
 *
 * So that n samples, in whatever order they come, are moved n log n times, and a look-up among them
 * takes no longer than the logarithms of both.
 *
 * Invariant:  no timestamp is in two runs: the caller has looked.
 * Ownership:  the caller owns the struct; late owns what it points to, but not the chunks.
 * Threads:    not synchronised; late_find_chunk changes it.
 */
#ifndef CROFT_TSDB_LATE_H
#define CROFT_TSDB_LATE_H

#include "tsdb/head/chunk_pool.h"
#include "tsdb/model/sample.h"

struct late {
    struct columns *runs;
    size_t run_count;
    size_t run_capacity;
    uint32_t *chunks; /* refs, the oldest first */
    size_t chunk_count;
    size_t chunk_capacity;
    size_t found; /* where in `chunks` the last look-up ended; a guess */
};

void late_init(struct late *late);
void late_deinit(struct late *late);
void late_add(struct late *late, struct sample sample);
/* Adds the samples of `from`, which are taken. */
void late_join(struct late *late, struct late *from);
bool late_find(const struct late *late, int64_t ts_ms, double *value);
/* INT64_MIN when there are none. */
int64_t late_max_ts_ms(const struct late *late);
/* Adds the samples with min_ts_ms <= ts <= max_ts_ms to `out` (columns_merge rules). */
void late_read(const struct late *late, int64_t min_ts_ms, int64_t max_ts_ms, struct columns *out);

/* The last chunk of the ring `newest` that begins at or before `ts_ms`; NULL for none. It is the
   ring of the call before, with what was hung behind it since. */
const struct sealed_chunk *late_find_chunk(struct late *late, const struct chunk_pool *pool,
                                           uint32_t newest, int64_t ts_ms);
/* To be called when something was hung before the ring. */
void late_forget_chunks(struct late *late);

size_t late_memory_bytes(const struct late *late);

#endif
