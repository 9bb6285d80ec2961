#include "tsdb/codec/pack.h"

#include "base/check.h"

enum {
    WIDTH_MASK = 0x7f,
    HAS_EXTENSION = 0x80,
    /* widest integer that one unaligned 64-bit load holds whatever bit it starts at */
    WIDTH_ONE_LOAD_MAX = 57,
};

struct plan {
    unsigned width;
    unsigned shift;
    unsigned exception_count;
};

static unsigned bit_length(uint64_t value)
{
    return value == 0 ? 0 : 64 - (unsigned)__builtin_clzll(value);
}

static uint64_t mask_of(unsigned width)
{
    return width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
}

static size_t packed_bytes(size_t count, unsigned width)
{
    return (count * width + 7) / 8;
}

/* Fewer bits for all against one entry per integer that needs more: tries every width once. */
static void choose_width(struct plan *plan, const uint64_t *values, size_t count, unsigned widest)
{
    uint8_t of_length[65] = {0};
    for (size_t i = 0; i < count; i++)
        of_length[bit_length(values[i] >> plan->shift)]++;
    size_t best = packed_bytes(count, widest);
    unsigned exceptions = 0;
    for (unsigned width = widest; width > 0; width--) {
        exceptions += of_length[width];
        if (exceptions > count / 4)
            return;
        size_t entry_bytes = 1 + (widest - (width - 1) + 6) / 7;
        size_t size = packed_bytes(count, width - 1) + exceptions * entry_bytes + 2;
        if (size < best) {
            best = size;
            plan->width = width - 1;
            plan->exception_count = exceptions;
        }
    }
}

static struct plan plan_of(const uint64_t *values, size_t count)
{
    uint64_t used = 0;
    for (size_t i = 0; i < count; i++)
        used |= values[i];
    struct plan plan = {.shift = used == 0 ? 0 : (unsigned)__builtin_ctzll(used)};
    /* the shift costs two bytes */
    if (plan.shift * count < 24)
        plan.shift = 0;
    unsigned widest = bit_length(used >> plan.shift);
    plan.width = widest;
    /* an exception costs two bytes and more: a narrow column cannot earn that back */
    if (widest > 3)
        choose_width(&plan, values, count, widest);
    return plan;
}

static uint8_t *write_exceptions(uint8_t *to, const struct plan *plan, const uint64_t *values,
                                 size_t count)
{
    *to++ = (uint8_t)plan->shift;
    *to++ = (uint8_t)plan->exception_count;
    if (plan->exception_count == 0)
        return to;
    for (size_t i = 0; i < count; i++) {
        uint64_t high = values[i] >> plan->shift >> plan->width;
        if (high == 0)
            continue;
        *to++ = (uint8_t)i;
        to = store_varint(to, high);
    }
    return to;
}

static uint8_t *write_bits(uint8_t *to, const struct plan *plan, const uint64_t *values,
                           size_t count)
{
    unsigned width = plan->width, fill = 0;
    uint64_t mask = mask_of(width), word = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t low = (values[i] >> plan->shift) & mask;
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
    return to + (fill + 7) / 8;
}

uint8_t *pack_encode(uint8_t *to, const uint64_t *values, size_t count)
{
    CHECK(count <= PACK_COUNT_MAX);
    struct plan plan = plan_of(values, count);
    bool is_extended = plan.shift > 0 || plan.exception_count > 0;
    *to++ = (uint8_t)(plan.width | (is_extended ? HAS_EXTENSION : 0));
    if (is_extended)
        to = write_exceptions(to, &plan, values, count);
    return plan.width == 0 ? to : write_bits(to, &plan, values, count);
}

static void read_narrow(const uint8_t *from, unsigned width, uint64_t *values, size_t count)
{
    uint64_t mask = mask_of(width);
    size_t bit = 0;
    for (size_t i = 0; i < count; i++, bit += width)
        values[i] = (load_u64(from + bit / 8) >> (bit % 8)) & mask;
}

static void read_wide(const uint8_t *from, unsigned width, uint64_t *values, size_t count)
{
    uint64_t mask = mask_of(width);
    size_t bit = 0;
    for (size_t i = 0; i < count; i++, bit += width) {
        uint64_t value = load_u64(from + bit / 8) >> (bit % 8);
        if (bit % 8 != 0)
            value |= (uint64_t)from[bit / 8 + 8] << (64 - bit % 8);
        values[i] = value & mask;
    }
}

static void read_bits(struct bytes bits, unsigned width, uint64_t *values, size_t count)
{
    /* a copy with room behind it, so that the last integers are read like the others */
    uint8_t padded[PACK_COUNT_MAX * 8 + 16];
    if (bits.len > 0)
        memcpy(padded, bits.ptr, bits.len);
    memset(padded + bits.len, 0, 16);
    if (width <= WIDTH_ONE_LOAD_MAX)
        read_narrow(padded, width, values, count);
    else
        read_wide(padded, width, values, count);
}

static bool apply_extension(struct reader *extension, unsigned shift, unsigned exception_count,
                            unsigned width, uint64_t *values, size_t count)
{
    size_t next = 0;
    for (unsigned i = 0; i < exception_count; i++) {
        size_t index = reader_u8(extension);
        uint64_t high = reader_varint(extension);
        if (extension->is_broken || index < next || index >= count)
            return false;
        values[index] |= high << width;
        next = index + 1;
    }
    for (size_t i = 0; shift > 0 && i < count; i++)
        values[i] <<= shift;
    return true;
}

/* Leaves `r` behind the exceptions; they are read again once the low bits are there. */
static bool skip_exceptions(struct reader *r, unsigned exception_count)
{
    for (unsigned i = 0; i < exception_count; i++) {
        reader_u8(r);
        reader_varint(r);
    }
    return !r->is_broken;
}

bool pack_decode(struct reader *r, uint64_t *values, size_t count)
{
    CHECK(count <= PACK_COUNT_MAX);
    unsigned header = reader_u8(r), width = header & WIDTH_MASK, shift = 0, exception_count = 0;
    if ((header & HAS_EXTENSION) != 0) {
        shift = reader_u8(r);
        exception_count = reader_u8(r);
    }
    if (width > 64 || shift > 63 || exception_count > count || (width == 64 && exception_count > 0))
        return false;
    struct reader exceptions = *r;
    if (!skip_exceptions(r, exception_count))
        return false;
    struct bytes bits = reader_bytes(r, packed_bytes(count, width));
    if (r->is_broken)
        return false;
    read_bits(bits, width, values, count);
    return apply_extension(&exceptions, shift, exception_count, width, values, count);
}
