/*
 * number: text to number and back, strict and independent of the locale.
 */
#ifndef CROFT_BASE_NUMBER_H
#define CROFT_BASE_NUMBER_H

#include "base/buffer.h"
#include "base/bytes.h"

/* The whole of `text` as a decimal or hexadecimal float, "Inf", "+Inf", "-Inf" or "NaN" in any
   case, as Go's strconv.ParseFloat accepts, without '_'. False when it is anything else; values
   out of range become infinities and return true. */
bool parse_f64(struct str text, double *out);
/* The same with '_' between digits. */
bool parse_f64_grouped(struct str text, double *out);
/* Decimal digits with an optional sign; false on anything else or overflow. */
bool parse_i64(struct str text, int64_t *out);
bool parse_u64(struct str text, uint64_t *out);

/* What a digit of any base up to 16 is worth; 16 when `c` is none. */
int digit_value(int c);

/* Shortest decimal that reads back to the same bits, as Go's strconv 'f' format with precision -1
   inside 1e-6 <= |x| < 1e21, exponent form outside ("1e-07", "1e+21"); "NaN", "+Inf", "-Inf",
   "-0". This is how Prometheus' HTTP API and its PromQL printer write values. */
void append_f64(struct buffer *out, double value);
/* The same without exponents, however many zeros that takes: up to 327 bytes. */
void append_f64_plain(struct buffer *out, double value);

/* Milliseconds as seconds: "1700000000", "1700000000.050", "-0.001". */
void append_seconds(struct buffer *out, int64_t ts_ms);

#endif
