/* Timestamps at one distance: the first and the step. */
#include "tsdb/codec/encoding.h"

static uint8_t *ts_regular_encode(uint8_t *to, const uint64_t *words, size_t count)
{
    to = store_varint(to, zigzag_encode((int64_t)words[0]));
    if (count == 1)
        return to;
    uint64_t step = words[1] - words[0], different = 0;
    for (size_t i = 2; i < count; i++)
        different |= (words[i] - words[i - 1]) ^ step;
    return different != 0 ? NULL : store_varint(to, step);
}

static bool ts_regular_decode(struct reader *r, uint64_t *words, size_t count)
{
    uint64_t ts = (uint64_t)reader_svarint(r);
    uint64_t step = count == 1 ? 0 : reader_varint(r);
    for (size_t i = 0; i < count; i++, ts += step)
        words[i] = ts;
    return !r->is_broken;
}

const struct encoding encoding_ts_regular = {"regular", ts_regular_encode, ts_regular_decode};
