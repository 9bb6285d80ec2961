#include "query/api/param.h"

#include <math.h>

#include "base/duration_text.h"
#include "base/number.h"

/* Far outside of any real time, yet small enough to add to and to multiply by 1,000. */
static int64_t clamp_ms(double ms)
{
    if (ms >= (double)TIME_MAX_MS)
        return TIME_MAX_MS;
    if (ms <= (double)TIME_MIN_MS)
        return TIME_MIN_MS;
    return (int64_t)ms;
}

/* ---- RFC 3339 ---- */

struct cursor {
    struct str text;
    size_t at;
    bool is_broken;
};

static int64_t take_digits(struct cursor *c, size_t count)
{
    int64_t value = 0;
    for (size_t i = 0; i < count; i++, c->at++) {
        bool is_digit =
            c->at < c->text.len && c->text.ptr[c->at] >= '0' && c->text.ptr[c->at] <= '9';
        if (!is_digit) {
            c->is_broken = true;
            return 0;
        }
        value = value * 10 + (c->text.ptr[c->at] - '0');
    }
    return value;
}

static bool take_char(struct cursor *c, char want)
{
    if (c->at >= c->text.len || c->text.ptr[c->at] != want)
        return false;
    c->at++;
    return true;
}

static void want_char(struct cursor *c, char want)
{
    if (!take_char(c, want))
        c->is_broken = true;
}

static int64_t take_in_range(struct cursor *c, size_t count, int64_t min, int64_t max)
{
    int64_t value = take_digits(c, count);
    if (value < min || value > max)
        c->is_broken = true;
    return value;
}

/* Go's time.Parse takes one digit as well. */
static int64_t take_hour(struct cursor *c)
{
    bool has_one = c->at + 1 < c->text.len && c->text.ptr[c->at + 1] == ':';
    return take_in_range(c, has_one ? 1 : 2, 0, 23);
}

/* Milliseconds of ".123456", or ",123456": what is finer is cut, as Prometheus does. 0 when there
   is no fraction. */
static int64_t take_fraction_ms(struct cursor *c)
{
    if (!take_char(c, '.') && !take_char(c, ','))
        return 0;
    int64_t ms = 0, digit_ms = 100;
    size_t start = c->at;
    while (c->at < c->text.len && c->text.ptr[c->at] >= '0' && c->text.ptr[c->at] <= '9') {
        ms += (c->text.ptr[c->at++] - '0') * digit_ms;
        digit_ms /= 10;
    }
    if (c->at == start)
        c->is_broken = true;
    return ms;
}

static int64_t take_zone_ms(struct cursor *c)
{
    if (take_char(c, 'Z'))
        return 0;
    bool is_east = take_char(c, '+');
    if (!is_east)
        want_char(c, '-');
    int64_t hours = take_in_range(c, 2, 0, 23);
    want_char(c, ':');
    int64_t minutes = take_in_range(c, 2, 0, 59);
    int64_t offset_ms = (hours * 60 + minutes) * 60000;
    return is_east ? offset_ms : -offset_ms;
}

/* Days since 1970-01-01 of a proleptic Gregorian date, by counting from the first of March, so that
   the leap day is the last of its year. */
static int64_t days_of_date(int64_t year, int64_t month, int64_t day)
{
    if (month <= 2)
        year--;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[month - 1];
}

