#include "query/function/elementary.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "query/function/elementary_impl.h"

static const double PI = 3.14159265358979323846;

__extension__ typedef unsigned __int128 wide;

/* ---- reduction to an eighth of the circle ---- */

/* x = octant * pi/4 + rest, the octant even and modulo 8, |rest| <= pi/4. */
struct reduced {
    unsigned octant;
    double rest;
};

/* An odd octant becomes the next one, so that the rest is around zero. */
static struct reduced around_zero(unsigned octant, double fraction)
{
    bool is_odd = octant % 2 == 1;
    return (struct reduced){(octant + is_odd) % 8, is_odd ? fraction - 1 : fraction};
}

/* 64 bits of 4/pi from the bit `from` on, counted from 2^0 downwards. */
static uint64_t bits_of_4_by_pi(int from)
{
    static const uint64_t digits[] = {
        0x0000000000000001, 0x45f306dc9c882a53, 0xf84eafa3ea69bb81, 0xb6c52b3278872083,
        0xfca2c757bd778ac3, 0x6e48dc74849ba5c0, 0x0c925dd413a32439, 0xfc3bd63962534e7d,
        0xd1046bea5d768909, 0xd338e04d68befc82, 0x7323ac7306a673e9, 0x3908bf177bf25076,
        0x3ff12fffbc0b301f, 0xde5e2316b414da3e, 0xda6cfd9e4f96136e, 0x9e8c7ecd3cbfd45a,
        0xea4f758fd7cbe2f6, 0x7a0e73ef14a525d4, 0xd7f6bf623f1aba10, 0xac06608df8f6d757};
    int index = from / 64;
    int shift = from % 64;
    return shift == 0 ? digits[index] : digits[index] << shift | digits[index + 1] >> (64 - shift);
}

/* By Payne and Hanek: x * 4/pi with as many bits of 4/pi as matter modulo 8. `x` is at least
   2^29. */
static struct reduced reduce_far(double x)
{
    int exponent;
    uint64_t mantissa = (uint64_t)ldexp(frexp(x, &exponent), 53);
    int from = exponent - 53 + 61;
    wide product = (wide)(bits_of_4_by_pi(from) * mantissa) << 64;
    product += (wide)bits_of_4_by_pi(from + 64) * mantissa;
    product += (wide)bits_of_4_by_pi(from + 128) * mantissa >> 64;
    unsigned octant = (unsigned)(product >> 125);
    /* Cut to 53 bits, not rounded. That the lower half is not moved costs last digits where the
       rest is tiny; Go does not either. */
    wide fraction = (product << 3 >> 64 << 64) | (uint64_t)product;
    int zeros = __builtin_clzll((uint64_t)(fraction >> 64) | 1);
    double rest = ldexp((double)(uint64_t)(fraction << zeros >> 75), -53 - zeros);
    struct reduced found = around_zero(octant, rest);
    found.rest *= PI / 4;
    return found;
}

/* `x` is positive and finite. pi/4 is subtracted in three parts, of which the first two are short
   enough for exact multiples. */
static struct reduced reduce(double x)
{
    static const double part_1 = 7.85398125648498535156e-1;
    static const double part_2 = 3.77489470793079817668e-8;
    static const double part_3 = 2.69515142907905952645e-15;
    static const double eighths_per_radian = 1.27323954473516268615; /* 4/pi */
    if (x >= 0x1p29)
        return reduce_far(x);
    uint64_t octant = (uint64_t)(x * eighths_per_radian);
    octant += octant % 2;
    double count = (double)octant;
    double rest = ((x - count * part_1) - count * part_2) - count * part_3;
    return (struct reduced){(unsigned)(octant % 8), rest};
}

/* ---- sine, cosine, tangent ---- */

static double sine_series(double z)
{
    static const struct polynomial p = {6,
                                        {1.58962301576546568060e-10, -2.50507477628578072866e-8,
                                         2.75573136213857245213e-6, -1.98412698295895385996e-4,
                                         8.33333333332211858878e-3, -1.66666666666666307295e-1}};
    double square = z * z;
    return z + z * square * polynomial_value(&p, square);
}

