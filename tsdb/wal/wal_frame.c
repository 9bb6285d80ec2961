#include "tsdb/wal/wal_frame.h"

#include <lz4.h>

#include "base/check.h"
#include "base/crc32c.h"

enum { HEADER_CRC_OFFSET = FRAME_HEADER_BYTES - 4 };

_Static_assert(FRAME_RAW_BYTES_MAX <= LZ4_MAX_INPUT_SIZE, "LZ4 takes any frame");

/* No two of its bytes are alike, so that a search can go on behind a partial match. */
const uint8_t frame_marker[FRAME_MARKER_BYTES] = {0xce, 0xf7, 0x1a, 0x91};

static uint32_t header_crc(const uint8_t *header, const struct frame_place *place)
{
    uint8_t words[20];
    memcpy(words, &place->shard, 4);
    memcpy(words + 4, &place->epoch, 4);
    memcpy(words + 8, &place->segment, 4);
    memcpy(words + 12, &place->offset, 8);
    uint32_t crc = crc32c((struct bytes){words, sizeof words});
    return crc32c_extend(crc, (struct bytes){header, HEADER_CRC_OFFSET});
}

static void put_header(uint8_t *to, const struct frame_place *place,
                       const struct frame_header *header)
{
    memcpy(to, frame_marker, FRAME_MARKER_BYTES);
    memcpy(to + 4, &header->raw_len, 4);
    memcpy(to + 8, &header->stored_len, 4);
    memcpy(to + 12, &header->unsynced_bytes, 4);
    memcpy(to + 16, &header->stored_crc, 4);
    uint32_t crc = header_crc(to, place);
    memcpy(to + HEADER_CRC_OFFSET, &crc, 4);
}

/* Compressed if that is smaller; returns the length. */
static size_t put_payload(uint8_t *to, struct bytes raw)
{
    int len =
        LZ4_compress_fast((const char *)raw.ptr, (char *)to, (int)raw.len, (int)raw.len - 1, 1);
    if (len > 0)
        return (size_t)len;
    memcpy(to, raw.ptr, raw.len);
    return raw.len;
}

void frame_encode(struct buffer *out, const struct frame_place *place, uint32_t unsynced_bytes,
                  struct bytes raw)
{
    CHECK(raw.len > 0);
    CHECK(raw.len <= FRAME_RAW_BYTES_MAX);
    uint8_t *to = buffer_reserve(out, FRAME_HEADER_BYTES + raw.len);
    CHECK(to != NULL);
    uint8_t *payload = to + FRAME_HEADER_BYTES;
    size_t stored_len = put_payload(payload, raw);
    struct frame_header header = {.raw_len = (uint32_t)raw.len,
                                  .stored_len = (uint32_t)stored_len,
                                  .unsynced_bytes = unsynced_bytes,
                                  .stored_crc = crc32c((struct bytes){payload, stored_len})};
    put_header(to, place, &header);
    out->len += FRAME_HEADER_BYTES + stored_len;
}

bool frame_header_decode(const uint8_t *bytes, const struct frame_place *place,
                         struct frame_header *out)
{
    if (memcmp(bytes, frame_marker, FRAME_MARKER_BYTES) != 0)
        return false;
    if (load_u32(bytes + HEADER_CRC_OFFSET) != header_crc(bytes, place))
        return false;
    out->raw_len = load_u32(bytes + 4);
    out->stored_len = load_u32(bytes + 8);
    out->unsynced_bytes = load_u32(bytes + 12);
    out->stored_crc = load_u32(bytes + 16);
    return out->raw_len > 0 && out->raw_len <= FRAME_RAW_BYTES_MAX &&
           out->stored_len <= out->raw_len && out->unsynced_bytes <= place->offset;
}

bool frame_payload_decode(const struct frame_header *header, struct bytes stored,
                          struct buffer *raw)
{
    buffer_reset(raw);
    if (stored.len != header->stored_len || crc32c(stored) != header->stored_crc)
        return false;
    uint8_t *to = buffer_reserve(raw, header->raw_len);
    CHECK(to != NULL);
    raw->len = header->raw_len;
    if (header->stored_len == header->raw_len) {
        memcpy(to, stored.ptr, stored.len);
        return true;
    }
    return LZ4_decompress_safe((const char *)stored.ptr, (char *)to, (int)stored.len,
                               (int)header->raw_len) == (int)header->raw_len;
}
