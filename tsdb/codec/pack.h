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

/* Writes at most PACK_BYTES_MAX bytes and returns the place behind what it wrote. */
uint8_t *pack_encode(uint8_t *to, const uint64_t *values, size_t count);
/* False when `r` does not hold `count` packed integers. */
bool pack_decode(struct reader *r, uint64_t *values, size_t count);

#endif
