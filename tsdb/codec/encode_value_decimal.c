/*
 * Values that are short decimals, which is most of what people measure: integers m with value =
 * m / 10^e, one e for the column.
 *
 * m / 10^e is one division of two exact doubles, so it gives the double nearest to the decimal
 * fraction: the same one that parsing its text gave when the value was made. Whether a value comes
 * back bit by bit is tried out for each; what does not (NaN, infinities, -0, long fractions) is an
 * exception.
 */
#include "base/check.h"
#include "tsdb/codec/encoding.h"
#include "tsdb/codec/pack.h"

enum {
    EXPONENT_MAX = 17,
    EXPONENT_MASK = 0x1f,
    HEADER_DIFFERENCES = 0x20,
    HEADER_EXCEPTIONS = 0x40,
    HEADER_MASK = 0x7f,
};

static const double power_of_ten[EXPONENT_MAX + 1] = {
    1e0, 1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,
    1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
};

/* Beyond it doubles are whole numbers, and adding it and taking it away no longer rounds. */
#define ROUNDING_MAX   0x1p51
#define ROUNDING_MAGIC 0x1.8p52
#define INT64_RANGE    0x1p63

/* More exceptions, and the column is not decimal. */
static size_t exceptions_max(size_t count)
{
    return count / 4 + 1;
}

struct decimals {
    int64_t integers[COLUMN_WORDS_MAX];
    uint8_t exceptions[COLUMN_WORDS_MAX / 4 + 1]; /* their indexes, increasing */
    unsigned exception_count;
    unsigned exponent;
};

/* True when `word` is the pattern of a double that is `*integer` / 10^exponent. */
static inline bool to_integer(uint64_t word, unsigned exponent, int64_t *integer)
{
    double value = f64_from_bits(word);
    if (exponent == 0) {
        if (!(value >= -INT64_RANGE && value < INT64_RANGE))
            return false;
        *integer = (int64_t)value;
        return f64_bits((double)*integer) == word;
    }
    double scaled = value * power_of_ten[exponent];
    if (!(scaled > -ROUNDING_MAX && scaled < ROUNDING_MAX))
        return false;
    *integer = (int64_t)(scaled + ROUNDING_MAGIC - ROUNDING_MAGIC);
    return f64_bits((double)*integer / power_of_ten[exponent]) == word;
}

/* The smallest exponent from `from` on that fits `word`, or EXPONENT_MAX + 1. */
static unsigned find_exponent(uint64_t word, unsigned from)
{
    int64_t integer;
    unsigned exponent = from;
    while (exponent <= EXPONENT_MAX && !to_integer(word, exponent, &integer))
        exponent++;
    return exponent;
}

/* The exponent that four values of the column ask for, or EXPONENT_MAX + 1 when two of them have
 * none. */
static unsigned guess_exponent(const uint64_t *words, size_t count)
{
    unsigned exponent = 0, misfits = 0;
    for (size_t i = 0; i < 4; i++) {
        unsigned fits = find_exponent(words[i * (count - 1) / 3], exponent);
        if (fits <= EXPONENT_MAX)
            exponent = fits;
        else if (++misfits == 2)
            return EXPONENT_MAX + 1;
    }
    return exponent;
}

/* The integer at the place of an exception goes on as those before it did, so that it costs no
 * bits. */
static int64_t filler(const int64_t *integers, size_t index)
{
    if (index < 2)
        return index == 0 ? 0 : integers[0];
    return (int64_t)(2 * (uint64_t)integers[index - 1] - (uint64_t)integers[index - 2]);
}

static void fill_leading(struct decimals *decimals, size_t count)
{
    size_t leading = 0;
    while (leading < decimals->exception_count && decimals->exceptions[leading] == leading)
        leading++;
    for (size_t i = 0; i < leading && leading < count; i++)
        decimals->integers[i] = decimals->integers[leading];
}

static bool is_finite(uint64_t word)
{
    return (word >> 52 & 0x7ff) != 0x7ff;
}

/* False when too many values are exceptions. `*misfit` is set to the last of those that are
 * numbers. */
static bool to_integers(struct decimals *decimals, const uint64_t *words, size_t count,
                        size_t *misfit)
{
    decimals->exception_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (to_integer(words[i], decimals->exponent, &decimals->integers[i]))
            continue;
        if (is_finite(words[i]))
            *misfit = i;
        if (decimals->exception_count == exceptions_max(count))
            return false;
        decimals->exceptions[decimals->exception_count++] = (uint8_t)i;
        decimals->integers[i] = filler(decimals->integers, i);
    }
    fill_leading(decimals, count);
    return true;
}

static bool find_decimals(struct decimals *decimals, const uint64_t *words, size_t count)
{
    decimals->exponent = guess_exponent(words, count);
    if (decimals->exponent > EXPONENT_MAX)
        return false;
    for (;;) {
        size_t misfit = count;
        bool fits = to_integers(decimals, words, count, &misfit);
        if (misfit == count || decimals->exception_count * 16 <= count)
            return fits;
        /* the guess was too small for a value it did not look at: at most EXPONENT_MAX rounds */
        unsigned exponent = find_exponent(words[misfit], decimals->exponent + 1);
        if (exponent > EXPONENT_MAX)
            return fits;
        decimals->exponent = exponent;
    }
}

