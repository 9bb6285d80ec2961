/*
 * float_text: the C++ library's exact conversions between doubles and decimal text, for C.
 *
 * Only number_parse.c and number_print.c use it. libstdc++ has Ryu (shortest digits that read back)
 * and Eisel-Lemire (correctly rounded reading); both know no locale.
 */
#ifndef CROFT_BASE_FLOAT_TEXT_H
#define CROFT_BASE_FLOAT_TEXT_H

#include "base/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FLOAT_DIGITS_MAX = 17 };

/* |value| = 0.d1d2d3... x 10^exponent, without trailing zeros. */
struct float_digits {
    char digits[FLOAT_DIGITS_MAX];
    int count;
    int exponent;
};

/* `value` is finite and greater than 0. */
struct float_digits float_shortest_digits(double value);

/* `text` is [digits][.digits][e[sign]digits] with at least one digit before the exponent, without a
   sign; with `is_hex` the digits are hexadecimal and the exponent is a binary one after 'p'. False
   when the number is too large or too small for a double that is not 0. */
bool float_parse(struct str text, bool is_hex, double *out);

#ifdef __cplusplus
}
#endif

#endif
