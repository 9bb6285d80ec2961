/* Timestamps at about one distance: their differences above the smallest one, packed. A missed
   scrape becomes an exception. */
#include "tsdb/codec/encoding.h"
#include "tsdb/codec/integers.h"

static uint8_t *ts_packed_encode(uint8_t *to, const uint64_t *words, size_t count)
{
    uint64_t steps[COLUMN_WORDS_MAX], base = UINT64_MAX;
    for (size_t i = 1; i < count; i++) {
        steps[i] = words[i] - words[i - 1];
        if (steps[i] < base)
            base = steps[i];
    }
    for (size_t i = 1; i < count; i++)
        steps[i] -= base;
    to = store_varint(to, zigzag_encode((int64_t)words[0]));
    to = store_varint(to, base);
    return pack_encode(to, steps + 1, count - 1);
}

static bool ts_packed_decode(struct reader *r, uint64_t *words, size_t count)
{
    uint64_t ts = (uint64_t)reader_svarint(r), base = reader_varint(r);
    if (!pack_decode(r, words + 1, count - 1))
        return false;
    words[0] = ts;
    integers_add_up(words + 1, count - 1, ts, base);
    return true;
}

const struct encoding encoding_ts_packed = {"packed", ts_packed_encode, ts_packed_decode};
