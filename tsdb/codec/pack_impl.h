/*
 * pack_impl: what the files of pack share.
 */
#ifndef CROFT_TSDB_PACK_IMPL_H
#define CROFT_TSDB_PACK_IMPL_H

#include "tsdb/codec/pack.h"

enum {
    /* widest integer that one unaligned 64-bit load holds whatever bit it starts at */
    WIDTH_ONE_LOAD_MAX = 57,
    /* exceptions, tiers and dictionaries cannot make less of narrow integers: nothing is planned */
    NARROW_WIDTH_MAX = 3,
    /* readable bytes that the readers of bits want behind the last bit: two integers and a load */
    BITS_PADDING_BYTES = 24,
    BITS_BYTES_MAX = PACK_COUNT_MAX * 8 + BITS_PADDING_BYTES,
};

static inline uint64_t mask_of(unsigned width)
{
    return width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
}

static inline size_t bytes_of_bits(size_t bits)
{
    return (bits + 7) / 8;
}

/* The size of an integer: below 4 itself, else its bit length and the two bits
   below the highest. */
enum { SIZES = 62 * 4 + 4 };

static inline size_t size_of(uint64_t value)
{
    unsigned length = bit_length(value);
    return length < 3 ? value : (length - 2) * 4 + (value >> (length - 3) & 3);
}

static inline unsigned length_of_size(size_t size)
{
    return size < 4 ? bit_length(size) : (unsigned)size / 4 + 2;
}

/* How many integers there are of each size. */
struct size_counts {
    uint8_t of[SIZES];
};

/* ---- pack_plain.c ---- */

/* The cheapest width for integers of these sizes, of which the longest is of `width` bits. */
struct pack_plain plain_plan(const struct size_counts *sizes, unsigned width, size_t count);
uint8_t *plain_write(uint8_t *to, const struct pack_plain *plain, const uint64_t *values,
                     size_t count, unsigned shift);
bool plain_read(struct reader *r, unsigned width, unsigned exception_count, uint64_t *values,
                size_t count);

/* `width` bits of each, without a list. */
uint8_t *bits_write(uint8_t *to, unsigned width, const uint64_t *values, size_t count,
                    unsigned shift);
bool bits_read(struct reader *r, unsigned width, uint64_t *values, size_t count);

/* ---- pack_tiers.c ---- */

enum { TIER_BITS = 2 };

/* Cheap tiers for integers of these sizes up to `max`; false when they do not stay below
   `bytes_end`. */
bool tiers_plan(struct pack_tiers *tiers, const struct size_counts *sizes, uint64_t max,
                size_t count, size_t bytes_end);
uint8_t *tiers_write(uint8_t *to, const struct pack_tiers *tiers, const uint64_t *values,
                     size_t count, unsigned shift);
bool tiers_read(struct reader *r, uint64_t *values, size_t count);

/* ---- pack_dictionary.c ---- */

enum { DICTIONARY_MAX = 64 };

/* The values among some integers. */
struct pack_values {
    size_t count;
    size_t bytes; /* of the entries of a dictionary of them */
};

/* False when there are more than DICTIONARY_MAX values. */
bool dictionary_plan(struct pack_values *found, const uint64_t *values, size_t count,
                     unsigned shift);
size_t dictionary_bytes(const struct pack_values *found, size_t count);
uint8_t *dictionary_write(uint8_t *to, const uint64_t *values, size_t count, unsigned shift);
bool dictionary_read(struct reader *r, uint64_t *values, size_t count);

/* ---- pack_sparse.c ---- */

/* Where the integers are that are not zero. */
struct sparse_places {
    size_t other_count;
    struct bytes bytes;
};

/* Of the places alone. */
size_t sparse_bytes(size_t other_count, size_t count);
/* Writes the places; `others` gets the integers that are not zero, as many as there are. */
uint8_t *sparse_write(uint8_t *to, const uint64_t *values, size_t count, uint64_t *others,
                      size_t other_count);
bool sparse_read(struct reader *r, size_t count, struct sparse_places *places);
/* Puts `others`, with one readable integer behind them, at their places, and zeros elsewhere. */
bool sparse_spread(const struct sparse_places *places, const uint64_t *others, uint64_t *values,
                   size_t count);

/* ---- unpack.c ---- */

/* `from` has BITS_PADDING_BYTES behind the bits. */
void unpack_bits(const uint8_t *from, unsigned width, uint64_t *values, size_t count);

#endif
