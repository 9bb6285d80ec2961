/*
 * Values that are short decimals, which is most of what people measure.
 *
 * A value that was made by parsing text, or as one quotient, is the double nearest to its decimal
 * fraction, and so is what dividing gives (decimals.h). Whether it comes back bit by bit is tried
 * out for each; what does not (NaN, infinities, -0, long fractions) is an exception.
 */
#include "tsdb/codec/decimals.h"
#include "tsdb/model/sample.h"

#define INT64_RANGE 0x1p63

enum {
    /* exceptions that are numbers, one in so many, ask for one more digit; when none helps, another
       encoding is better */
    MISFITS_MAX = 16,
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
    double scaled = value * decimals_power[exponent];
    if (!(scaled > -DECIMALS_ROUNDING_MAX && scaled < DECIMALS_ROUNDING_MAX))
        return false;
    *integer = decimals_round(scaled);
    return f64_bits((double)*integer / decimals_power[exponent]) == word;
}

/* The smallest exponent from `from` on that fits `word`, or DECIMALS_EXPONENT_MAX + 1. */
static unsigned find_exponent(uint64_t word, unsigned from)
{
    int64_t integer;
    unsigned exponent = from;
    while (exponent <= DECIMALS_EXPONENT_MAX && !to_integer(word, exponent, &integer))
        exponent++;
    return exponent;
}

/* The first value from `at` on; stale markers are none. */
static uint64_t value_from(const uint64_t *words, size_t count, size_t at)
{
    while (at + 1 < count && words[at] == STALE_NAN_BITS)
        at++;
    return words[at];
}

/* The exponent that four values of the column ask for, or DECIMALS_EXPONENT_MAX + 1 when two of
   them have none. */
static unsigned guess_exponent(const uint64_t *words, size_t count)
{
    unsigned exponent = 0, misfits = 0;
    for (size_t i = 0; i < 4; i++) {
        unsigned fits = find_exponent(value_from(words, count, i * (count - 1) / 3), exponent);
        if (fits <= DECIMALS_EXPONENT_MAX)
            exponent = fits;
        else if (++misfits == 2)
            return DECIMALS_EXPONENT_MAX + 1;
    }
    return exponent;
}

/* What a try with one exponent found out. */
struct trial {
    bool fits;      /* few enough exceptions */
    size_t misfits; /* of them, how many are numbers */
    size_t misfit;  /* the last of those */
};

static struct trial to_integers(struct decimals *decimals, const uint64_t *words, size_t count)
{
    struct trial trial = {.fits = true};
    decimals_reset(decimals);
    for (size_t i = 0; i < count && trial.fits; i++) {
        if (to_integer(words[i], decimals->exponent, &decimals->integers[i]))
            continue;
        if (decimals_is_finite(words[i])) {
            trial.misfits++;
            trial.misfit = i;
        }
        trial.fits = decimals_add_exception(decimals, words, i, count);
    }
    return trial;
}

static bool find_decimals(struct decimals *decimals, const uint64_t *words, size_t count)
{
    decimals->exponent = guess_exponent(words, count);
    while (decimals->exponent <= DECIMALS_EXPONENT_MAX) {
        struct trial trial = to_integers(decimals, words, count);
        if (trial.misfits * MISFITS_MAX <= count)
            return trial.fits;
        /* the guess was too small for a value it did not look at */
        decimals->exponent = find_exponent(words[trial.misfit], decimals->exponent + 1);
    }
    return false;
}

static uint8_t *value_decimal_encode(uint8_t *to, const uint64_t *words, size_t count)
{
    struct decimals decimals;
    if (!find_decimals(&decimals, words, count))
        return NULL;
    decimals_fill_leading(&decimals, count);
    return decimals_write(to, &decimals, words, count);
}

static bool value_decimal_decode(struct reader *r, uint64_t *words, size_t count)
{
    struct decimals_exceptions exceptions;
    return decimals_read(r, words, count, &exceptions) &&
           decimals_restore(&exceptions, words, count);
}

const struct encoding encoding_value_decimal = {"decimal", value_decimal_encode,
                                                value_decimal_decode};