static bool parse_rfc3339(struct str text, int64_t *out)
{
    struct cursor c = {.text = text};
    int64_t year = take_digits(&c, 4);
    want_char(&c, '-');
    int64_t month = take_in_range(&c, 2, 1, 12);
    want_char(&c, '-');
    int64_t day = take_in_range(&c, 2, 1, 31);
    if (!take_char(&c, 'T'))
        want_char(&c, 't');
    int64_t hour = take_hour(&c);
    want_char(&c, ':');
    int64_t minute = take_in_range(&c, 2, 0, 59);
    want_char(&c, ':');
    int64_t second = take_in_range(&c, 2, 0, 59);
    int64_t fraction_ms = take_fraction_ms(&c);
    int64_t zone_ms = take_zone_ms(&c);
    if (c.is_broken || c.at != text.len || day > days_in_month(year, month))
        return false;
    int64_t seconds = ((days_of_date(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    *out = seconds * 1000 + fraction_ms - zone_ms;
    return true;
}

/* ---- parameters ---- */

enum status param_time_ms(struct str text, int64_t *out, struct error *err)
{
    double seconds;
    if (parse_f64_grouped(text, &seconds) && !isnan(seconds)) {
        /* as Prometheus: the fraction alone is rounded */
        double whole;
        double fraction = modf(seconds, &whole);
        *out = clamp_ms(whole * 1000 + round(fraction * 1000));
        return STATUS_OK;
    }
    if (parse_rfc3339(text, out))
        return STATUS_OK;
    if (str_eq(text, STR("-292273086-05-16T16:47:06Z"))) {
        *out = TIME_MIN_MS;
        return STATUS_OK;
    }
    if (str_eq(text, STR("292277025-08-18T07:12:54.999999999Z"))) {
        *out = TIME_MAX_MS;
        return STATUS_OK;
    }
    return error_set(err, STATUS_INVALID, "cannot parse \"%.*s\" to a valid timestamp",
                     STR_ARG(str_slice(text, 0, 200)));
}

enum status param_duration_ms(struct str text, int64_t *out, struct error *err)
{
    struct str shown = str_slice(text, 0, 200);
    double seconds;
    if (parse_f64_grouped(text, &seconds)) {
        /* Go counts nanoseconds in an int64 */
        double ns = seconds * 1e9;
        if (isnan(ns) || ns >= 0x1p63 || ns < -0x1p63)
            return error_set(err, STATUS_INVALID,
                             "cannot parse \"%.*s\" to a valid duration. It overflows int64",
                             STR_ARG(shown));
        *out = (int64_t)(ns / 1e6);
        return STATUS_OK;
    }
    struct error ignored;
    if (parse_duration_ms(text, out, &ignored) == STATUS_OK && *out <= INT64_MAX / 1000000)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID, "cannot parse \"%.*s\" to a valid duration",
                     STR_ARG(shown));
}

/* However large. */
static bool is_integer(struct str text)
{
    size_t start = text.len > 0 && (text.ptr[0] == '+' || text.ptr[0] == '-');
    for (size_t i = start; i < text.len; i++) {
        if (digit_value(text.ptr[i]) >= 10)
            return false;
    }
    return text.len > start;
}

enum status param_limit(struct str text, uint64_t *out, struct error *err)
{
    int64_t value;
    if (!parse_i64(text, &value))
        return error_set(err, STATUS_INVALID, "strconv.Atoi: parsing \"%.*s\": %s",
                         STR_ARG(str_slice(text, 0, 200)),
                         is_integer(text) ? "value out of range" : "invalid syntax");
    if (value < 0)
        return error_set(err, STATUS_INVALID, "limit must be non-negative");
    *out = (uint64_t)value;
    return STATUS_OK;
}

/* ---- label names in paths ---- */

static bool is_code_point(uint32_t value)
{
    return value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
}

/* "_2e_" behind the first '_' at `*at`: the character it stands for. The escape is never shorter
   than the character. 0 when it is not well-formed. */
static size_t take_escape(struct str text, size_t *at, char *to)
{
    if (*at < text.len && text.ptr[*at] == '_') {
        (*at)++;
        *to = '_';
        return 1;
    }
    uint32_t point = 0;
    size_t digits = 0;
    for (; *at < text.len && digits < 6; digits++, (*at)++) {
        int digit = digit_value(text.ptr[*at]);
        if (digit >= 16)
            break;
        point = point * 16 + (uint32_t)digit;
    }
    if (digits == 0 || *at >= text.len || text.ptr[*at] != '_')
        return 0;
    (*at)++;
    return is_code_point(point) ? utf8_put(to, point) : 0;
}

struct str param_label_name(struct str name, char *buffer)
{
    struct str prefix = STR("U__");
    if (!str_starts_with(name, prefix))
        return name;
    size_t len = 0;
    for (size_t at = prefix.len; at < name.len;) {
        char c = name.ptr[at++];
        if (c != '_') {
            buffer[len++] = c;
            continue;
        }
        size_t added = take_escape(name, &at, buffer + len);
        if (added == 0)
            return name;
        len += added;
    }
    return (struct str){buffer, len};
}
