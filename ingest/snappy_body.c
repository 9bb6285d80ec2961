#include "ingest/snappy_body.h"

#include <inttypes.h>

#include <snappy-c.h>

#include "base/codec.h"

/* The densest element is a copy of 64 bytes written in 3. */
enum { COPY_LEN_MAX = 64, COPY_BYTES = 3 };

/* The stream identifier chunk that every framed stream begins with. */
static const uint8_t frame_start[] = {0xff, 0x06, 0x00, 0x00, 's', 'N', 'a', 'P', 'p', 'Y'};

static bool is_framed(struct bytes body)
{
    return body.len >= sizeof frame_start && memcmp(body.ptr, frame_start, sizeof frame_start) == 0;
}

static enum status read_declared_length(struct bytes body, size_t decoded_max_bytes, size_t *len,
                                        struct error *err)
{
    struct reader reader = reader_of(body);
    uint64_t declared = reader_varint(&reader);
    if (reader.is_broken)
        return error_set(err, STATUS_INVALID,
                         "snappy: the body does not begin with a length, got %zu bytes", body.len);
    if (declared > decoded_max_bytes)
        return error_set(err, STATUS_LIMIT,
                         "snappy: declared length too large, got %" PRIu64 ", want at most %zu",
                         declared, decoded_max_bytes);
    uint64_t possible = (uint64_t)reader_left(&reader) * COPY_LEN_MAX / COPY_BYTES + COPY_LEN_MAX;
    if (declared > possible)
        return error_set(err, STATUS_INVALID,
                         "snappy: declared length impossible, got %" PRIu64
                         ", but %zu bytes of snappy give at most %" PRIu64,
                         declared, body.len, possible);
    *len = (size_t)declared;
    return STATUS_OK;
}

enum status snappy_body_len(struct bytes body, size_t decoded_max_bytes, size_t *len,
                            struct error *err)
{
    *len = 0;
    if (body.len == 0)
        return STATUS_OK;
    if (is_framed(body))
        return error_set(err, STATUS_INVALID,
                         "snappy: got the framed format, want the block format");
    return read_declared_length(body, decoded_max_bytes, len, err);
}

enum status snappy_body_decode(struct bytes body, size_t decoded_max_bytes, struct buffer *out,
                               struct error *err)
{
    size_t len;
    buffer_reset(out);
    TRY(snappy_body_len(body, decoded_max_bytes, &len, err));
    if (body.len == 0)
        return STATUS_OK;
    uint8_t *to = buffer_reserve(out, len > 0 ? len : 1);
    if (to == NULL)
        return error_set(err, STATUS_LIMIT, "snappy: no room for %zu bytes, want at most %zu", len,
                         out->max_bytes);
    if (snappy_uncompress((const char *)body.ptr, body.len, (char *)to, &len) != SNAPPY_OK)
        return error_set(err, STATUS_INVALID, "snappy: the body is damaged, got %zu bytes",
                         body.len);
    out->len = len;
    return STATUS_OK;
}
