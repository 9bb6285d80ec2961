/*
 * codec: little-endian integers and varints, written to a buffer and read back within bounds.
 *
 * Every byte that comes from outside is read through `struct reader`. Its error is sticky: after
 * the first read past the end (or a varint over 10 bytes) every read gives 0 and `is_broken` is
 * set, so a decoder reads a whole record and checks once.
 */
#ifndef CROFT_BASE_CODEC_H
#define CROFT_BASE_CODEC_H

#include "base/buffer.h"
#include "base/bytes.h"

struct reader {
    const uint8_t *ptr;
    const uint8_t *end;
    bool is_broken;
};

static inline struct reader reader_of(struct bytes b)
{
    return (struct reader){b.ptr, b.ptr == NULL ? NULL : b.ptr + b.len, false};
}

static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->ptr);
}

uint8_t reader_u8(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
/* The rest of reader_varint: more than a byte, or none. */
uint64_t reader_long_varint(struct reader *r);
/* Unsigned LEB128, at most 10 bytes; bits beyond 64 break the reader. */
static inline uint64_t reader_varint(struct reader *r)
{
    bool is_short = !r->is_broken && reader_left(r) > 0 && *r->ptr < 0x80;
    return is_short ? *r->ptr++ : reader_long_varint(r);
}
/* Zigzag over reader_varint. */
int64_t reader_svarint(struct reader *r);
/* A view of the next `len` bytes, empty and broken when fewer are left. */
struct bytes reader_bytes(struct reader *r, uint64_t len);
/* A varint length followed by that many bytes. */
struct bytes reader_sized(struct reader *r);

void write_u8(struct buffer *out, uint8_t value);
void write_u32(struct buffer *out, uint32_t value);
void write_u64(struct buffer *out, uint64_t value);
void write_f64(struct buffer *out, double value);
void write_varint(struct buffer *out, uint64_t value);
void write_svarint(struct buffer *out, int64_t value);
void write_sized(struct buffer *out, struct bytes value);

/* Unaligned little-endian loads and stores for code that has checked its bounds already. */
static inline uint32_t load_u32(const uint8_t *ptr)
{
    uint32_t value;
    memcpy(&value, ptr, sizeof value);
    return value;
}

static inline uint64_t load_u64(const uint8_t *ptr)
{
    uint64_t value;
    memcpy(&value, ptr, sizeof value);
    return value;
}

static inline void store_u64(uint8_t *ptr, uint64_t value)
{
    memcpy(ptr, &value, sizeof value);
}

enum { VARINT_BYTES_MAX = 10 };

/* Returns the place behind what it wrote: at most VARINT_BYTES_MAX bytes further. */
static inline uint8_t *store_varint(uint8_t *ptr, uint64_t value)
{
    while (value >= 0x80) {
        *ptr++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *ptr++ = (uint8_t)value;
    return ptr;
}

static inline uint64_t f64_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline double f64_from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint64_t zigzag_encode(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static inline int64_t zigzag_decode(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "on-disk formats assume little-endian");

#endif
