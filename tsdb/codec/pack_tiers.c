/*
 * Integers of very different sizes: each says with two bits which of four ranges it is from, and
 * how far it is above where that begins. The ranges follow each other, each as wide as a power of
 * two.
 *
 * What varies around a mean, as most measurements do, has many small distances from it and few
 * large ones: one width for all wastes bits on most, and an entropy coder would take more time to
 * read than it saves bytes here.
 */
#include "tsdb/codec/pack_impl.h"
#include "tsdb/codec/vector.h"

enum {
    ROUNDS_MAX = 12,
    STEP_MAX = 2,
};

/* ---- planning ---- */

/* How many integers are below a limit, by their sizes. */
struct shape {
    uint64_t max;
    size_t count;
    const struct size_counts *sizes;
    uint8_t totals[SIZES + 1]; /* of the sizes below */
};

static void fill_shape(struct shape *shape, const struct size_counts *sizes, uint64_t max,
                       size_t count)
{
    size_t last = size_of(max);
    *shape = (struct shape){.max = max, .count = count, .sizes = sizes};
    for (size_t size = 0; size <= last; size++)
        shape->totals[size + 1] = (uint8_t)(shape->totals[size] + sizes->of[size]);
}

/* As if those of one size were spread evenly. */
static size_t count_below(const struct shape *shape, uint64_t limit)
{
    if (limit > shape->max)
        return shape->count;
    unsigned length = bit_length(limit);
    size_t size = size_of(limit), part = 0;
    if (length > 3)
        part = (shape->sizes->of[size] * (limit & mask_of(length - 3))) >> (length - 3);
    return shape->totals[size] + part;
}

static unsigned last_width(uint64_t start, uint64_t max)
{
    return start > max ? 0 : bit_length(max - start);
}

/* Of all integers; sets the last width, which the others leave no choice. */
static size_t count_bits_of(const struct shape *shape, uint8_t *widths)
{
    uint64_t start = 0;
    size_t done = 0, bits = 0;
    for (size_t tier = 0; tier < PACK_TIER_COUNT - 1; tier++) {
        start += UINT64_C(1) << widths[tier];
        size_t below = count_below(shape, start);
        bits += (below - done) * widths[tier];
        done = below;
    }
    widths[PACK_TIER_COUNT - 1] = (uint8_t)last_width(start, shape->max);
    return bits + (shape->count - done) * widths[PACK_TIER_COUNT - 1];
}

/* A quarter of the integers for each tier. */
static void guess_widths(const struct shape *shape, uint8_t *widths)
{
    size_t size = 0;
    for (size_t tier = 0; tier < PACK_TIER_COUNT - 1; tier++) {
        while (shape->totals[size + 1] * PACK_TIER_COUNT <= shape->count * (tier + 1))
            size++;
        widths[tier] = (uint8_t)length_of_size(size);
        if (tier > 0 && widths[tier] > widths[tier - 1])
            widths[tier]--;
    }
}

/* Widens and narrows one tier; true when that took fewer bits. */
static bool improve(const struct shape *shape, struct pack_tiers *tiers, size_t tier, size_t *bits)
{
    bool has_improved = false;
    int width = tiers->widths[tier], length_max = (int)bit_length(shape->max);
    for (int step = -STEP_MAX; step <= STEP_MAX; step++) {
        struct pack_tiers trial = *tiers;
        if (step == 0 || width + step < 0 || width + step > length_max)
            continue;
        trial.widths[tier] = (uint8_t)(width + step);
        size_t trial_bits = count_bits_of(shape, trial.widths);
        if (trial_bits >= *bits)
            continue;
        *bits = trial_bits;
        *tiers = trial;
        has_improved = true;
    }
    return has_improved;
}

static size_t find_widths(const struct shape *shape, struct pack_tiers *tiers)
{
    guess_widths(shape, tiers->widths);
    size_t bits = count_bits_of(shape, tiers->widths);
    bool has_improved = true;
    for (size_t round = 0; round < ROUNDS_MAX && has_improved; round++) {
        has_improved = false;
        for (size_t tier = 0; tier < PACK_TIER_COUNT - 1; tier++)
            has_improved = improve(shape, tiers, tier, &bits) || has_improved;
    }
    return bits;
}

