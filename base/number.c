#include "base/number.h"

#include <math.h>

#include "base/codec.h"
#include "base/float_text.h"

/* As Prometheus' value.NormalNaN; other NaNs have meanings of their own (stale markers). */
static const uint64_t NAN_BITS = 0x7ff8000000000001u;

/* Every power of ten that a double holds exactly and that 15 digits can need. */
static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

/* Longer than any number that makes sense. */
enum { GROUPED_TEXT_MAX = 512 };

/* Reading. */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex_digit(char c)
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

static size_t count_digits(struct str text, size_t from, bool (*is_wanted)(char))
{
    size_t at = from;
    while (at < text.len && is_wanted(text.ptr[at]))
        at++;
    return at - from;
}

/* digits[.digits][e[sign]digits]; with 'p', which may not be missing, in hexadecimal numbers. */
static bool is_float_syntax(struct str text, bool is_hex)
{
    bool (*is_wanted)(char) = is_hex ? is_hex_digit : is_digit;
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
    bool (*is_wanted)(char) = is_hex ? is_hex_digit : is_digit;
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
    bool (*is_wanted)(char) = is_hex ? is_hex_digit : is_digit;
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

/* Writing. */

/* Text is made in such a piece and appended at once. 32 is enough for all of it: a sign, "0.00000",
   17 digits; or a sign, 21 digits. */
struct scratch {
    char text[32];
    size_t len;
};

static void put(struct scratch *scratch, char c)
{
    scratch->text[scratch->len++] = c;
}

static void put_zeros(struct scratch *scratch, int count)
{
    for (int i = 0; i < count; i++)
        put(scratch, '0');
}

static void put_digits(struct scratch *scratch, const char *digits, int count)
{
    memcpy(scratch->text + scratch->len, digits, (size_t)count);
    scratch->len += (size_t)count;
}

static int decimal_len(uint64_t value)
{
    int len = 1;
    for (; value >= 10000; value /= 10000)
        len += 4;
    return len + (value >= 10) + (value >= 100) + (value >= 1000);
}

/* Exactly `count` digits, with zeros in front. */
static void put_padded(struct scratch *scratch, uint64_t value, int count)
{
    static const char pairs[] = "0001020304050607080910111213141516171819"
                                "2021222324252627282930313233343536373839"
                                "4041424344454647484950515253545556575859"
                                "6061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    char *at = scratch->text + scratch->len + count;
    scratch->len += (size_t)count;
    for (; count >= 2; count -= 2) {
        at -= 2;
        memcpy(at, &pairs[value % 100 * 2], 2);
        value /= 100;
    }
    if (count == 1)
        *--at = (char)('0' + value % 10);
}

static void put_u64(struct scratch *scratch, uint64_t value)
{
    put_padded(scratch, value, decimal_len(value));
}

static void append_scratch(struct buffer *out, const struct scratch *scratch)
{
    buffer_append(out, scratch->text, scratch->len);
}

static void drop_zeros_of(uint64_t *value, int *decimals, uint64_t power, int zeros)
{
    if (*value % power == 0) {
        *value /= power;
        *decimals -= zeros;
    }
}

/* Takes the zeros off the end of `value`, which are 15 at most. */
static void drop_zeros(uint64_t *value, int *decimals)
{
    drop_zeros_of(value, decimals, 100000000, 8);
    drop_zeros_of(value, decimals, 10000, 4);
    drop_zeros_of(value, decimals, 100, 2);
    drop_zeros_of(value, decimals, 10, 1);
}

/* Numbers of at most 15 digits that read back, which is what most metrics are: integers, prices,
   seconds with three decimals. No two decimals of 15 digits read as the same double, so the one
   that is found is the shortest. `value` is in (0, 2^53); false when it needs more digits. */
static bool put_short(struct scratch *scratch, double value)
{
    uint64_t whole = (uint64_t)value;
    if ((double)whole == value) {
        put_u64(scratch, whole);
        return true;
    }
    int whole_len = whole == 0 ? 0 : decimal_len(whole);
    if (whole_len >= 15)
        return false;
    int decimals = 15 - whole_len;
    uint64_t scaled = (uint64_t)(value * powers[decimals] + 0.5);
    /* both are exact doubles, so this division rounds as reading the text would */
    if ((double)scaled / powers[decimals] != value)
        return false;
    drop_zeros(&scaled, &decimals);
    /* what reads back as `value` has its whole part as well */
    put_u64(scratch, whole);
    put(scratch, '.');
    put_padded(scratch, scaled - whole * (uint64_t)powers[decimals], decimals);
    return true;
}

/* d[.ddd]e-07 */
static void put_exponent_form(struct scratch *scratch, const struct float_digits *f)
{
    int exponent = f->exponent - 1;
    put(scratch, f->digits[0]);
    if (f->count > 1)
        put(scratch, '.');
    put_digits(scratch, f->digits + 1, f->count - 1);
    put(scratch, 'e');
    put(scratch, exponent < 0 ? '-' : '+');
    uint64_t magnitude = (uint64_t)(exponent < 0 ? -exponent : exponent);
    put_padded(scratch, magnitude, magnitude < 100 ? 2 : 3);
}

/* 0.00ddd, dd.ddd or ddd00 */
static void put_plain_form(struct scratch *scratch, const struct float_digits *f)
{
    int whole = f->exponent < 0 ? 0 : f->exponent;
    if (whole > f->count)
        whole = f->count;
    put_digits(scratch, f->digits, whole);
    put_zeros(scratch, f->exponent - whole);
    if (whole == 0)
        put(scratch, '0');
    if (whole == f->count)
        return;
    put(scratch, '.');
    put_zeros(scratch, -f->exponent);
    put_digits(scratch, f->digits + whole, f->count - whole);
}

void append_f64(struct buffer *out, double value)
{
    struct scratch scratch = {.len = 0};
    if (isnan(value)) {
        buffer_append_str(out, STR("NaN"));
        return;
    }
    if (isinf(value)) {
        buffer_append_str(out, value > 0 ? STR("+Inf") : STR("-Inf"));
        return;
    }
    double magnitude = fabs(value);
    if (signbit(value))
        put(&scratch, '-');
    if (magnitude == 0) {
        put(&scratch, '0');
    } else if (magnitude < 1e-6 || magnitude >= 0x1p53 || !put_short(&scratch, magnitude)) {
        struct float_digits digits = float_shortest_digits(magnitude);
        if (magnitude < 1e-6 || magnitude >= 1e21)
            put_exponent_form(&scratch, &digits);
        else
            put_plain_form(&scratch, &digits);
    }
    append_scratch(out, &scratch);
}

static void append_zeros(struct buffer *out, int count)
{
    for (int i = 0; i < count; i++)
        buffer_append_byte(out, '0');
}

void append_f64_plain(struct buffer *out, double value)
{
    double magnitude = fabs(value);
    bool has_exponent = isfinite(value) && magnitude > 0 && (magnitude < 1e-6 || magnitude >= 1e21);
    if (!has_exponent) {
        append_f64(out, value);
        return;
    }
    struct float_digits digits = float_shortest_digits(magnitude);
    if (value < 0)
        buffer_append_byte(out, '-');
    if (magnitude < 1)
        buffer_append_str(out, STR("0."));
    append_zeros(out, -digits.exponent);
    buffer_append(out, digits.digits, (size_t)digits.count);
    append_zeros(out, digits.exponent - digits.count);
}

static uint64_t put_sign(struct scratch *scratch, int64_t value)
{
    if (value >= 0)
        return (uint64_t)value;
    put(scratch, '-');
    return 0 - (uint64_t)value;
}

void append_seconds(struct buffer *out, int64_t ts_ms)
{
    struct scratch scratch = {.len = 0};
    uint64_t magnitude = put_sign(&scratch, ts_ms);
    put_u64(&scratch, magnitude / 1000);
    if (magnitude % 1000 != 0) {
        put(&scratch, '.');
        put_padded(&scratch, magnitude % 1000, 3);
    }
    append_scratch(out, &scratch);
}
