#include "tsdb/wal/value_change.h"

#include <math.h>

#include "base/codec.h"

/* How the bytes of a value that has changed are meant. */
enum code {
    CODE_FULL = 0,         /* + n: its n most significant bytes, 0..6; the others are zero */
    CODE_FULL8 = 7,        /* all of it */
    CODE_XOR6 = 8,         /* the 6 bytes in which it differs from the last one */
    CODE_XOR7 = 9,         /* the same, 7 */
    CODE_WHOLE = 10,       /* + n - 1: difference of whole numbers in n bytes, 1..3 */
    CODE_THOUSANDTHS = 13, /* difference in thousandths, in 2 bytes */
    CODE_BILLIONTHS = 14,  /* + n - 3: difference in billionths, in n bytes, 3..4 */
};

const uint8_t value_code_lens[VALUE_CODES] = {0, 1, 2, 3, 4, 5, 6, 8, 6, 7, 1, 2, 3, 2, 3, 4};

enum { FULL_BYTES_MAX = 6 };

/* What differences are counted in. */
struct unit {
    double per_one;  /* so many are 1 */
    double last_max; /* below this a value and its multiple are told apart from their neighbours */
    unsigned code;   /* of the shortest */
    unsigned len_min;
    unsigned len_max;
};

static const struct unit units[] = {
    {1, 9007199254740992.0, CODE_WHOLE, 1, 3},      /* 2^53 */
    {1e3, 8796093022208.0, CODE_THOUSANDTHS, 2, 2}, /* 2^43 */
    {1e9, 8388608.0, CODE_BILLIONTHS, 3, 4},        /* 2^23 */
};

enum { UNITS = sizeof units / sizeof *units };

/* ---- telling ---- */

static struct value_change change_in_full(uint64_t bits)
{
    unsigned len = bits == 0 ? 0 : 8 - (unsigned)__builtin_ctzll(bits) / 8;
    if (len > FULL_BYTES_MAX)
        return (struct value_change){bits, 8, CODE_FULL8};
    /* with len 0 the shift is 0 and so are the bits */
    return (struct value_change){bits >> ((64 - 8 * len) & 63), len, CODE_FULL + len};
}

static unsigned bytes_of(uint64_t value)
{
    return value == 0 ? 1 : 8 - (unsigned)__builtin_clzll(value) / 8;
}

/* To the nearest whole number, ties to even: reader and writer must agree. */
static int64_t count_of(const struct unit *unit, double value)
{
    return llrint(value * unit->per_one);
}

static double value_of(const struct unit *unit, int64_t count)
{
    return (double)count / unit->per_one;
}

static bool is_countable(const struct unit *unit, double value)
{
    return fabs(value) < unit->last_max;
}

/* Takes the difference when it is shorter. */
static void try_unit(struct value_change *best, const struct unit *unit, double last, double value)
{
    if (best->len <= unit->len_min || !is_countable(unit, last) || !is_countable(unit, value))
        return;
    int64_t count = count_of(unit, value);
    if (f64_bits(value_of(unit, count)) != f64_bits(value))
        return;
    uint64_t bytes = zigzag_encode(count - count_of(unit, last));
    unsigned len = bytes_of(bytes);
    if (len < unit->len_min)
        len = unit->len_min;
    if (len <= unit->len_max && len < best->len)
        *best = (struct value_change){bytes, len, unit->code + len - unit->len_min};
}

static void try_xor(struct value_change *best, uint64_t last, uint64_t bits)
{
    uint64_t bytes = bits ^ last;
    if (best->len > 6 && bytes >> 48 == 0)
        *best = (struct value_change){bytes, 6, CODE_XOR6};
    else if (best->len > 7 && bytes >> 56 == 0)
        *best = (struct value_change){bytes, 7, CODE_XOR7};
}

/* The shortest; in full when that is as short. */
static struct value_change change_from(uint64_t last, uint64_t bits)
{
    struct value_change best = change_in_full(bits);
    for (size_t i = 0; i < UNITS; i++)
        try_unit(&best, &units[i], f64_from_bits(last), f64_from_bits(bits));
    try_xor(&best, last, bits);
    return best;
}

struct value_change value_change_to(struct last_value last, uint64_t bits)
{
    struct value_change change;
    if (*last.age == 0 || *last.age == VALUE_AGE_MAX)
        change = change_in_full(bits);
    else if (bits == *last.bits)
        change = (struct value_change){.code = VALUE_SAME};
    else
        change = change_from(*last.bits, bits);
    *last.age = change.code <= CODE_FULL8 ? 1 : (uint8_t)(*last.age + 1);
    *last.bits = bits;
    return change;
}

/* ---- reading ---- */

static const struct unit *unit_of(unsigned code)
{
    size_t i = UNITS - 1;
    while (code < units[i].code)
        i--;
    return &units[i];
}

/* False when no writer has told the value like this. */
static bool add_difference(uint64_t last_bits, unsigned code, uint64_t bytes, uint64_t *bits)
{
    const struct unit *unit = unit_of(code);
    double last = f64_from_bits(last_bits);
    if (!is_countable(unit, last))
        return false;
    *bits = f64_bits(value_of(unit, count_of(unit, last) + zigzag_decode(bytes)));
    return true;
}

static bool change_to(uint64_t last, unsigned code, uint64_t bytes, uint64_t *bits)
{
    if (code == CODE_XOR6 || code == CODE_XOR7) {
        *bits = last ^ bytes;
        return true;
    }
    return add_difference(last, code, bytes, bits);
}

enum value_told value_change_apply(struct last_value last, unsigned code, uint64_t bytes)
{
    if (code <= CODE_FULL8) {
        *last.bits = code == CODE_FULL ? 0 : bytes << (64 - 8 * value_code_lens[code]);
        *last.age = 1;
        return VALUE_TOLD;
    }
    if (*last.age == 0)
        return VALUE_UNKNOWN;
    bool is_told = code == VALUE_SAME || change_to(*last.bits, code, bytes, last.bits);
    return is_told ? VALUE_TOLD : VALUE_WRONG;
}
