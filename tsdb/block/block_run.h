/*
 * block_run: the chunks of one series in a block.
 *
 * Format: docs/format/block.md, "Run".
 */
#ifndef CROFT_TSDB_BLOCK_RUN_H
#define CROFT_TSDB_BLOCK_RUN_H

#include "tsdb/codec/chunk.h"

/* Replaces `out` by the run of at least one sample; `chunks` is scratch space. False when it takes
   more bytes than `out` may hold. */
bool run_encode(struct buffer *out, struct buffer *chunks, const struct columns *samples);

/* Appends the samples of all chunks that touch the range, which may be more than those in it. They
   must be behind what `out` has. On failure `out` keeps what it had. */
MUST_USE enum status run_decode(struct bytes run, int64_t min_ts_ms, int64_t max_ts_ms,
                                struct columns *out, struct error *err);

/* What the bytes of runs are for. */
struct run_sizes {
    uint64_t samples;
    uint64_t chunks;
    uint64_t head_bytes; /* of runs and of chunks */
    uint64_t ts_bytes;
    uint64_t value_bytes;
    struct {
        uint64_t samples;
        uint64_t bytes;
    } ts_encodings[CHUNK_ENCODINGS_MAX], value_encodings[CHUNK_ENCODINGS_MAX];
};

/* Adds those of one run. */
MUST_USE enum status run_measure(struct bytes run, struct run_sizes *sizes, struct error *err);

#endif
