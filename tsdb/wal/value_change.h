/*
 * value_change: one value of the log, told by what has changed since the last one of its series.
 *
 * Most values that change are decimal fractions of few digits, whose difference is a small count of
 * thousandths or billionths. Some are told in full, so that damage does not reach further than
 * VALUE_AGE_MAX values of a series.
 *
 * Format: docs/format/wal.md, "Values".
 */
#ifndef CROFT_TSDB_VALUE_CHANGE_H
#define CROFT_TSDB_VALUE_CHANGE_H

#include <stdbool.h>

#include "tsdb/wal/last_values.h"

/* So many values at most follow from one that was told in full, itself included. */
enum { VALUE_AGE_MAX = 16 };

/* A code has four bits, but for VALUE_SAME, which is not written. */
enum { VALUE_CODES = 16, VALUE_SAME = VALUE_CODES, VALUE_BYTES_MAX = 8 };

struct value_change {
    uint64_t bytes; /* little-endian; those behind `len` are zero */
    unsigned len;
    unsigned code;
};

/* How many bytes a value of this code has. */
extern const uint8_t value_code_lens[VALUE_CODES];

/* How to tell the value with these bits, which becomes the last one. */
struct value_change value_change_to(struct last_value last, uint64_t bits);

enum value_told {
    VALUE_TOLD,    /* it has become the last one */
    VALUE_UNKNOWN, /* it follows from one that is not known */
    VALUE_WRONG,   /* no writer has told it like this */
};
enum value_told value_change_apply(struct last_value last, unsigned code, uint64_t bytes);

#endif