/* With a range for each length there is. */
static size_t bits_min(const struct size_counts *sizes, uint64_t max)
{
    size_t bits = 0, last = size_of(max);
    for (size_t size = 2; size <= last; size++)
        bits += (length_of_size(size) - 1) * sizes->of[size];
    return bits;
}

static size_t bytes_of(size_t bits, size_t count)
{
    return PACK_TIER_COUNT + bytes_of_bits(count * TIER_BITS) + bytes_of_bits(bits);
}

bool tiers_plan(struct pack_tiers *tiers, const struct size_counts *sizes, uint64_t max,
                size_t count, size_t bytes_end)
{
    struct shape shape;
    if (bit_length(max) > WIDTH_ONE_LOAD_MAX || bytes_of(bits_min(sizes, max), count) >= bytes_end)
        return false;
    fill_shape(&shape, sizes, max, count);
    tiers->bytes = bytes_of(find_widths(&shape, tiers), count);
    return tiers->bytes < bytes_end;
}

/* ---- writing ---- */

/* Where each tier begins. */
static void find_starts(const uint8_t *widths, uint64_t *starts)
{
    starts[0] = 0;
    for (size_t tier = 1; tier < PACK_TIER_COUNT; tier++)
        starts[tier] = starts[tier - 1] + (UINT64_C(1) << widths[tier - 1]);
}

static unsigned tier_of(const uint64_t *starts, uint64_t value)
{
    unsigned tier = 0;
    for (size_t i = 1; i < PACK_TIER_COUNT; i++)
        tier += value >= starts[i];
    return tier;
}

uint8_t *tiers_write(uint8_t *to, const struct pack_tiers *tiers, const uint64_t *values,
                     size_t count, unsigned shift)
{
    uint64_t starts[PACK_TIER_COUNT];
    find_starts(tiers->widths, starts);
    memcpy(to, tiers->widths, PACK_TIER_COUNT);
    uint8_t *selectors = to + PACK_TIER_COUNT;
    uint8_t *bits = selectors + bytes_of_bits(count * TIER_BITS);
    memset(selectors, 0, (size_t)(bits - selectors));
    unsigned fill = 0;
    uint64_t word = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned tier = tier_of(starts, values[i] >> shift), width = tiers->widths[tier];
        uint64_t distance = (values[i] >> shift) - starts[tier];
        selectors[i / 4] |= (uint8_t)(tier << i % 4 * TIER_BITS);
        word |= distance << fill;
        fill += width;
        if (fill < 64)
            continue;
        store_u64(bits, word);
        bits += 8;
        fill -= 64;
        word = fill == 0 ? 0 : distance >> (width - fill);
    }
    store_u64(bits, word);
    return bits + bytes_of_bits(fill);
}

/* ---- reading ---- */

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

/* Four integers with each byte of selectors: `values` has room for a multiple of four, and behind
   the last integer there are bits to read as more of them. */
VECTOR_CLONES
static void read_values(const uint8_t *from, const uint8_t *widths, const uint8_t *selectors,
                        uint64_t *values, size_t count)
{
    uint64_t starts[PACK_TIER_COUNT];
    find_starts(widths, starts);
    size_t bit = 0;
    for (size_t i = 0; i < count; i += 4) {
        unsigned four = selectors[i / 4];
        unsigned a = four & 3, b = four >> 2 & 3, c = four >> 4 & 3, d = four >> 6;
        values[i] = starts[a] + value_at(from, bit, widths[a]);
        bit += widths[a];
        values[i + 1] = starts[b] + value_at(from, bit, widths[b]);
        bit += widths[b];
        values[i + 2] = starts[c] + value_at(from, bit, widths[c]);
        bit += widths[c];
        values[i + 3] = starts[d] + value_at(from, bit, widths[d]);
        bit += widths[d];
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
