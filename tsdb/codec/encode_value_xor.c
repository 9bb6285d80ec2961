/* Values without a short decimal form: the bits that differ from the value before, packed. Always
   applies. */
#include "tsdb/codec/encoding.h"
#include "tsdb/codec/pack.h"

static uint8_t *value_xor_encode(uint8_t *to, const uint64_t *words, size_t count)
{
    uint64_t differences[COLUMN_WORDS_MAX];
    for (size_t i = 1; i < count; i++)
        differences[i] = words[i] ^ words[i - 1];
    store_u64(to, words[0]);
    return pack_encode(to + 8, differences + 1, count - 1);
}

static bool value_xor_decode(struct reader *r, uint64_t *words, size_t count)
{
    words[0] = reader_u64(r);
    if (!pack_decode(r, words + 1, count - 1))
        return false;
    for (size_t i = 1; i < count; i++)
        words[i] ^= words[i - 1];
    return true;
}

const struct encoding encoding_value_xor = {"xor", value_xor_encode, value_xor_decode};
