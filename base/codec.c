#include "base/codec.h"

static const uint8_t *take(struct reader *r, size_t len)
{
    if (r->is_broken || reader_left(r) < len) {
        r->is_broken = true;
        return NULL;
    }
    const uint8_t *ptr = r->ptr;
    r->ptr += len;
    return ptr;
}

uint8_t reader_u8(struct reader *r)
{
    const uint8_t *ptr = take(r, 1);
    return ptr == NULL ? 0 : *ptr;
}

uint32_t reader_u32(struct reader *r)
{
    const uint8_t *ptr = take(r, sizeof(uint32_t));
    return ptr == NULL ? 0 : load_u32(ptr);
}

uint64_t reader_u64(struct reader *r)
{
    const uint8_t *ptr = take(r, sizeof(uint64_t));
    return ptr == NULL ? 0 : load_u64(ptr);
}

uint64_t reader_long_varint(struct reader *r)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = reader_u8(r);
        if (r->is_broken)
            return 0;
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    r->is_broken = true;
    return 0;
}

int64_t reader_svarint(struct reader *r)
{
    return zigzag_decode(reader_varint(r));
}

struct bytes reader_bytes(struct reader *r, uint64_t len)
{
    if (len > reader_left(r))
        r->is_broken = true;
    const uint8_t *ptr = r->is_broken ? NULL : take(r, (size_t)len);
    return (struct bytes){ptr, ptr == NULL ? 0 : (size_t)len};
}

struct bytes reader_sized(struct reader *r)
{
    return reader_bytes(r, reader_varint(r));
}

void write_u8(struct buffer *out, uint8_t value)
{
    buffer_append(out, &value, sizeof value);
}

void write_u32(struct buffer *out, uint32_t value)
{
    buffer_append(out, &value, sizeof value);
}

void write_u64(struct buffer *out, uint64_t value)
{
    buffer_append(out, &value, sizeof value);
}

void write_f64(struct buffer *out, double value)
{
    write_u64(out, f64_bits(value));
}

void write_varint(struct buffer *out, uint64_t value)
{
    uint8_t *to = buffer_reserve(out, 10);
    if (to == NULL)
        return;
    size_t len = 0;
    while (value >= 0x80) {
        to[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    to[len++] = (uint8_t)value;
    out->len += len;
}

void write_svarint(struct buffer *out, int64_t value)
{
    write_varint(out, zigzag_encode(value));
}

void write_sized(struct buffer *out, struct bytes value)
{
    write_varint(out, value.len);
    buffer_append(out, value.ptr, value.len);
}
