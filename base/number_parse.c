#include "base/number.h"

#include <math.h>

#include "base/codec.h"
#include "base/float_text.h"
#include "base/words.h"

/* As Prometheus' value.NormalNaN; other NaNs have meanings of their own (stale markers). */
static const uint64_t NAN_BITS = 0x7ff8000000000001u;

/* Longer than any number that makes sense. */
enum { GROUPED_TEXT_MAX = 512 };

static bool is_hex_digit(int c)
{
    return digit_value(c) < 16;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

int digit_value(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 16;
}

static bool is_word(struct str text, struct str lower_word)
{
    if (text.len != lower_word.len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (lower(text.ptr[i]) != lower_word.ptr[i])
            return false;
    }
    return true;
}

/* Takes a sign off the front of `text`; true for '-'. */
static bool take_sign(struct str *text)
{
    if (text->len == 0 || (text->ptr[0] != '-' && text->ptr[0] != '+'))
        return false;
    bool is_negative = text->ptr[0] == '-';
    *text = str_slice(*text, 1, text->len);
    return is_negative;
}

static size_t count_digits(struct str text, size_t from, bool (*is_wanted)(int))
{
    size_t at = from;
    while (at < text.len && is_wanted(text.ptr[at]))
        at++;
    return at - from;
}

/* digits[.digits][e[sign]digits]; with 'p', which may not be missing, in hexadecimal numbers. */
static bool is_float_syntax(struct str text, bool is_hex)
{
    bool (*is_wanted)(int) = is_hex ? is_hex_digit : is_digit;
    size_t before_dot = count_digits(text, 0, is_wanted);
    size_t at = before_dot;
    size_t after_dot = 0;
    if (at < text.len && text.ptr[at] == '.') {
        after_dot = count_digits(text, at + 1, is_wanted);
        at += 1 + after_dot;
    }
    if (before_dot + after_dot == 0)
        return false;
    if (at == text.len)
        return !is_hex;
    if (lower(text.ptr[at]) != (is_hex ? 'p' : 'e'))
        return false;
    at++;
    if (at < text.len && (text.ptr[at] == '-' || text.ptr[at] == '+'))
        at++;
    return at < text.len && at + count_digits(text, at, is_digit) == text.len;
}

/* Of a number that is too large or too small: whether it is too large. The exponent decides, unless
   there are so many digits that they outweigh it. */
static bool is_huge(struct str text, bool is_hex)
{
    bool (*is_wanted)(int) = is_hex ? is_hex_digit : is_digit;
    size_t zeros = 0;
    while (zeros < text.len && text.ptr[zeros] == '0')
        zeros++;
    size_t before_dot = count_digits(text, zeros, is_wanted);
    int64_t magnitude = (int64_t)before_dot;
    if (before_dot == 0 && zeros < text.len && text.ptr[zeros] == '.') {
        for (size_t i = zeros + 1; i < text.len && text.ptr[i] == '0'; i++)
            magnitude--;
    }
    size_t mark = 0;
    while (mark < text.len && lower(text.ptr[mark]) != (is_hex ? 'p' : 'e'))
        mark++;
    struct str exponent_text = str_slice(text, mark + 1, text.len);
    bool is_negative = exponent_text.len > 0 && exponent_text.ptr[0] == '-';
    int64_t exponent = 0;
    if (exponent_text.len > 0 && !parse_i64(exponent_text, &exponent))
        return !is_negative;
    return exponent / (is_hex ? 4 : 1) > -magnitude;
}

static bool is_zero(struct str text, bool is_hex)
{
    for (size_t i = 0; i < text.len && lower(text.ptr[i]) != (is_hex ? 'p' : 'e'); i++) {
        if (text.ptr[i] != '0' && text.ptr[i] != '.')
            return false;
    }
    return true;
}

static bool parse_magnitude(struct str text, double *out)
{
    bool is_hex = text.len > 1 && text.ptr[0] == '0' && lower(text.ptr[1]) == 'x';
    if (is_hex)
        text = str_slice(text, 2, text.len);
    if (!is_float_syntax(text, is_hex))
        return false;
    if (is_zero(text, is_hex))
        *out = 0;
    else if (!float_parse(text, is_hex, out))
        *out = is_huge(text, is_hex) ? INFINITY : 0;
    return true;
}

bool parse_f64(struct str text, double *out)
{
    if (is_word(text, STR("nan"))) {
        *out = f64_from_bits(NAN_BITS);
        return true;
    }
    bool is_negative = take_sign(&text);
    double magnitude;
    if (is_word(text, STR("inf")) || is_word(text, STR("infinity")))
        magnitude = INFINITY;
    else if (!parse_magnitude(text, &magnitude))
        return false;
    *out = is_negative ? -magnitude : magnitude;
    return true;
}

bool parse_f64_grouped(struct str text, double *out)
{
    char digits[GROUPED_TEXT_MAX];
    size_t len = 0;
    if (text.len > sizeof digits)
        return parse_f64(text, out);
    bool is_hex = str_find(text, 'x', 0) < text.len || str_find(text, 'X', 0) < text.len;
    bool (*is_wanted)(int) = is_hex ? is_hex_digit : is_digit;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '_')
            digits[len++] = text.ptr[i];
        else if (i == 0 || i + 1 == text.len || !is_wanted(text.ptr[i - 1]) ||
                 !is_wanted(text.ptr[i + 1]))
            return false;
    }
    return parse_f64((struct str){digits, len}, out);
}

bool parse_u64(struct str text, uint64_t *out)
{
    if (text.len > 0 && text.ptr[0] == '+')
        text = str_slice(text, 1, text.len);
    if (text.len == 0)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.ptr[i]))
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.ptr[i] - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}

bool parse_i64(struct str text, int64_t *out)
{
    uint64_t magnitude;
    bool is_negative = take_sign(&text);
    if (text.len == 0 || !is_digit(text.ptr[0]) || !parse_u64(text, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + is_negative)
        return false;
    *out = is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}
