#include "tsdb/codec/pack.h"

#include "base/check.h"
#include "tsdb/codec/pack_impl.h"

enum {
    HEADER_MASK = 0x7f,
    HEADER_EXTENSION = 0x80,
    HEADER_TIERS = 65, /* above every width */
    /* fewer integers seldom earn the widths of the tiers back, and the head packs few at a time */
    TIERS_COUNT_MIN = 48,
    /* what tiers must save, as a part of everything: they take longer to read */
    TIERS_GAIN_MIN = 32,
};

static void count_lengths(struct length_counts *lengths, const uint64_t *values, size_t count,
                          unsigned shift)
{
    *lengths = (struct length_counts){0};
    for (size_t i = 0; i < count; i++)
        lengths->of[bit_length(values[i] >> shift)]++;
}

/* Fewer bits for all against one entry per integer that needs more: tries every width once. */
static void choose_width(struct pack_plan *plan, const struct length_counts *lengths, size_t count)
{
    unsigned widest = plan->width, exceptions = 0;
    for (unsigned width = widest; width > 0; width--) {
        exceptions += lengths->of[width];
        if (exceptions > count / 4)
            return;
        size_t entry_bytes = 1 + (widest - (width - 1) + 6) / 7;
        size_t bytes = bytes_of_bits(count * (width - 1)) + exceptions * entry_bytes + 2;
        if (bytes < plan->bytes) {
            plan->bytes = bytes;
            plan->width = width - 1;
            plan->exception_count = exceptions;
        }
    }
}

static void choose_tiers(struct pack_plan *plan, const struct length_counts *lengths, size_t count)
{
    plan->has_tiers = count >= TIERS_COUNT_MIN && tiers_plan(&plan->tiers, lengths, count) &&
                      plan->tiers.bytes + plan->bytes / TIERS_GAIN_MIN < plan->bytes;
    if (plan->has_tiers)
        plan->bytes = plan->tiers.bytes;
}

struct pack_plan pack_plan(const uint64_t *values, size_t count)
{
    CHECK(count <= PACK_COUNT_MAX);
    uint64_t used = 0;
    for (size_t i = 0; i < count; i++)
        used |= values[i];
    struct pack_plan plan = {.shift = used == 0 ? 0 : (unsigned)__builtin_ctzll(used)};
    /* the shift costs two bytes */
    if (plan.shift * count < 24)
        plan.shift = 0;
    plan.width = bit_length(used >> plan.shift);
    plan.bytes = bytes_of_bits(count * plan.width);
    /* an exception costs two bytes and more: a narrow column cannot earn that back */
    if (plan.width > 3) {
        struct length_counts lengths;
        count_lengths(&lengths, values, count, plan.shift);
        choose_width(&plan, &lengths, count);
        choose_tiers(&plan, &lengths, count);
    }
    return plan;
}

static uint8_t *write_exceptions(uint8_t *to, const struct pack_plan *plan, const uint64_t *values,
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

static uint8_t *write_bits(uint8_t *to, const struct pack_plan *plan, const uint64_t *values,
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
    return to + bytes_of_bits(fill);
}

static uint8_t *write_tiers(uint8_t *to, const struct pack_plan *plan, const uint64_t *values,
                            size_t count)
{
    *to++ = (uint8_t)(HEADER_TIERS | (plan->shift > 0 ? HEADER_EXTENSION : 0));
    if (plan->shift > 0)
        *to++ = (uint8_t)plan->shift;
    return tiers_write(to, &plan->tiers, values, count, plan->shift);
}

uint8_t *pack_write(uint8_t *to, const struct pack_plan *plan, const uint64_t *values, size_t count)
{
    if (plan->has_tiers)
        return write_tiers(to, plan, values, count);
    bool is_extended = plan->shift > 0 || plan->exception_count > 0;
    *to++ = (uint8_t)(plan->width | (is_extended ? HEADER_EXTENSION : 0));
    if (is_extended)
        to = write_exceptions(to, plan, values, count);
    return plan->width == 0 ? to : write_bits(to, plan, values, count);
}

uint8_t *pack_encode(uint8_t *to, const uint64_t *values, size_t count)
{
    struct pack_plan plan = pack_plan(values, count);
    return pack_write(to, &plan, values, count);
}

static void read_bits(struct bytes bits, unsigned width, uint64_t *values, size_t count)
{
    uint8_t padded[BITS_BYTES_MAX];
    if (bits.len > 0)
        memcpy(padded, bits.ptr, bits.len);
    memset(padded + bits.len, 0, BITS_PADDING_BYTES);
    unpack_bits(padded, width, values, count);
}

static void shift_left(uint64_t *values, size_t count, unsigned shift)
{
    for (size_t i = 0; i < count && shift > 0; i++)
        values[i] <<= shift;
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

static bool read_plain(struct reader *r, unsigned width, unsigned exception_count, uint64_t *values,
                       size_t count)
{
    if (width > 64 || exception_count > count || (width == 64 && exception_count > 0))
        return false;
    struct reader exceptions = *r;
    skip_exceptions(r, exception_count);
    struct bytes bits = reader_bytes(r, bytes_of_bits(count * width));
    if (r->is_broken)
        return false;
    read_bits(bits, width, values, count);
    return add_exceptions(exceptions, exception_count, width, values, count);
}

bool pack_decode(struct reader *r, uint64_t *values, size_t count)
{
    CHECK(count <= PACK_COUNT_MAX);
    unsigned header = reader_u8(r), kind = header & HEADER_MASK, shift = 0, exception_count = 0;
    if ((header & HEADER_EXTENSION) != 0) {
        shift = reader_u8(r);
        exception_count = kind == HEADER_TIERS ? 0 : reader_u8(r);
    }
    if (r->is_broken || shift > 63)
        return false;
    bool is_read = kind == HEADER_TIERS ? tiers_read(r, values, count)
                                        : read_plain(r, kind, exception_count, values, count);
    if (is_read)
        shift_left(values, count, shift);
    return is_read;
}
