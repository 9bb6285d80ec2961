/*
 * wal_frame: records of one commit under a checksum that also names their place.
 *
 * Format: docs/format/wal.md, "Frame".
 */
#ifndef CROFT_TSDB_WAL_FRAME_H
#define CROFT_TSDB_WAL_FRAME_H

#include "base/codec.h"

enum {
    FRAME_HEADER_BYTES = 24,
    FRAME_MARKER_BYTES = 4,
    FRAME_RAW_BYTES_MAX = 16 << 20, /* nothing larger is written or believed */
};

extern const uint8_t frame_marker[FRAME_MARKER_BYTES];

struct frame_place {
    uint32_t shard;
    uint32_t epoch;
    uint32_t segment;
    uint64_t offset; /* of the frame in the segment */
};

struct frame_header {
    uint32_t raw_len;
    uint32_t stored_len;
    uint32_t unsynced_bytes; /* from the end of what is durable for certain to this frame */
    uint32_t stored_crc;
};

/* Appends the frame of 1 <= raw.len <= FRAME_RAW_BYTES_MAX bytes of records. */
void frame_encode(struct buffer *out, const struct frame_place *place, uint32_t unsynced_bytes,
                  struct bytes raw);

/* False when `bytes` (FRAME_HEADER_BYTES of them) are not the header of a frame at `place`. */
bool frame_header_decode(const uint8_t *bytes, const struct frame_place *place,
                         struct frame_header *out);
/* Replaces `raw` by the records. False when `stored` (stored_len bytes) is damaged. */
bool frame_payload_decode(const struct frame_header *header, struct bytes stored,
                          struct buffer *raw);

#endif
