#include "query/function/elementary.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/codec.h"
#include "query/function/elementary_impl.h"

enum { EXPONENT_BIAS = 1023, MANTISSA_BITS = 52, EXPONENT_INFINITE = 0x7FF };

#define MANTISSA_MASK ((UINT64_C(1) << MANTISSA_BITS) - 1)

static const double SQRT2_HALF = 0.70710678118654752440;

/* ---- exp ---- */

/* 2^exponent * fraction with a fraction near 1; infinite from 2^1024 on, also where the fraction
   would bring it back. */
static double scale(double fraction, int exponent)
{
    if (exponent + EXPONENT_BIAS >= EXPONENT_INFINITE)
        return INFINITY;
    return ldexp(fraction, exponent);
}

/* e^r - 1 for |r| below ln(2) / 32, as its Taylor series up to r^8. */
static double exp_less_one(double r)
{
    static const double inverse_factorials[] = {2.4801587301587301587e-5,
                                                1.9841269841269841270e-4,
                                                1.3888888888888888889e-3,
                                                8.3333333333333333333e-3,
                                                4.1666666666666666667e-2,
                                                1.6666666666666666667e-1,
                                                0.5,
                                                1.0};
    double sum = inverse_factorials[0];
    for (size_t i = 1; i < sizeof inverse_factorials / sizeof *inverse_factorials; i++)
        sum = fma(sum, r, inverse_factorials[i]);
    return r * sum;
}

/* x = k ln 2 + r; e^(r/16) is raised to the 16th power by squaring it four times, kept as what it
   exceeds 1 by: (1 + d)^2 = 1 + d (d + 2). */
double elementary_exp(double x)
{
    static const double log2_e = 1.4426950408889634073599;
    static const double ln2_upper = 0.69314718055966295651160180568695068359375;
    static const double ln2_lower = 0.28235290563031577122588448175013436025525412068e-12;
    if (isnan(x) || x > 7.09782712893384e+02)
        return isnan(x) ? x : INFINITY;
    if (x < -1000)
        return 0;
    double k = nearbyint(x * log2_e);
    double r = fma(-k, ln2_lower, fma(-k, ln2_upper, x));
    double d = exp_less_one(r * 0.0625);
    for (int i = 0; i < 3; i++)
        d = d * (d + 2);
    return scale(fma(d, d + 2, 1), (int)k);
}

/* ---- log ---- */

/* log(1 + f) is 2 artanh(s) with s = f / (2 + f): this is 2 artanh(s) / s - 2 for s^2. */
static double artanh_rest(double s2)
{
    static const struct polynomial odd = {4,
                                          {1.479819860511658591e-01, 1.818357216161805012e-01,
                                           2.857142874366239149e-01, 6.666666666666735130e-01}};
    static const struct polynomial even = {
        3, {1.531383769920937332e-01, 2.222219843214978396e-01, 3.999999999940941908e-01}};
    double s4 = s2 * s2;
    return s2 * polynomial_value(&odd, s4) + s4 * polynomial_value(&even, s4);
}

/* Positive and finite: x = 2^k * fraction with a fraction in [sqrt(2)/2, sqrt(2)). What is
   subnormal is taken as if it were not. */
static double split(double x, double *k)
{
    uint64_t bits = f64_bits(x);
    double fraction = f64_from_bits((bits & MANTISSA_MASK) | f64_bits(0.5));
    *k = (double)((int)(bits >> MANTISSA_BITS) - (EXPONENT_BIAS - 1));
    if (fraction < SQRT2_HALF) {
        *k -= 1;
        fraction *= 2;
    }
    return fraction;
}

double elementary_log(double x)
{
    if (isnan(x) || x == INFINITY)
        return x;
    if (x <= 0)
        return x < 0 ? NAN : -INFINITY;
    double k;
    double f = split(x, &k) - 1;
    double s = f / (2 + f);
    double rest = artanh_rest(s * s);
    double half_square = 0.5 * f * f;
    return k * LN2_HIGH - ((half_square - (s * (half_square + rest) + k * LN2_LOW)) - f);
}

/* Powers of two are exact. */
double elementary_log2(double x)
{
    static const double inverse_ln2 = 1.4426950408889634073599;
    if (isnan(x) || isinf(x) || x <= 0)
        return elementary_log(x);
    int exponent;
    double fraction = frexp(x, &exponent);
    if (fraction == 0.5)
        return exponent - 1;
    return elementary_log(fraction) * inverse_ln2 + exponent;
}

