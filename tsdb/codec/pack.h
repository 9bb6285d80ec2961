/*
 * pack: small unsigned integers in as few bits as they need, in the one of several ways that takes
 * the fewest bytes.
 *
 * Format: docs/format/chunk.md, "Packed integers".
 */
#ifndef CROFT_TSDB_PACK_H
#define CROFT_TSDB_PACK_H

#include "base/codec.h"

/* Integers in one pack. */
enum { PACK_COUNT_MAX = 240 };
/* Header, and every integer in full width; exceptions are only used where they save bytes. */
enum { PACK_BYTES_MAX = 3 + PACK_COUNT_MAX * 8 + 8 };

enum { PACK_TIER_COUNT = 4 };

/* Ranges for integers of very different sizes: each says from which of them it is. */
struct pack_tiers {
    uint8_t widths[PACK_TIER_COUNT];
    size_t bytes; /* about, of everything but the header */
};

/* One width for all, and a list of what is too long for it. */
struct pack_plain {
    unsigned width;
    unsigned exception_count;
    size_t bytes; /* of everything but the headers */
};

enum pack_kind {
    PACK_PLAIN,
    PACK_TIERS,
    PACK_DICTIONARY,
};

/* How integers are going to be packed: to know the size before writing. */
struct pack_plan {
    bool is_sparse; /* zeros are left out, and the rest is about the others */
    size_t count;   /* of the integers that are not left out */
    enum pack_kind kind;
    unsigned shift;
    struct pack_plain plain;
    struct pack_tiers tiers;
    size_t bytes; /* of everything but the header; a few less or more than it is */
};

/* Of an integer without its leading zeros. */
static inline unsigned bit_length(uint64_t value)
{
    return value == 0 ? 0 : 64 - (unsigned)__builtin_clzll(value);
}

/* About how many bits they take: enough to tell which of several columns a plan is worth it for. */
size_t pack_estimate(const uint64_t *values, size_t count);
struct pack_plan pack_plan(const uint64_t *values, size_t count);
/* Writes at most PACK_BYTES_MAX bytes and returns the place behind what it wrote. `values` are
   those of the plan. */
uint8_t *pack_write(uint8_t *to, const struct pack_plan *plan, const uint64_t *values,
                    size_t count);
/* Both in one. */
uint8_t *pack_encode(uint8_t *to, const uint64_t *values, size_t count);
/* False when `r` does not hold `count` packed integers. */
bool pack_decode(struct reader *r, uint64_t *values, size_t count);

#endif
