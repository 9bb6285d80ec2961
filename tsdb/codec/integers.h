/*
 * integers: a column of int64, packed: as their distances from a base, or those of the differences
 * between neighbours.
 *
 * Which of the four layouts is the smallest is found when encoding; whoever calls keeps its flags.
 *
 * Format: docs/format/chunk.md, "Integers".
 */
#ifndef CROFT_TSDB_INTEGERS_H
#define CROFT_TSDB_INTEGERS_H

#include "tsdb/codec/pack.h"

/* Flags of a layout: bits of the header of the encodings that use it. */
enum {
    INTEGERS_DIFFERENCES = 0x20,
    INTEGERS_ZIGZAG = 0x80, /* distances to both sides of the base, not only above it */
    INTEGERS_LAYOUT = INTEGERS_DIFFERENCES | INTEGERS_ZIGZAG,
};

/* Two varints, and the packed distances. */
enum { INTEGERS_BYTES_MAX = 2 * VARINT_BYTES_MAX + PACK_BYTES_MAX };

/* 1 <= count <= PACK_COUNT_MAX; differences and distances are modulo 2^64. Returns the place behind
   what it wrote. */
uint8_t *integers_encode(uint8_t *to, const int64_t *integers, size_t count, unsigned *layout);
/* Makes differences, each `base` above its value, sums that begin behind `first`. */
void integers_add_up(uint64_t *values, size_t count, uint64_t first, uint64_t base);
/* False when `r` does not hold `count` integers in this layout; other bits of it are ignored. */
bool integers_decode(struct reader *r, unsigned layout, uint64_t *integers, size_t count);

#endif
