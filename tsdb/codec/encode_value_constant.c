/* One value throughout: its bytes up to the last that is not zero, which for 0, 1 or 0.5 are
   few. */
#include "tsdb/codec/encoding.h"

static uint8_t *value_constant_encode(uint8_t *to, const uint64_t *words, size_t count)
{
    uint64_t word = words[0], different = 0;
    for (size_t i = 1; i < count; i++)
        different |= words[i] ^ word;
    if (different != 0)
        return NULL;
    unsigned len = word == 0 ? 0 : 8 - (unsigned)__builtin_ctzll(word) / 8;
    *to++ = (uint8_t)len;
    if (len > 0)
        store_u64(to, word >> (64 - 8 * len));
    return to + len;
}

static bool value_constant_decode(struct reader *r, uint64_t *words, size_t count)
{
    struct bytes bytes = reader_bytes(r, reader_u8(r));
    if (r->is_broken || bytes.len > 8)
        return false;
    uint64_t word = 0;
    for (size_t i = 0; i < bytes.len; i++)
        word |= (uint64_t)bytes.ptr[i] << (64 - 8 * (bytes.len - i));
    for (size_t i = 0; i < count; i++)
        words[i] = word;
    return true;
}

const struct encoding encoding_value_constant = {"constant", value_constant_encode,
                                                 value_constant_decode};
