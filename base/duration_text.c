#include "base/duration_text.h"

#include <inttypes.h>

#include "base/number.h"
#include "base/words.h"

/* From the largest to the smallest. Years and weeks are written only where nothing is left over:
   "90d" reads better than "12w6d". */
static const struct duration_unit {
    struct str name;
    int64_t ms;
    bool is_exact;
} units[] = {
    {{"y", 1}, 365 * INT64_C(86400000), true},
    {{"w", 1}, 7 * INT64_C(86400000), true},
    {{"d", 1}, INT64_C(86400000), false},
    {{"h", 1}, INT64_C(3600000), false},
    {{"m", 1}, INT64_C(60000), false},
    {{"s", 1}, INT64_C(1000), false},
    {{"ms", 2}, INT64_C(1), false},
};

enum { UNIT_COUNT = sizeof units / sizeof units[0] };

/* The unit of that name, not before `first`; UNIT_COUNT when there is none. */
static size_t find_unit(struct str name, size_t first)
{
    size_t unit = first;
    while (unit < UNIT_COUNT && !str_eq(units[unit].name, name))
        unit++;
    return unit;
}

bool is_duration_unit(struct str name)
{
    return find_unit(name, 0) < UNIT_COUNT;
}

/* Takes "12h" off the front of `text` and adds it; `*next_unit` is the first one that may come. */
static bool take_duration_part(struct str *text, size_t *next_unit, int64_t *sum_ms)
{
    size_t digits = 0;
    while (digits < text->len && is_digit(text->ptr[digits]))
        digits++;
    size_t end = digits;
    while (end < text->len && !is_digit(text->ptr[end]))
        end++;
    struct str name = str_slice(*text, digits, end - digits);
    size_t unit = find_unit(name, *next_unit);
    int64_t value;
    if (unit == UNIT_COUNT || !parse_i64(str_slice(*text, 0, digits), &value))
        return false;
    *text = str_slice(*text, end, text->len);
    *next_unit = unit + 1;
    return !__builtin_mul_overflow(value, units[unit].ms, &value) &&
           !__builtin_add_overflow(*sum_ms, value, sum_ms);
}

enum status parse_duration_ms(struct str text, int64_t *out, struct error *err)
{
    struct str left = text;
    size_t next_unit = 0;
    int64_t sum_ms = 0;
    bool is_valid = text.len > 0;
    if (str_eq(text, STR("0")))
        left.len = 0;
    while (is_valid && left.len > 0)
        is_valid = take_duration_part(&left, &next_unit, &sum_ms);
    if (!is_valid)
        return error_set(err, STATUS_INVALID,
                         "duration: not valid, got \"%.*s\", want one like 1d12h or 30s",
                         STR_ARG(str_slice(text, 0, 64)));
    *out = sum_ms;
    return STATUS_OK;
}

void append_duration_ms(struct buffer *out, int64_t duration_ms)
{
    uint64_t left = duration_ms < 0 ? 0 - (uint64_t)duration_ms : (uint64_t)duration_ms;
    if (duration_ms < 0)
        buffer_append_byte(out, '-');
    if (left == 0)
        buffer_append_str(out, STR("0s"));
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        uint64_t unit_ms = (uint64_t)units[i].ms;
        if (left < unit_ms || (units[i].is_exact && left % unit_ms != 0))
            continue;
        buffer_append_format(out, "%" PRIu64 "%.*s", left / unit_ms, STR_ARG(units[i].name));
        left %= unit_ms;
    }
}