/* What the integers look like to the packer: offsets from `base`, of themselves or of their
 * differences. */
struct layout {
    bool is_differences;
    int64_t base;
};

/* A counter has no negative differences but for its resets, which become exceptions; for anything
   else the narrower of the two ranges decides. */
static struct layout choose_layout(const int64_t *integers, size_t count)
{
    int64_t min = integers[0], max = integers[0];
    int64_t step_min = INT64_MAX, step_max = INT64_MIN, rise_min = INT64_MAX;
    size_t falls = 0;
    for (size_t i = 1; i < count; i++) {
        int64_t integer = integers[i];
        int64_t step = (int64_t)((uint64_t)integer - (uint64_t)integers[i - 1]);
        min = integer < min ? integer : min;
        max = integer > max ? integer : max;
        step_min = step < step_min ? step : step_min;
        step_max = step > step_max ? step : step_max;
        falls += step < 0;
        if (step >= 0 && step < rise_min)
            rise_min = step;
    }
    if (count > 1 && falls * 16 <= count)
        return (struct layout){true, rise_min};
    uint64_t range = (uint64_t)max - (uint64_t)min,
             step_range = (uint64_t)step_max - (uint64_t)step_min;
    if (count > 1 && step_range < range)
        return (struct layout){true, step_min};
    return (struct layout){false, min};
}

static uint8_t *write_exceptions(uint8_t *to, const struct decimals *decimals,
                                 const uint64_t *words)
{
    *to++ = (uint8_t)decimals->exception_count;
    for (unsigned i = 0; i < decimals->exception_count; i++) {
        *to++ = decimals->exceptions[i];
        store_u64(to, words[decimals->exceptions[i]]);
        to += 8;
    }
    return to;
}

static uint8_t *write_integers(uint8_t *to, const struct layout *layout,
                               const struct decimals *decimals, size_t count)
{
    const int64_t *integers = decimals->integers;
    uint64_t offsets[COLUMN_WORDS_MAX];
    if (layout->is_differences) {
        to = store_varint(to, zigzag_encode(integers[0]));
        for (size_t i = 1; i < count; i++)
            offsets[i] = (uint64_t)integers[i] - (uint64_t)integers[i - 1] - (uint64_t)layout->base;
        to = store_varint(to, zigzag_encode(layout->base));
        return pack_encode(to, offsets + 1, count - 1);
    }
    for (size_t i = 0; i < count; i++)
        offsets[i] = (uint64_t)integers[i] - (uint64_t)layout->base;
    to = store_varint(to, zigzag_encode(layout->base));
    return pack_encode(to, offsets, count);
}

static uint8_t *value_decimal_encode(uint8_t *to, const uint64_t *words, size_t count)
{
    struct decimals decimals;
    CHECK(count > 0);
    if (!find_decimals(&decimals, words, count))
        return NULL;
    struct layout layout = choose_layout(decimals.integers, count);
    *to++ = (uint8_t)(decimals.exponent | (layout.is_differences ? HEADER_DIFFERENCES : 0) |
                      (decimals.exception_count > 0 ? HEADER_EXCEPTIONS : 0));
    if (decimals.exception_count > 0)
        to = write_exceptions(to, &decimals, words);
    return write_integers(to, &layout, &decimals, count);
}

static bool read_offsets(struct reader *r, uint64_t *integers, size_t count)
{
    uint64_t base = (uint64_t)reader_svarint(r);
    if (!pack_decode(r, integers, count))
        return false;
    for (size_t i = 0; i < count; i++)
        integers[i] += base;
    return true;
}

static bool read_differences(struct reader *r, uint64_t *integers, size_t count)
{
    uint64_t integer = (uint64_t)reader_svarint(r), base = (uint64_t)reader_svarint(r);
    if (!pack_decode(r, integers + 1, count - 1))
        return false;
    integers[0] = integer;
    for (size_t i = 1; i < count; i++) {
        integer += integers[i] + base;
        integers[i] = integer;
    }
    return true;
}

static void divide(uint64_t *words, size_t count, unsigned exponent)
{
    double divisor = power_of_ten[exponent];
    for (size_t i = 0; i < count && exponent == 0; i++)
        words[i] = f64_bits((double)(int64_t)words[i]);
    for (size_t i = 0; i < count && exponent > 0; i++)
        words[i] = f64_bits((double)(int64_t)words[i] / divisor);
}

static bool restore_exceptions(struct bytes list, uint64_t *words, size_t count)
{
    struct reader r = reader_of(list);
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

static bool value_decimal_decode(struct reader *r, uint64_t *words, size_t count)
{
    unsigned header = reader_u8(r), exponent = header & EXPONENT_MASK;
    struct bytes exceptions = {0};
    if ((header & HEADER_EXCEPTIONS) != 0)
        exceptions = reader_bytes(r, reader_u8(r) * UINT64_C(9));
    if (r->is_broken || exponent > EXPONENT_MAX || (header & ~(unsigned)HEADER_MASK) != 0)
        return false;
    bool is_read = (header & HEADER_DIFFERENCES) != 0 ? read_differences(r, words, count)
                                                      : read_offsets(r, words, count);
    if (!is_read)
        return false;
    divide(words, count, exponent);
    return restore_exceptions(exceptions, words, count);
}

const struct encoding encoding_value_decimal = {"decimal", value_decimal_encode,
                                                value_decimal_decode};
