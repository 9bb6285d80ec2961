#include "query/syntax/literal.h"

#include <math.h>

#include "base/duration_text.h"
#include "base/number.h"
#include "base/words.h"
#include "tsdb/model/quote.h"

static bool is_hex(struct str text)
{
    return text.len > 1 && text.ptr[0] == '0' && (text.ptr[1] == 'x' || text.ptr[1] == 'X');
}

/* An underscore stands between digits, or between the hexadecimal prefix and a digit. */
static bool has_lost_underscore(struct str text)
{
    bool hex = is_hex(text);
    int base = hex ? 16 : 10;
    for (size_t at = str_find(text, '_', 0); at < text.len; at = str_find(text, '_', at + 1)) {
        bool follows = at > 0 && (digit_value(text.ptr[at - 1]) < base || (hex && at == 2));
        bool leads = at + 1 < text.len && digit_value(text.ptr[at + 1]) < base;
        if (!follows || !leads)
            return true;
    }
    return false;
}

static size_t copy_without_underscores(char *to, struct str text)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '_')
            to[len++] = text.ptr[i];
    return len;
}

/* An integer as Go's ParseInt reads it with base 0; false when it is none or does not fit 63 bits.
   Decimal ones are left to parse_f64, which rounds them the same way. */
static bool parse_based_integer(struct str text, double *out)
{
    bool hex = is_hex(text);
    int base = hex ? 16 : 8;
    int64_t value = 0;
    if (text.len < 2 || text.ptr[0] != '0' || (hex && text.len == 2))
        return false;
    for (size_t i = hex ? 2 : 1; i < text.len; i++) {
        int digit = digit_value(text.ptr[i]);
        if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *out = (double)value;
    return true;
}

static enum status refuse_number(struct str token, const char *reason, struct error *err)
{
    struct buffer quoted;
    buffer_init(&quoted, ERROR_TEXT_MAX);
    append_quoted(&quoted, str_slice(token, 0, 64));
    error_set(err, STATUS_INVALID, "error parsing number: strconv.ParseFloat: parsing %.*s: %s",
              STR_ARG(buffer_str(&quoted)), reason);
    buffer_deinit(&quoted);
    return STATUS_INVALID;
}

static bool is_infinity(struct str text)
{
    return text.ptr[0] == 'i' || text.ptr[0] == 'I';
}

enum status literal_number(struct str token, struct arena *arena, double *out, struct error *err)
{
    char *digits = arena_try_alloc(arena, token.len);
    if (digits == NULL)
        return arena_refusal(arena, err);
    struct str text = {digits, copy_without_underscores(digits, token)};
    if (has_lost_underscore(token))
        return refuse_number(token, "invalid syntax", err);
    if (parse_based_integer(text, out))
        return STATUS_OK;
    if (is_hex(text) || !parse_f64(text, out))
        return refuse_number(token, "invalid syntax", err);
    if (isinf(*out) && !is_infinity(text))
        return refuse_number(token, "value out of range", err);
    return STATUS_OK;
}

/* Whether the units are in order, whatever the numbers before them: "99999999999y" is well formed
   but out of range. Every number becomes 1. */
static bool has_duration_form(struct str token)
{
    char form[32];
    size_t len = 0;
    int64_t ignored_ms;
    struct error ignored;
    for (size_t i = 0; i < token.len; i++) {
        bool is_repeated = i > 0 && is_digit(token.ptr[i]) && is_digit(token.ptr[i - 1]);
        if (is_repeated)
            continue;
        if (len == sizeof form)
            return false;
        form[len++] = is_digit(token.ptr[i]) ? '1' : token.ptr[i];
    }
    return parse_duration_ms((struct str){form, len}, &ignored_ms, &ignored) == STATUS_OK;
}

/* "e" of "1e3s"; empty when there is none. */
static struct str unknown_unit(struct str token)
{
    for (size_t at = 0; at < token.len && is_digit(token.ptr[at]);) {
        while (at < token.len && is_digit(token.ptr[at]))
            at++;
        size_t start = at;
        while (at < token.len && !is_digit(token.ptr[at]))
            at++;
        struct str unit = str_slice(token, start, at - start);
        if (!is_duration_unit(unit))
            return unit;
    }
    return (struct str){0};
}

static enum status refuse_duration(struct str token, struct error *err)
{
    if (has_duration_form(token))
        return error_set(err, STATUS_INVALID, "duration out of range");
    struct str unit = unknown_unit(token);
    struct buffer text;
    buffer_init(&text, ERROR_TEXT_MAX);
    if (unit.len > 0) {
        buffer_append_str(&text, STR("unknown unit "));
        append_quoted(&text, unit);
        buffer_append_str(&text, STR(" in duration "));
    } else {
        buffer_append_str(&text, STR("not a valid duration string: "));
    }
    append_quoted(&text, str_slice(token, 0, 64));
    error_set(err, STATUS_INVALID, "%.*s", STR_ARG(buffer_str(&text)));
    buffer_deinit(&text);
    return STATUS_INVALID;
}

enum status literal_duration_ms(struct str token, int64_t *out, struct error *err)
{
    const int64_t ns_per_ms = 1000000;
    if (parse_duration_ms(token, out, err) != STATUS_OK)
        return refuse_duration(token, err);
    if (*out > INT64_MAX / ns_per_ms)
        return error_set(err, STATUS_INVALID, "duration out of range");
    return STATUS_OK;
}

static uint32_t read_digits(const char *digits, size_t count, uint32_t base)
{
    uint32_t value = 0;
    for (size_t i = 0; i < count; i++)
        value = value * base + (uint32_t)digit_value(digits[i]);
    return value;
}

/* Resolves the escape whose letter is at `letter`; adds what it made to `*out` and returns the
   position behind it. \x and octal make a byte, \u and \U a character. */
static const char *put_escape(const char *letter, struct str *out, char *to)
{
    static const char letters[] = {['a'] = '\a', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n',
                                   ['r'] = '\r', ['t'] = '\t', ['v'] = '\v'};
    char c = *letter;
    if (c == 'u' || c == 'U') {
        size_t count = c == 'u' ? 4 : 8;
        out->len += utf8_put(to, read_digits(letter + 1, count, 16));
        return letter + 1 + count;
    }
    out->len++;
    if (c == 'x') {
        *to = (char)read_digits(letter + 1, 2, 16);
        return letter + 3;
    }
    if (is_digit(c)) {
        *to = (char)read_digits(letter, 3, 8);
        return letter + 3;
    }
    bool is_named = (size_t)c < sizeof letters && letters[(size_t)c] != '\0';
    *to = is_named ? letters[(size_t)c] : c;
    return letter + 1;
}

struct str literal_unquote(struct str token, char *room)
{
    struct str inner = str_slice(token, 1, token.len - 2);
    struct str out = {room, 0};
    bool is_raw = token.ptr[0] == '`' || str_find(inner, '\\', 0) == inner.len;
    if (is_raw && inner.len > 0)
        memcpy(room, inner.ptr, inner.len);
    if (is_raw)
        return (struct str){room, inner.len};
    const char *end = inner.ptr + inner.len;
    for (const char *at = inner.ptr; at < end;) {
        if (*at == '\\')
            at = put_escape(at + 1, &out, room + out.len);
        else
            room[out.len++] = *at++;
    }
    return out;
}
