/*
 * chunk: an encoded run of samples of one series, timestamps and values, as the head keeps it.
 *
 * A chunk is two columns, each in the encoding that is smallest for it (encoding.h). Blocks keep
 * the two apart: block_run, timeline.
 *
 * Format: docs/format/chunk.md. Bit-exact for every float64 and every int64 timestamp.
 */
#ifndef CROFT_TSDB_CHUNK_H
#define CROFT_TSDB_CHUNK_H

#include "base/status.h"
#include "tsdb/codec/encoding.h"
#include "tsdb/model/sample.h"

enum { CHUNK_SAMPLES_MAX = 240 };

/* An upper bound of what chunk_encode appends. */
enum { CHUNK_BYTES_MAX = 4096 };

/* Timestamps and the column that they became. The series of one target share theirs, so whoever
   encodes many chunks keeps those of the last one. Zeroed before the first. */
struct chunk_times {
    int64_t ts_ms[CHUNK_SAMPLES_MAX];
    uint8_t column[COLUMN_BYTES_MAX];
    size_t count;
    size_t len; /* of the column */
    unsigned number;
};

/* Appends the encoding of 1 <= count <= CHUNK_SAMPLES_MAX samples, timestamps strictly
   increasing. The bytes do not depend on `latest`, which becomes theirs. */
void chunk_encode(struct buffer *out, struct chunk_times *latest, const int64_t *ts_ms,
                  const double *values, size_t count);
/* Appends the samples behind those `out` has already; they must be later. STATUS_CORRUPT when they
   are not, or for bytes that are not exactly one chunk; `out` then keeps what it had. */
MUST_USE enum status chunk_decode(struct bytes chunk, struct columns *out, struct error *err);
/* The first timestamp of a chunk from chunk_encode, without decoding it: every timestamp column
   begins with it. CHECK: the chunk is one. */
int64_t chunk_min_ts_ms(struct bytes chunk);

#endif
