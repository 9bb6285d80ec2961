/*
 * encoding: one way to write a column of a chunk; all of them are rows in the tables of chunk.c.
 *
 * A column is an array of 64-bit words: timestamps in two's complement, or the bit patterns of
 * values. An encoding that does not apply to a column says so; the last row of each table always
 * applies.
 *
 * Format: docs/format/chunk.md.
 */
#ifndef CROFT_TSDB_ENCODING_H
#define CROFT_TSDB_ENCODING_H

#include "base/codec.h"

struct encoding {
    const char *name;
    /* Writes at most COLUMN_BYTES_MAX bytes to `to` and returns the place behind them, or NULL when
       the encoding does not apply (what is behind `to` is then undefined). */
    uint8_t *(*encode)(uint8_t *to, const uint64_t *words, size_t count);
    /* False when `r` does not hold `count` words in this encoding. */
    bool (*decode)(struct reader *r, uint64_t *words, size_t count);
};

enum {
    COLUMN_WORDS_MAX = 240,
    /* packed integers of full width, an exception of 9 bytes for every third value, headers */
    COLUMN_BYTES_MAX = COLUMN_WORDS_MAX * 8 + COLUMN_WORDS_MAX / 3 * 9 + 64,
};

extern const struct encoding encoding_ts_regular;
extern const struct encoding encoding_ts_packed;
extern const struct encoding encoding_value_constant;
extern const struct encoding encoding_value_decimal;
extern const struct encoding encoding_value_xor;

#endif
