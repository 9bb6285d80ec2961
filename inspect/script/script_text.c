#include "inspect/script/script_text.h"

#include <math.h>

#include "base/duration_text.h"
#include "base/number.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

struct str script_trim(struct str s)
{
    while (s.len > 0 && is_space(s.ptr[0]))
        s = str_slice(s, 1, s.len - 1);
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

struct str script_take_word(struct str *rest)
{
    *rest = script_trim(*rest);
    size_t len = 0;
    while (len < rest->len && !is_space(rest->ptr[len]))
        len++;
    struct str word = str_slice(*rest, 0, len);
    *rest = script_trim(str_slice(*rest, len, rest->len - len));
    return word;
}

bool script_take_prefix(struct str *rest, struct str prefix)
{
    if (!str_starts_with(*rest, prefix))
        return false;
    *rest = script_trim(str_slice(*rest, prefix.len, rest->len - prefix.len));
    return true;
}

bool script_time_ms(struct str text, int64_t *out)
{
    const double seconds_max = (double)(INT64_MAX / 1000000);
    struct error err;
    double seconds;
    bool is_negative = script_take_prefix(&text, STR("-"));
    if (parse_duration_ms(text, out, &err) != STATUS_OK) {
        if (!parse_f64(text, &seconds) || !(fabs(seconds) <= seconds_max))
            return false;
        *out = (int64_t)llround(seconds * 1000);
    }
    if (is_negative)
        *out = -*out;
    return true;
}
