/*
 * Integers of one width; those that need more have their high bits in a list.
 */
#include "tsdb/codec/pack_impl.h"

static unsigned count_of_length(const struct size_counts *sizes, unsigned length)
{
    size_t first = size_of(UINT64_C(1) << (length - 1));
    unsigned count = 0;
    for (size_t size = first; size < SIZES && length_of_size(size) == length; size++)
        count += sizes->of[size];
    return count;
}

/* Fewer bits for all against one entry per integer that needs more: tries every width once. */
static void choose_width(struct pack_plain *plain, const struct size_counts *sizes, size_t count)
{
    unsigned widest = plain->width, exceptions = 0;
    for (unsigned width = widest; width > 0; width--) {
        exceptions += count_of_length(sizes, width);
        if (exceptions > count / 4)
            return;
        size_t entry_bytes = 1 + (widest - (width - 1) + 6) / 7;
        size_t bytes = bytes_of_bits(count * (width - 1)) + exceptions * entry_bytes + 2;
        if (bytes < plain->bytes)
            *plain = (struct pack_plain){width - 1, exceptions, bytes};
    }
}

struct pack_plain plain_plan(const struct size_counts *sizes, unsigned width, size_t count)
{
    struct pack_plain plain = {.width = width, .bytes = bytes_of_bits(count * width)};
    if (width > NARROW_WIDTH_MAX)
        choose_width(&plain, sizes, count);
    return plain;
}

uint8_t *bits_write(uint8_t *to, unsigned width, const uint64_t *values, size_t count,
                    unsigned shift)
{
    if (width == 0)
        return to;
    unsigned fill = 0;
    uint64_t mask = mask_of(width), word = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t low = (values[i] >> shift) & mask;
        word |= low << fill;
        fill += width;
        if (fill < 64)
            continue;
        store_u64(to, word);
        to += 8;
        fill -= 64;
        word = fill == 0 ? 0 : low >> (width - fill);
    }
    store_u64(to, word);
    return to + bytes_of_bits(fill);
}

static uint8_t *write_exceptions(uint8_t *to, unsigned width, const uint64_t *values, size_t count,
                                 unsigned shift)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t high = values[i] >> shift >> width;
        if (high == 0)
            continue;
        *to++ = (uint8_t)i;
        to = store_varint(to, high);
    }
    return to;
}

uint8_t *plain_write(uint8_t *to, const struct pack_plain *plain, const uint64_t *values,
                     size_t count, unsigned shift)
{
    if (plain->exception_count > 0)
        to = write_exceptions(to, plain->width, values, count, shift);
    return bits_write(to, plain->width, values, count, shift);
}

bool bits_read(struct reader *r, unsigned width, uint64_t *values, size_t count)
{
    uint8_t padded[BITS_BYTES_MAX];
    struct bytes bits = reader_bytes(r, bytes_of_bits(count * width));
    if (r->is_broken)
        return false;
    if (bits.len > 0)
        memcpy(padded, bits.ptr, bits.len);
    memset(padded + bits.len, 0, BITS_PADDING_BYTES);
    unpack_bits(padded, width, values, count);
    return true;
}

static bool add_exceptions(struct reader exceptions, unsigned exception_count, unsigned width,
                           uint64_t *values, size_t count)
{
    size_t next = 0;
    for (unsigned i = 0; i < exception_count; i++) {
        size_t index = reader_u8(&exceptions);
        uint64_t high = reader_varint(&exceptions);
        if (index < next || index >= count)
            return false;
        values[index] |= high << width;
        next = index + 1;
    }
    return true;
}

/* Leaves `r` behind the exceptions; they are read again once the low bits are there. */
static void skip_exceptions(struct reader *r, unsigned exception_count)
{
    for (unsigned i = 0; i < exception_count && !r->is_broken; i++) {
        reader_u8(r);
        reader_varint(r);
    }
}

bool plain_read(struct reader *r, unsigned width, unsigned exception_count, uint64_t *values,
                size_t count)
{
    if (width > 64 || exception_count > count || (width == 64 && exception_count > 0))
        return false;
    struct reader exceptions = *r;
    skip_exceptions(r, exception_count);
    return bits_read(r, width, values, count) &&
           add_exceptions(exceptions, exception_count, width, values, count);
}
