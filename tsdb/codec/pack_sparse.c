/*
 * Integers that are zero for the most part: where the others are, and nothing else of the zeros.
 *
 * What counts rarely has no difference in most scrapes, and a difference of any size in the others.
 */
#include "tsdb/codec/pack_impl.h"

/* Few places are a list, more are a bit for each integer. */
static bool is_list(size_t other_count, size_t count)
{
    return other_count <= count / 8;
}

static size_t place_bytes(size_t other_count, size_t count)
{
    return is_list(other_count, count) ? other_count : bytes_of_bits(count);
}

size_t sparse_bytes(size_t other_count, size_t count)
{
    return 1 + place_bytes(other_count, count);
}

uint8_t *sparse_write(uint8_t *to, const uint64_t *values, size_t count, uint64_t *others,
                      size_t other_count)
{
    size_t found = 0;
    *to++ = (uint8_t)other_count;
    bool is_listed = is_list(other_count, count);
    memset(to, 0, place_bytes(other_count, count));
    for (size_t i = 0; i < count; i++) {
        if (values[i] == 0)
            continue;
        if (is_listed)
            to[found] = (uint8_t)i;
        else
            to[i / 8] |= (uint8_t)(1 << i % 8);
        others[found++] = values[i];
    }
    return to + place_bytes(other_count, count);
}

bool sparse_read(struct reader *r, size_t count, struct sparse_places *places)
{
    places->other_count = reader_u8(r);
    places->bytes = reader_bytes(r, place_bytes(places->other_count, count));
    return !r->is_broken && places->other_count <= count;
}

static bool spread_listed(const struct sparse_places *places, const uint64_t *others,
                          uint64_t *values, size_t count)
{
    size_t next = 0;
    memset(values, 0, count * sizeof *values);
    for (size_t i = 0; i < places->other_count; i++) {
        size_t index = places->bytes.ptr[i];
        if (index < next || index >= count)
            return false;
        values[index] = others[i];
        next = index + 1;
    }
    return true;
}

/* How many bits are set, those behind the last integer included: no integer is there. */
static size_t count_marks(struct bytes marks)
{
    size_t total = 0;
    for (size_t i = 0; i < marks.len; i++)
        total += (size_t)__builtin_popcount(marks.ptr[i]);
    return total;
}

/* Reads the other behind the last one as well, and takes nothing of it. */
static bool spread_marked(const struct sparse_places *places, const uint64_t *others,
                          uint64_t *values, size_t count)
{
    size_t next = 0;
    if (count_marks(places->bytes) != places->other_count)
        return false;
    for (size_t i = 0; i < count; i++) {
        uint64_t is_other = places->bytes.ptr[i / 8] >> i % 8 & 1;
        values[i] = others[next] & (0 - is_other);
        next += is_other;
    }
    return next == places->other_count;
}

bool sparse_spread(const struct sparse_places *places, const uint64_t *others, uint64_t *values,
                   size_t count)
{
    return is_list(places->other_count, count) ? spread_listed(places, others, values, count)
                                               : spread_marked(places, others, values, count);
}
