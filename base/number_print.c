#include "base/number.h"

#include <math.h>

#include "base/float_text.h"

/* Every power of ten that a double holds exactly and that 15 digits can need. */
static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

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
