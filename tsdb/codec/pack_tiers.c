/*
 * Integers of very different sizes: each says with two bits which of four widths it takes.
 *
 * What varies around a mean, as most measurements do, has many small distances from it and few
 * large ones: one width for all wastes bits on most, and an entropy coder would take more time to
 * read than it saves bytes here.
 */
#include "tsdb/codec/pack_impl.h"
#include "tsdb/codec/vector.h"

/* The lengths that occur, shortest first, and how many integers are at most so long. */
struct steps {
    size_t count;
    uint8_t lengths[65];
    size_t totals[65];
};

static struct steps steps_of(const struct length_counts *lengths)
{
    struct steps steps = {0};
    size_t total = 0;
    for (unsigned length = 0; length <= 64; length++) {
        total += lengths->of[length];
        if (lengths->of[length] == 0)
            continue;
        steps.lengths[steps.count] = (uint8_t)length;
        steps.totals[steps.count++] = total;
    }
    return steps;
}

/* Dynamic programming: bits[t][i] is the least that all integers up to step i take in t + 1 tiers,
   the last of them as wide as step i; from[t][i] is the step of the tier before. */
struct best {
    size_t bits[PACK_TIER_COUNT][65];
    uint8_t from[PACK_TIER_COUNT][65];
};

static void fill_best(struct best *best, const struct steps *steps)
{
    for (size_t i = 0; i < steps->count; i++)
        best->bits[0][i] = steps->totals[i] * steps->lengths[i];
    for (size_t tier = 1; tier < PACK_TIER_COUNT; tier++) {
        for (size_t i = 0; i < steps->count; i++) {
            best->bits[tier][i] = best->bits[tier - 1][i];
            best->from[tier][i] = (uint8_t)i; /* a tier that is not needed */
            for (size_t before = 0; before < i; before++) {
                size_t bits = best->bits[tier - 1][before] +
                              (steps->totals[i] - steps->totals[before]) * steps->lengths[i];
                if (bits < best->bits[tier][i]) {
                    best->bits[tier][i] = bits;
                    best->from[tier][i] = (uint8_t)before;
                }
            }
        }
    }
}

/* With a width for each length there is. */
static size_t bits_min(const struct length_counts *lengths)
{
    size_t bits = 0;
    for (size_t length = 1; length <= 64; length++)
        bits += length * lengths->of[length];
    return bits;
}

static size_t bytes_of(size_t bits, size_t count)
{
    return PACK_TIER_COUNT + bytes_of_bits(count * TIER_BITS) + bytes_of_bits(bits);
}

bool tiers_plan(struct pack_tiers *tiers, const struct length_counts *lengths, size_t count,
                size_t bytes_end)
{
    struct steps steps = steps_of(lengths);
    struct best best;
    if (steps.count < 2 || steps.lengths[steps.count - 1] > WIDTH_ONE_LOAD_MAX ||
        bytes_of(bits_min(lengths), count) >= bytes_end)
        return false;
    fill_best(&best, &steps);
    size_t step = steps.count - 1;
    tiers->bytes = bytes_of(best.bits[PACK_TIER_COUNT - 1][step], count);
    for (size_t tier = PACK_TIER_COUNT; tier-- > 0;) {
        tiers->widths[tier] = steps.lengths[step];
        step = best.from[tier][step];
    }
    return tiers->bytes < bytes_end;
}

static unsigned tier_of(const struct pack_tiers *tiers, uint64_t value)
{
    unsigned length = bit_length(value), tier = 0;
    while (tiers->widths[tier] < length)
        tier++;
    return tier;
}