double elementary_log10(double x)
{
    static const double inverse_ln10 = 0.43429448190325182765;
    return elementary_log(x) * inverse_ln10;
}

/* ---- log1p ---- */

/* u = 2^k * (1 + f) with 1 + f in [sqrt(2)/2, sqrt(2)); whether f is 0. */
static bool split_sum(double u, int *k, double *f)
{
    static const uint64_t sqrt2_mantissa = 0x6A09E667F3BCD;
    uint64_t mantissa = f64_bits(u) & MANTISSA_MASK;
    bool is_low = mantissa < sqrt2_mantissa;
    *k += is_low ? 0 : 1;
    *f = f64_from_bits(mantissa | f64_bits(is_low ? 1.0 : 0.5)) - 1;
    return mantissa == 0;
}

/* The part of 1 + x that u = 1 + x lost, relative to u. */
static double lost_share(double x, double u, int k)
{
    if (fabs(x) >= 0x1p53)
        return 0;
    double lost = k > 0 ? 1 - (u - x) : x - (u - 1);
    return lost / u;
}

static double log1p_series(double f, int k, double correction)
{
    static const struct polynomial rest = {7,
                                           {1.479819860511658591e-01, 1.531383769920937332e-01,
                                            1.818357216161805012e-01, 2.222219843214978396e-01,
                                            2.857142874366239149e-01, 3.999999999940941908e-01,
                                            6.666666666666735130e-01}};
    double s = f / (2 + f);
    double z = s * s;
    double half_square = 0.5 * f * f;
    double sum = s * (half_square + z * polynomial_value(&rest, z));
    if (k == 0)
        return f - (half_square - sum);
    return k * LN2_HIGH - ((half_square - (sum + (k * LN2_LOW + correction))) - f);
}

double elementary_log1p(double x)
{
    static const double sqrt2_less_1 = 4.142135623730950488017e-01;
    static const double sqrt2_half_less_1 = -2.928932188134524755992e-01;
    if (isnan(x) || x < -1 || x == INFINITY)
        return x == INFINITY ? x : NAN;
    if (x == -1)
        return -INFINITY;
    if (fabs(x) < 0x1p-29)
        return fabs(x) < 0x1p-54 ? x : x - x * x * 0.5;
    if (fabs(x) < sqrt2_less_1 && x > sqrt2_half_less_1)
        return log1p_series(x, 0, 0);
    double u = fabs(x) < 0x1p53 ? 1 + x : x;
    int k = (int)(f64_bits(u) >> MANTISSA_BITS) - EXPONENT_BIAS;
    double correction = lost_share(x, u, k);
    double f;
    if (split_sum(u, &k, &f))
        return k * LN2_HIGH + (correction + k * LN2_LOW);
    return log1p_series(f, k, correction);
}

/* ---- pow ---- */

/* x^n by squaring, the exponent of two kept apart so that nothing overflows on the way. */
static double raise(double product, double x, int64_t n, int *exponent)
{
    enum { EXPONENT_FAR = 1 << 12 };
    int power_exponent;
    double power = frexp(x, &power_exponent);
    for (; n != 0; n >>= 1) {
        if (power_exponent < -EXPONENT_FAR || power_exponent > EXPONENT_FAR) {
            *exponent += power_exponent;
            return product;
        }
        if (n % 2 == 1) {
            product *= power;
            *exponent += power_exponent;
        }
        power *= power;
        power_exponent *= 2;
        if (power < 0.5) {
            power += power;
            power_exponent--;
        }
    }
    return product;
}

/* Neither is 0, 1, infinite or missing, and x^y is real. */
static double pow_finite(double x, double y)
{
    double whole;
    double fraction = modf(fabs(y), &whole);
    double product = 1;
    int exponent = 0;
    if (whole >= 0x1p63)
        return pow(x, y);
    if (fraction > 0.5) {
        fraction -= 1;
        whole += 1;
    }
    if (fraction != 0)
        product = elementary_exp(fraction * elementary_log(x));
    product = raise(product, x, (int64_t)whole, &exponent);
    return y < 0 ? ldexp(1 / product, -exponent) : ldexp(product, exponent);
}

double elementary_pow(double x, double y)
{
    bool is_special = x == 0 || x == 1 || y == 0 || !isfinite(x) || !isfinite(y);
    bool is_complex = x < 0 && y != floor(y);
    if (is_special || is_complex)
        return pow(x, y);
    if (fabs(y) == 0.5)
        return y > 0 ? sqrt(x) : 1 / sqrt(x);
    return pow_finite(x, y);
}
