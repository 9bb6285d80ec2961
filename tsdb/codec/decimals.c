#include "tsdb/codec/decimals.h"

#include "tsdb/codec/integers.h"
#include "tsdb/codec/vector.h"
#include "tsdb/model/sample.h"

_Static_assert(((DECIMALS_EXPONENT_MASK | DECIMALS_EXCEPTIONS) & INTEGERS_LAYOUT) == 0,
               "all of them share a byte");

const double decimals_power[DECIMALS_EXPONENT_MAX + 1] = {
    1e0, 1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,
    1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
};

enum { OTHER_BYTES = 9 };

/* ---- exceptions ---- */

/* The integer at the place of an exception goes on as those before it did, so that it costs no
   bits. */
static int64_t filler(const int64_t *integers, size_t index)
{
    if (index < 2)
        return index == 0 ? 0 : integers[0];
    return (int64_t)(2 * (uint64_t)integers[index - 1] - (uint64_t)integers[index - 2]);
}

void decimals_reset(struct decimals *decimals)
{
    decimals->stale_count = 0;
    decimals->other_count = 0;
}

bool decimals_add_exception(struct decimals *decimals, const uint64_t *words, size_t index,
                            size_t count)
{
    bool is_stale = words[index] == STALE_NAN_BITS;
    if (!is_stale && decimals->other_count == count / 4 + 1)
        return false;
    if (is_stale)
        decimals->stale[decimals->stale_count++] = (uint8_t)index;
    else
        decimals->others[decimals->other_count++] = (uint8_t)index;
    decimals->integers[index] = filler(decimals->integers, index);
    return true;
}

void decimals_fill_leading(struct decimals *decimals, size_t count)
{
    size_t leading = 0, stale = 0, others = 0;
    for (bool is_exception = true; is_exception; leading += is_exception) {
        bool is_stale = stale < decimals->stale_count && decimals->stale[stale] == leading;
        bool is_other = others < decimals->other_count && decimals->others[others] == leading;
        stale += is_stale;
        others += is_other;
        is_exception = is_stale || is_other;
    }
    int64_t first = leading < count ? decimals->integers[leading] : 0;
    for (size_t i = 0; i < leading; i++)
        decimals->integers[i] = first;
}

static bool has_exceptions(const struct decimals *decimals)
{
    return decimals->stale_count + decimals->other_count > 0;
}

static uint8_t *write_exceptions(uint8_t *to, const struct decimals *decimals,
                                 const uint64_t *words)
{
    *to++ = (uint8_t)decimals->stale_count;
    memcpy(to, decimals->stale, decimals->stale_count);
    to += decimals->stale_count;
    *to++ = (uint8_t)decimals->other_count;
    for (unsigned i = 0; i < decimals->other_count; i++) {
        *to++ = decimals->others[i];
        store_u64(to, words[decimals->others[i]]);
        to += 8;
    }
    return to;
}

static void read_exceptions(struct reader *r, struct decimals_exceptions *exceptions)
{
    exceptions->stale = reader_bytes(r, reader_u8(r));
    exceptions->others = reader_bytes(r, reader_u8(r) * (uint64_t)OTHER_BYTES);
}

static bool restore_stale(struct bytes stale, uint64_t *words, size_t count)
{
    for (size_t i = 0, next = 0; i < stale.len; i++) {
        size_t index = stale.ptr[i];
        if (index < next || index >= count)
            return false;
        words[index] = STALE_NAN_BITS;
        next = index + 1;
    }
    return true;
}

static bool restore_others(struct bytes others, uint64_t *words, size_t count)
{
    struct reader r = reader_of(others);
    for (size_t next = 0; reader_left(&r) > 0;) {
        size_t index = reader_u8(&r);
        uint64_t word = reader_u64(&r);
        if (index < next || index >= count)
            return false;
        words[index] = word;
        next = index + 1;
    }
    return true;
}

bool decimals_restore(const struct decimals_exceptions *exceptions, uint64_t *words, size_t count)
{
    return restore_stale(exceptions->stale, words, count) &&
           restore_others(exceptions->others, words, count);
}

/* ---- all of it ---- */

uint8_t *decimals_write(uint8_t *to, const struct decimals *decimals, const uint64_t *words,
                        size_t count)
{
    unsigned layout;
    uint8_t *header = to++;
    if (has_exceptions(decimals))
        to = write_exceptions(to, decimals, words);
    to = integers_encode(to, decimals->integers, count, &layout);
    *header = (uint8_t)(decimals->exponent | layout |
                        (has_exceptions(decimals) ? DECIMALS_EXCEPTIONS : 0));
    return to;
}

/* Integers of less than 52 bits: as the fraction of a double of 2^52 they are converted by one
   subtraction, which any vector unit can do. */
VECTOR_CLONES
static void divide_small(uint64_t *words, size_t count, double divisor)
{
    const double magic = 0x1.8p52;
    const uint64_t magic_bits = f64_bits(magic);
    for (size_t i = 0; i < count; i++)
        words[i] = f64_bits((f64_from_bits(words[i] + magic_bits) - magic) / divisor);
}

VECTOR_CLONES
static void convert_small(uint64_t *words, size_t count)
{
    const double magic = 0x1.8p52;
    const uint64_t magic_bits = f64_bits(magic);
    for (size_t i = 0; i < count; i++)
        words[i] = f64_bits(f64_from_bits(words[i] + magic_bits) - magic);
}

static bool are_small(const uint64_t *words, size_t count)
{
    uint64_t beyond = 0;
    for (size_t i = 0; i < count; i++)
        beyond |= words[i] + (UINT64_C(1) << 51);
    return beyond >> 52 == 0;
}

static void divide(uint64_t *words, size_t count, unsigned exponent)
{
    double divisor = decimals_power[exponent];
    if (!are_small(words, count)) {
        for (size_t i = 0; i < count; i++)
            words[i] = f64_bits((double)(int64_t)words[i] / divisor);
    } else if (exponent == 0) {
        convert_small(words, count);
    } else {
        divide_small(words, count, divisor);
    }
}

bool decimals_read(struct reader *r, uint64_t *words, size_t count,
                   struct decimals_exceptions *exceptions)
{
    unsigned header = reader_u8(r), exponent = header & DECIMALS_EXPONENT_MASK;
    *exceptions = (struct decimals_exceptions){0};
    if ((header & DECIMALS_EXCEPTIONS) != 0)
        read_exceptions(r, exceptions);
    if (r->is_broken || exponent > DECIMALS_EXPONENT_MAX ||
        !integers_decode(r, header, words, count))
        return false;
    divide(words, count, exponent);
    return true;
}
