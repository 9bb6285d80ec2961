/*
 * write_message: makes the message of a remote write 1.0, for who sends one.
 *
 * Ownership: everything is appended to the caller's buffer.
 */
#ifndef CROFT_INGEST_WRITE_MESSAGE_H
#define CROFT_INGEST_WRITE_MESSAGE_H

#include "base/buffer.h"
#include "tsdb/model/label.h"
#include "tsdb/model/sample.h"

/* A TimeSeries with its samples; empty names and values, zero values and timestamps are left out,
   as proto3 encoders do. */
void write_message_add_series(struct buffer *message, const struct label *labels,
                              size_t label_count, const struct sample *samples,
                              size_t sample_count);
/* Replaces `out` with the message in snappy's block format. CHECK: there is room for it. */
void write_message_compress(struct buffer *out, struct bytes message);

#endif
