/*
 * snappy_body: the body of a remote write, in snappy's block format.
 *
 * The declared length is looked at before anything is allocated for it: against the cap, and
 * against what so many bytes of snappy can give at most.
 */
#ifndef CROFT_INGEST_SNAPPY_BODY_H
#define CROFT_INGEST_SNAPPY_BODY_H

#include "base/buffer.h"
#include "base/status.h"

/* What one request may unpack to; Prometheus has the same cap. */
enum { SNAPPY_BODY_DECODED_MAX = 32 << 20 };

/* What it unpacks to, as it declares. Errors as below. */
MUST_USE enum status snappy_body_len(struct bytes body, size_t decoded_max_bytes, size_t *len,
                                     struct error *err);
/* Replaces the content of `out`. An empty body gives an empty message. STATUS_LIMIT: declares more
   than `decoded_max_bytes`; STATUS_INVALID: not snappy's block format, or damaged. */
MUST_USE enum status snappy_body_decode(struct bytes body, size_t decoded_max_bytes,
                                        struct buffer *out, struct error *err);

#endif
