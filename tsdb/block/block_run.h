/*
 * block_run: the values of one series in a block, in chunks that are cut where those of
 * its timeline are.
 *
 * Format: docs/format/block.md, "Run".
 */
#ifndef CROFT_TSDB_BLOCK_RUN_H
#define CROFT_TSDB_BLOCK_RUN_H

#include "tsdb/model/sample.h"
#include "tsdb/block/timeline.h"

/* Replaces `out` by the run of at least one value; `chunks` is scratch space. False when it takes
   more bytes than `out` may hold. */
bool run_encode(struct buffer *out, struct buffer *chunks, const double *values, size_t count);

/* Appends the samples of the chunks that touch the range, which may be more than those in it; they
   must be behind what `out` has, and the timeline must be open for the range. STATUS_CORRUPT for
   bytes that are not exactly one run, as far as they are looked at; `out` then keeps what it
   had. */
MUST_USE enum status run_decode(struct bytes run, const struct timeline *timeline,
                                int64_t min_ts_ms, int64_t max_ts_ms, struct columns *out,
                                struct error *err);

/* What the bytes of runs are for. */
struct run_sizes {
    uint64_t samples;
    uint64_t chunks;
    uint64_t head_bytes; /* of runs and of chunks */
    uint64_t value_bytes;
    struct {
        uint64_t samples;
        uint64_t bytes;
    } encodings[ENCODINGS_MAX];
};

/* Adds those of one run. */
MUST_USE enum status run_measure(struct bytes run, const struct timeline *timeline,
                                 struct run_sizes *sizes, struct error *err);

#endif
