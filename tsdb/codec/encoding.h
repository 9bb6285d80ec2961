/*
 * encoding: one way to write a column of 64-bit words; and the tables of all of them.
 *
 * A column is timestamps in two's complement, or the bit patterns of values. An encoding that does
 * not apply to a column says so; the one that is tried last always applies.
 *
 * Format: docs/format/chunk.md. A row's number is stored: rows are only appended.
 */
#ifndef CROFT_TSDB_ENCODING_H
#define CROFT_TSDB_ENCODING_H

#include "base/codec.h"
#include "base/status.h"

struct encoding {
    const char *name;
    /* Writes at most COLUMN_BYTES_MAX bytes to `to` and returns the place behind them, or NULL when
       the encoding does not apply (what is behind `to` is then undefined). */
    uint8_t *(*encode)(uint8_t *to, const uint64_t *words, size_t count);
    /* False when `r` does not hold `count` words in this encoding. */
    bool (*decode)(struct reader *r, uint64_t *words, size_t count);
};

enum {
    ENCODINGS_MAX = 16, /* a number takes four bits */
    COLUMN_WORDS_MAX = 240,
    /* integers of full width, distances of 24 bits, the place of a stale marker, an exception of 9
       bytes for every third value; headers */
    COLUMN_BYTES_MAX = COLUMN_WORDS_MAX * (8 + 3 + 1) + COLUMN_WORDS_MAX / 3 * 9 + 128,
};

struct encoding_table {
    const char *column;                         /* what it is about, for errors */
    const struct encoding *rows[ENCODINGS_MAX]; /* by number */
    uint8_t tries[ENCODINGS_MAX];               /* numbers, in the order to try them; all rows */
};

extern const struct encoding_table ts_encodings;
extern const struct encoding_table value_encodings;

/* Writes 1 <= count <= COLUMN_WORDS_MAX words in the smallest encoding to `to` (COLUMN_BYTES_MAX)
   and returns the length. */
size_t column_encode(const struct encoding_table *table, const uint64_t *words, size_t count,
                     uint8_t *to, unsigned *number);
/* STATUS_CORRUPT: no such encoding, or `r` does not begin with `count` words in it. */
MUST_USE enum status column_decode(const struct encoding_table *table, unsigned number,
                                   struct reader *r, uint64_t *words, size_t count,
                                   struct error *err);
/* NULL: there is no such encoding. */
const char *encoding_name(const struct encoding_table *table, unsigned number);

extern const struct encoding encoding_ts_regular;
extern const struct encoding encoding_ts_packed;
extern const struct encoding encoding_value_constant;
extern const struct encoding encoding_value_decimal;
extern const struct encoding encoding_value_rounded;
extern const struct encoding encoding_value_xor;

#endif
