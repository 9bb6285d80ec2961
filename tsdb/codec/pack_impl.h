/*
 * pack_impl: what the files of pack share.
 */
#ifndef CROFT_TSDB_PACK_IMPL_H
#define CROFT_TSDB_PACK_IMPL_H

#include "tsdb/codec/pack.h"

enum {
    /* widest integer that one unaligned 64-bit load holds whatever bit it starts at */
    WIDTH_ONE_LOAD_MAX = 57,
    /* readable bytes that the readers of bits want behind the last bit: two integers and a load */
    BITS_PADDING_BYTES = 24,
    BITS_BYTES_MAX = PACK_COUNT_MAX * 8 + BITS_PADDING_BYTES,
};

static inline unsigned bit_length(uint64_t value)
{
    return value == 0 ? 0 : 64 - (unsigned)__builtin_clzll(value);
}

static inline uint64_t mask_of(unsigned width)
{
    return width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
}

static inline size_t bytes_of_bits(size_t bits)
{
    return (bits + 7) / 8;
}

/* How many integers there are of each bit length. */
struct length_counts {
    uint8_t of[65];
};

/* ---- pack_tiers.c ---- */

enum { TIER_BITS = 2 };

/* The cheapest tiers for integers of these lengths; false when there is nothing to gain. */
bool tiers_plan(struct pack_tiers *tiers, const struct length_counts *lengths, size_t count);
uint8_t *tiers_write(uint8_t *to, const struct pack_tiers *tiers, const uint64_t *values,
                     size_t count, unsigned shift);
bool tiers_read(struct reader *r, uint64_t *values, size_t count);

/* ---- unpack.c ---- */

/* `from` has BITS_PADDING_BYTES behind the bits. */
void unpack_bits(const uint8_t *from, unsigned width, uint64_t *values, size_t count);

#endif
