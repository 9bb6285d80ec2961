#include "inspect/text.h"

#include <inttypes.h>
#include <math.h>

#include "base/codec.h"
#include "base/number.h"

#define USUAL_NAN_BITS UINT64_C(0x7ff8000000000001)
#define NAN_PREFIX     STR("NaN(")

enum { NAN_DIGITS = 16 };

void append_exact_f64(struct buffer *out, double value)
{
    if (isnan(value) && f64_bits(value) != USUAL_NAN_BITS)
        buffer_append_format(out, "NaN(%016" PRIx64 ")", f64_bits(value));
    else
        append_f64(out, value);
}

static bool parse_hex(struct str digits, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < digits.len; i++) {
        const char *all = "0123456789abcdef";
        const char *at = memchr(all, digits.ptr[i], 16);
        if (at == NULL)
            return false;
        *out = *out << 4 | (uint64_t)(at - all);
    }
    return true;
}

bool parse_exact_f64(struct str text, double *out)
{
    uint64_t bits = USUAL_NAN_BITS;
    bool has_bits = str_starts_with(text, NAN_PREFIX) && str_ends_with(text, STR(")")) &&
                    text.len == NAN_PREFIX.len + NAN_DIGITS + 1;
    if (has_bits && !parse_hex(str_slice(text, NAN_PREFIX.len, NAN_DIGITS), &bits))
        return false;
    if (!has_bits && !parse_f64(text, out))
        return false;
    if (has_bits || isnan(*out))
        *out = f64_from_bits(bits);
    return !has_bits || isnan(*out);
}