static double cosine_series(double z)
{
    static const struct polynomial p = {6,
                                        {-1.13585365213876817300e-11, 2.08757008419747316778e-9,
                                         -2.75573141792967388112e-7, 2.48015872888517045348e-5,
                                         -1.38888888888730564116e-3, 4.16666666666665929218e-2}};
    double square = z * z;
    return 1.0 - 0.5 * square + square * square * polynomial_value(&p, square);
}

double elementary_sin(double x)
{
    if (x == 0 || !isfinite(x))
        return isinf(x) ? NAN : x;
    struct reduced at = reduce(fabs(x));
    bool is_negative = (x < 0) != (at.octant > 3);
    double value = at.octant % 4 == 2 ? cosine_series(at.rest) : sine_series(at.rest);
    return is_negative ? -value : value;
}

double elementary_cos(double x)
{
    if (!isfinite(x))
        return NAN;
    struct reduced at = reduce(fabs(x));
    bool is_negative = at.octant == 2 || at.octant == 4;
    double value = at.octant % 4 == 2 ? sine_series(at.rest) : cosine_series(at.rest);
    return is_negative ? -value : value;
}

static double tangent_series(double z)
{
    static const struct polynomial p = {
        3, {-1.30936939181383777646e4, 1.15351664838587416140e6, -1.79565251976484877988e7}};
    static const struct polynomial q = {5,
                                        {1, 1.36812963470692954678e4, -1.32089234440210967447e6,
                                         2.50083801823357915839e7, -5.38695755929454629881e7}};
    double square = z * z;
    if (square <= 1e-14)
        return z;
    return z + z * (square * polynomial_value(&p, square) / polynomial_value(&q, square));
}

double elementary_tan(double x)
{
    if (x == 0 || !isfinite(x))
        return isinf(x) ? NAN : x;
    struct reduced at = reduce(fabs(x));
    double value = tangent_series(at.rest);
    if (at.octant % 4 == 2)
        value = -1 / value;
    return x < 0 ? -value : value;
}

/* ---- their inverses ---- */

/* 0 <= x <= 0.66 */
static double arctangent_series(double x)
{
    static const struct polynomial p = {5,
                                        {-8.750608600031904122785e-01, -1.615753718733365076637e+01,
                                         -7.500855792314704667340e+01, -1.228866684490136173410e+02,
                                         -6.485021904942025371773e+01}};
    static const struct polynomial q = {6,
                                        {1, 2.485846490142306297962e+01,
                                         1.650270098316988542046e+02, 4.328810604912902668951e+02,
                                         4.853903996359136964868e+02, 1.945506571482613964425e+02}};
    double square = x * x;
    double z = square * polynomial_value(&p, square) / polynomial_value(&q, square);
    return x * z + x;
}

/* `x` is not negative. */
static double arctangent(double x)
{
    static const double pi_half_rest = 6.123233995736765886130e-17; /* pi/2 less PI/2 */
    static const double tan_3_pi_8 = 2.41421356237309504880;
    if (x <= 0.66)
        return arctangent_series(x);
    if (x > tan_3_pi_8)
        return PI / 2 - arctangent_series(1 / x) + pi_half_rest;
    return PI / 4 + arctangent_series((x - 1) / (x + 1)) + 0.5 * pi_half_rest;
}

double elementary_atan(double x)
{
    if (x == 0 || isnan(x))
        return x;
    return x > 0 ? arctangent(x) : -arctangent(-x);
}

double elementary_asin(double x)
{
    if (x == 0 || isnan(x) || fabs(x) > 1)
        return x == 0 ? x : NAN;
    double sine = fabs(x);
    double cosine = sqrt(1 - sine * sine);
    double angle = sine > 0.7 ? PI / 2 - arctangent(cosine / sine) : arctangent(sine / cosine);
    return x < 0 ? -angle : angle;
}

double elementary_acos(double x)
{
    return PI / 2 - elementary_asin(x);
}

double elementary_atan2(double y, double x)
{
    if (x == 0 || y == 0 || !isfinite(x) || !isfinite(y))
        return atan2(y, x);
    double angle = elementary_atan(y / x);
    if (x > 0)
        return angle;
    return angle <= 0 ? angle + PI : angle - PI;
}
