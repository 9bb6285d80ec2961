/*
 * timeline: the timestamps of one series in a block, or of many: the series of one scrape share
 * theirs.
 *
 *     timeline   │ t0 t1 ... t239 │ t240 ... t479 │ t480 ... t600 │    cut into chunks
 *     series a   │ v0 v1 ... v239 │ v240 ... v479 │ v480 ... v600 │    cut in the same places
 *     series b   │ v0 v1 ... v239 │ v240 ... v479 │ v480 ... v600 │    (block_run)
 *
 * In memory a timeline is opened for a range of time: it knows the times of all its chunks, and
 * holds the timestamps of those that touch the range.
 *
 * Invariant:  timestamps are strictly increasing; every chunk but the last has `per_chunk` of them.
 * Ownership:  reference-counted; owns what it points at.
 * Threads:    does not change once it is open: many may read it.
 * Format:     docs/format/block.md, "Timeline".
 */
#ifndef CROFT_TSDB_TIMELINE_H
#define CROFT_TSDB_TIMELINE_H

#include "base/buffer.h"
#include "base/counter.h"
#include "base/status.h"
#include "tsdb/codec/encoding.h"

enum { TIMELINE_CHUNK_MAX = COLUMN_WORDS_MAX }; /* timestamps of a chunk */

/* Of a chunk; both inclusive. */
struct timeline_span {
    int64_t min_ts_ms;
    int64_t max_ts_ms;
};

struct timeline {
    struct refcount references;
    size_t count;     /* of all timestamps */
    size_t per_chunk; /* timestamps of each chunk but the last */
    size_t chunk_count;
    struct timeline_span *spans; /* by chunk */
    size_t first_chunk;          /* first_chunk <= chunk < end_chunk are decoded */
    size_t end_chunk;
    int64_t *ts_ms; /* of the decoded chunks, one behind the other */
};

/* How many timestamps each chunk but the last gets when `count` are encoded. */
size_t timeline_per_chunk(size_t count);
/* Replaces `out` by the encoding of at least one timestamp, strictly increasing; `chunks` is
   scratch space. False when it takes more bytes than `out` may hold. */
bool timeline_encode(struct buffer *out, struct buffer *chunks, const int64_t *ts_ms, size_t count);

/* Decodes the chunks that touch min_ts_ms <= ts <= max_ts_ms. The caller owns one reference.
   STATUS_CORRUPT for bytes that are not exactly one timeline, as far as they are looked at. */
MUST_USE enum status timeline_open(struct bytes bytes, int64_t min_ts_ms, int64_t max_ts_ms,
                                   struct timeline **out, struct error *err);
void timeline_acquire(struct timeline *timeline);
/* The last release frees. NULL is fine. */
void timeline_release(struct timeline *timeline);
size_t timeline_memory_bytes(const struct timeline *timeline);

/* The chunks that touch the range: *first <= chunk < *end. */
void timeline_find(const struct timeline *timeline, int64_t min_ts_ms, int64_t max_ts_ms,
                   size_t *first, size_t *end);
/* How many timestamps a chunk has. */
size_t timeline_chunk_len(const struct timeline *timeline, size_t chunk);
/* The timestamps of a decoded chunk, and of those behind it. */
const int64_t *timeline_chunk_ts_ms(const struct timeline *timeline, size_t chunk);

/* What the bytes of timelines are for. */
struct timeline_sizes {
    uint64_t timelines;
    uint64_t head_bytes; /* of timelines and of their chunks */
    uint64_t chunk_bytes;
    struct {
        uint64_t timestamps;
        uint64_t bytes;
    } encodings[ENCODINGS_MAX];
};

/* Adds those of one timeline. */
MUST_USE enum status timeline_measure(struct bytes bytes, struct timeline_sizes *sizes,
                                      struct error *err);

#endif
