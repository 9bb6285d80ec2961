/*
 * message: builds remote-write 1.0 messages, field by field, as a sender would.
 *
 * Ownership:  everything is appended to the caller's buffer.
 */
#ifndef CROFT_TESTS_SUPPORT_MESSAGE_H
#define CROFT_TESTS_SUPPORT_MESSAGE_H

#include "base/buffer.h"
#include "tsdb/model/label.h"
#include "tsdb/model/sample.h"

/* A length-delimited field of any message. */
void message_add_bytes(struct buffer *out, uint32_t field_number, struct bytes content);
void message_add_varint(struct buffer *out, uint32_t field_number, uint64_t value);
void message_add_fixed64(struct buffer *out, uint32_t field_number, uint64_t bits);

/* Name, then value; empty ones are left out, as proto3 encoders do. */
void message_add_label(struct buffer *series, struct label label);
/* Value, then timestamp; zero ones are left out. */
void message_add_sample(struct buffer *series, struct sample sample);

void message_add_series(struct buffer *request, const struct label *labels, size_t label_count,
                        const struct sample *samples, size_t sample_count);
/* The labels as text: "__name__=up,job=x". */
void message_add_series_text(struct buffer *request, const char *labels,
                             const struct sample *samples, size_t sample_count);
void message_add_metadata(struct buffer *request, uint32_t type, const char *metric,
                          const char *help, const char *unit);

/* Replaces `out` with the message in snappy's block format. */
void message_compress(struct buffer *out, struct bytes message);

#endif
