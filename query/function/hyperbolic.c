#include "query/function/elementary.h"

#include <math.h>

#include "query/function/elementary_impl.h"

static const double LN2 = 6.93147180559945286227e-01;

/* Beyond, e^-x is less than half a unit in the last place of e^x. */
static const double ONE_SIDED = 21;

static double sinh_series(double x)
{
    static const struct polynomial p = {
        4,
        {-0.2630563213397497062819489e+2, -0.2894211355989563807284660366e+4,
         -0.8991272022039509355398013511e+5, -0.6307673640497716991184787251e+6}};
    static const struct polynomial q = {4,
                                        {1, -0.173678953558233699533450911e+3,
                                         0.1521517378790019070696485176e+5,
                                         -0.6307673640497716991212077277e+6}};
    double square = x * x;
    return polynomial_value(&p, square) * x / polynomial_value(&q, square);
}

double elementary_sinh(double x)
{
    double size = fabs(x);
    if (size <= 0.5)
        return copysign(sinh_series(size), x);
    double power = elementary_exp(size);
    double value = size > ONE_SIDED ? power / 2 : (power - 1 / power) / 2;
    return copysign(value, x);
}

double elementary_cosh(double x)
{
    double size = fabs(x);
    double power = elementary_exp(size);
    return size > ONE_SIDED ? power / 2 : (power + 1 / power) / 2;
}

double elementary_tanh(double x)
{
    static const struct polynomial p = {
        3, {-9.64399179425052238628E-1, -9.92877231001918586564E1, -1.61468768441708447952E3}};
    static const struct polynomial q = {
        4, {1, 1.12811678491632931402E2, 2.23548839060100448583E3, 4.84406305325125486048E3}};
    static const double one_from = 0.5 * 8.8029691931113054295988e+01; /* ln(2^127) / 2 */
    double size = fabs(x);
    if (size > one_from)
        return copysign(1, x);
    if (size >= 0.625)
        return copysign(1 - 2 / (elementary_exp(2 * size) + 1), x);
    if (x == 0)
        return x;
    double square = x * x;
    return x + x * square * polynomial_value(&p, square) / polynomial_value(&q, square);
}

double elementary_asinh(double x)
{
    if (!isfinite(x))
        return x;
    double size = fabs(x);
    double value;
    if (size > 0x1p28)
        value = elementary_log(size) + LN2;
    else if (size > 2)
        value = elementary_log(2 * size + 1 / (sqrt(size * size + 1) + size));
    else if (size < 0x1p-28)
        value = size;
    else
        value = elementary_log1p(size + size * size / (1 + sqrt(1 + size * size)));
    return copysign(value, x);
}

double elementary_acosh(double x)
{
    if (isnan(x) || x < 1)
        return NAN;
    if (x == 1)
        return 0;
    if (x >= 0x1p28)
        return elementary_log(x) + LN2;
    if (x > 2)
        return elementary_log(2 * x - 1 / (x + sqrt(x * x - 1)));
    double t = x - 1;
    return elementary_log1p(t + sqrt(2 * t + t * t));
}

double elementary_atanh(double x)
{
    double size = fabs(x);
    if (isnan(x) || size > 1)
        return NAN;
    double value;
    if (size == 1)
        value = INFINITY;
    else if (size < 0x1p-28)
        value = size;
    else if (size < 0.5)
        value = 0.5 * elementary_log1p((size + size) + (size + size) * size / (1 - size));
    else
        value = 0.5 * elementary_log1p((size + size) / (1 - size));
    return copysign(value, x);
}
