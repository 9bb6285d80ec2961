/*
 * Decimals that arithmetic has rounded: milliseconds times 0.001, a quotient of a quotient, a sum
 * of many short fractions. They are a few units in the last place beside the double that is nearest
 * to the decimal fraction: m / 10^e as in decimals.h, and the distance of the two patterns.
 *
 * With one more digit m takes log2(10) bits more and the distance as many less, until the distance
 * is only what the arithmetic did: there the two together are smallest.
 */
#include "tsdb/codec/decimals.h"
#include "tsdb/codec/integers.h"

enum {
    PROBES = 8,
    BIT = 100,              /* costs are in hundredths of bits */
    BITS_OF_DIGIT = 332,    /* log2(10) */
    DISTANCE_BITS_MAX = 24, /* more, and the digits were not the value's own */
};

/* False when the value is out of the range of the integers. */
static inline bool split(uint64_t word, unsigned exponent, int64_t *integer, int64_t *distance)
{
    double scaled = f64_from_bits(word) * decimals_power[exponent];
    if (!(scaled > -DECIMALS_ROUNDING_MAX && scaled < DECIMALS_ROUNDING_MAX))
        return false;
    *integer = decimals_round(scaled);
    *distance = (int64_t)(word - f64_bits((double)*integer / decimals_power[exponent]));
    return zigzag_encode(*distance) >> DISTANCE_BITS_MAX == 0;
}

/* What an exponent costs, by a few values; exceptions cost a whole word. */
static unsigned cost_of(const uint64_t *words, size_t count, unsigned exponent)
{
    unsigned cost = PROBES * exponent * BITS_OF_DIGIT;
    for (size_t i = 0; i < PROBES; i++) {
        int64_t integer, distance;
        uint64_t word = words[i * (count - 1) / (PROBES - 1)];
        bool is_split = split(word, exponent, &integer, &distance);
        cost += (is_split ? bit_length(zigzag_encode(distance)) : 64) * BIT;
    }
    return cost;
}

static unsigned find_exponent(const uint64_t *words, size_t count)
{
    unsigned best = 0, best_cost = UINT32_MAX;
    for (unsigned exponent = 0; exponent <= DECIMALS_EXPONENT_MAX; exponent++) {
        unsigned cost = cost_of(words, count, exponent);
        if (cost >= best_cost)
            continue;
        best = exponent;
        best_cost = cost;
    }
    return best;
}

static bool split_all(struct decimals *decimals, int64_t *distances, const uint64_t *words,
                      size_t count)
{
    decimals_reset(decimals);
    for (size_t i = 0; i < count; i++) {
        if (split(words[i], decimals->exponent, &decimals->integers[i], &distances[i]))
            continue;
        distances[i] = 0;
        if (!decimals_add_exception(decimals, words, i, count))
            return false;
    }
    decimals_fill_leading(decimals, count);
    return true;
}

static uint8_t *value_rounded_encode(uint8_t *to, const uint64_t *words, size_t count)
{
    struct decimals decimals = {.exponent = find_exponent(words, count)};
    int64_t distances[COLUMN_WORDS_MAX];
    unsigned layout;
    if (!split_all(&decimals, distances, words, count))
        return NULL;
    to = decimals_write(to, &decimals, words, count);
    uint8_t *header = to++;
    to = integers_encode(to, distances, count, &layout);
    *header = (uint8_t)layout;
    return to;
}

static bool value_rounded_decode(struct reader *r, uint64_t *words, size_t count)
{
    struct decimals_exceptions exceptions;
    uint64_t distances[COLUMN_WORDS_MAX];
    if (!decimals_read(r, words, count, &exceptions))
        return false;
    unsigned layout = reader_u8(r);
    if ((layout & ~(unsigned)INTEGERS_LAYOUT) != 0 || !integers_decode(r, layout, distances, count))
        return false;
    for (size_t i = 0; i < count; i++)
        words[i] += distances[i];
    return decimals_restore(&exceptions, words, count);
}

const struct encoding encoding_value_rounded = {"rounded", value_rounded_encode,
                                                value_rounded_decode};
