/*
 * decimals: values as integers m with value = m / 10^e, one e for a column; values that are no such
 * quotient are exceptions, whose patterns are kept as they are.
 *
 * m / 10^e is one division of two exact doubles, so it gives the double nearest to the decimal
 * fraction, on every machine the same.
 *
 * Format: docs/format/chunk.md, "Decimals".
 */
#ifndef CROFT_TSDB_DECIMALS_H
#define CROFT_TSDB_DECIMALS_H

#include "tsdb/codec/encoding.h"

enum {
    DECIMALS_EXPONENT_MAX = 17,
    /* the header of an encoding with decimals; the other bits are the layout of the integers */
    DECIMALS_EXPONENT_MASK = 0x1f,
    DECIMALS_EXCEPTIONS = 0x40,
};

extern const double decimals_power[DECIMALS_EXPONENT_MAX + 1];

/* Beyond it doubles are whole numbers, and rounding as below no longer works. */
#define DECIMALS_ROUNDING_MAX 0x1p51

/* The nearest integer; |scaled| < DECIMALS_ROUNDING_MAX. */
static inline int64_t decimals_round(double scaled)
{
    const double magic = 0x1.8p52; /* adding it and taking it away leaves no fraction */
    return (int64_t)(scaled + magic - magic);
}

static inline bool decimals_is_finite(uint64_t word)
{
    return (word >> 52 & 0x7ff) != 0x7ff;
}

/* Stale markers are exceptions of one pattern, and most of those there are: they may be any number.
   Indexes increase. */
struct decimals {
    int64_t integers[COLUMN_WORDS_MAX];
    uint8_t stale[COLUMN_WORDS_MAX];
    uint8_t others[COLUMN_WORDS_MAX / 4 + 1];
    unsigned stale_count;
    unsigned other_count;
    unsigned exponent;
};

/* What is read of the exceptions before their places are known. */
struct decimals_exceptions {
    struct bytes stale;
    struct bytes others;
};

/* Without exceptions so far. */
void decimals_reset(struct decimals *decimals);
/* Makes `index`, above that of every exception so far, one more. False when there are too many: the
   column is not decimal. */
bool decimals_add_exception(struct decimals *decimals, const uint64_t *words, size_t index,
                            size_t count);
/* Gives the exceptions in front of the first integer a value that costs nothing; once all are
   known. */
void decimals_fill_leading(struct decimals *decimals, size_t count);

/* Header, exceptions, integers. Returns the place behind what it wrote. */
uint8_t *decimals_write(uint8_t *to, const struct decimals *decimals, const uint64_t *words,
                        size_t count);
/* Reads what decimals_write wrote, and divides. The exceptions are not in their places yet:
   `*exceptions` is for decimals_restore. */
bool decimals_read(struct reader *r, uint64_t *words, size_t count,
                   struct decimals_exceptions *exceptions);
bool decimals_restore(const struct decimals_exceptions *exceptions, uint64_t *words, size_t count);

#endif