uint8_t *tiers_write(uint8_t *to, const struct pack_tiers *tiers, const uint64_t *values,
                     size_t count, unsigned shift)
{
    memcpy(to, tiers->widths, PACK_TIER_COUNT);
    uint8_t *selectors = to + PACK_TIER_COUNT;
    uint8_t *bits = selectors + bytes_of_bits(count * TIER_BITS);
    memset(selectors, 0, (size_t)(bits - selectors));
    unsigned fill = 0;
    uint64_t word = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t value = values[i] >> shift;
        unsigned tier = tier_of(tiers, value), width = tiers->widths[tier];
        selectors[i / 4] |= (uint8_t)(tier << i % 4 * TIER_BITS);
        word |= value << fill;
        fill += width;
        if (fill < 64)
            continue;
        store_u64(bits, word);
        bits += 8;
        fill -= 64;
        word = fill == 0 ? 0 : value >> (width - fill);
    }
    store_u64(bits, word);
    return bits + bytes_of_bits(fill);
}

/* Of 32 integers, whose tiers are the bits of `selectors`. */
static size_t count_bits(const uint8_t *widths, uint64_t selectors, size_t count)
{
    const uint64_t ones = UINT64_C(0x5555555555555555);
    uint64_t low = selectors & ones, high = selectors >> 1 & ones;
    size_t third = (size_t)__builtin_popcountll(low & high);
    size_t second = (size_t)__builtin_popcountll(high) - third;
    size_t first = (size_t)__builtin_popcountll(low) - third;
    return (count - first - second - third) * widths[0] + first * widths[1] + second * widths[2] +
           third * widths[3];
}

/* False when the bits behind the last tier are not zero. */
static bool count_all_bits(const uint8_t *widths, struct bytes selectors, size_t count,
                           size_t *bits)
{
    uint64_t word = 0;
    *bits = 0;
    for (; count >= 32; count -= 32, selectors.ptr += sizeof word)
        *bits += count_bits(widths, load_u64(selectors.ptr), 32);
    memcpy(&word, selectors.ptr, bytes_of_bits(count * TIER_BITS));
    *bits += count_bits(widths, word, count);
    return word >> count * TIER_BITS == 0;
}

static inline uint64_t value_at(const uint8_t *from, size_t bit, unsigned width)
{
    return load_u64(from + bit / 8) >> bit % 8 & ((UINT64_C(1) << width) - 1);
}

/* Four integers with each byte of selectors: `values` has room for a multiple of four, and behind the
   last integer there are bits to read as more of them. */
VECTOR_CLONES
static void read_values(const uint8_t *from, const uint8_t *widths, const uint8_t *selectors,
                        uint64_t *values, size_t count)
{
    size_t bit = 0;
    for (size_t i = 0; i < count; i += 4) {
        unsigned four = selectors[i / 4];
        unsigned a = widths[four & 3], b = widths[four >> 2 & 3];
        unsigned c = widths[four >> 4 & 3], d = widths[four >> 6];
        values[i] = value_at(from, bit, a);
        values[i + 1] = value_at(from, bit + a, b);
        values[i + 2] = value_at(from, bit + a + b, c);
        values[i + 3] = value_at(from, bit + a + b + c, d);
        bit += a + b + c + d;
    }
}

bool tiers_read(struct reader *r, uint64_t *values, size_t count)
{
    struct bytes widths = reader_bytes(r, PACK_TIER_COUNT);
    struct bytes selectors = reader_bytes(r, bytes_of_bits(count * TIER_BITS));
    if (r->is_broken)
        return false;
    for (size_t tier = 0; tier < PACK_TIER_COUNT; tier++) {
        if (widths.ptr[tier] > WIDTH_ONE_LOAD_MAX)
            return false;
    }
    size_t bit_count;
    if (!count_all_bits(widths.ptr, selectors, count, &bit_count))
        return false;
    struct bytes bits = reader_bytes(r, bytes_of_bits(bit_count));
    if (r->is_broken)
        return false;
    uint8_t padded[BITS_BYTES_MAX];
    memcpy(padded, bits.ptr, bits.len);
    memset(padded + bits.len, 0, BITS_PADDING_BYTES);
    uint64_t fours[PACK_COUNT_MAX];
    read_values(padded, widths.ptr, selectors.ptr, fours, count);
    memcpy(values, fours, count * sizeof *values);
    return true;
}
