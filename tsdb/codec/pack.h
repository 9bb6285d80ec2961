/*
 * pack: small unsigned integers in as few bits as most of them need, the others as exceptions.
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

enum { PACK_TIERS = 4 };

/* Widths for integers of very different sizes: each says which of them it takes. */
struct pack_tiers {
    uint8_t widths[PACK_TIERS]; /* increasing, or repeating the last */
    size_t bytes;               /* of everything but the header */
};

/* How integers are going to be packed: to know the size before writing. */
struct pack_plan {
    unsigned width;
    unsigned shift;
    unsigned exception_count;
    size_t bytes; /* of everything but the header; one less than it is when there is a shift */
    bool has_tiers;
    struct pack_tiers tiers;
};

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
