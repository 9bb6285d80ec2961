#include "query/function/instant_functions.h"

#include <math.h>

#include "query/engine/operator.h"
#include "query/engine/scalar.h"
#include "query/function/elementary.h"

static const double PI = 3.14159265358979323846;

/* For the functions that <math.h> has under the same meaning and without arguments. */
#define MAP_FUNCTION(name, formula)                                                                \
    double map_##name(double value, const double *args, size_t arg_count)                          \
    {                                                                                              \
        (void)args;                                                                                \
        (void)arg_count;                                                                           \
        return formula;                                                                            \
    }

MAP_FUNCTION(abs, fabs(value))
MAP_FUNCTION(acos, elementary_acos(value))
MAP_FUNCTION(acosh, elementary_acosh(value))
MAP_FUNCTION(asin, elementary_asin(value))
MAP_FUNCTION(asinh, elementary_asinh(value))
MAP_FUNCTION(atan, elementary_atan(value))
MAP_FUNCTION(atanh, elementary_atanh(value))
MAP_FUNCTION(ceil, ceil(value))
MAP_FUNCTION(cos, elementary_cos(value))
MAP_FUNCTION(cosh, elementary_cosh(value))
MAP_FUNCTION(deg, value * 180 / PI)
MAP_FUNCTION(exp, elementary_exp(value))
MAP_FUNCTION(floor, floor(value))
MAP_FUNCTION(ln, elementary_log(value))
MAP_FUNCTION(log10, elementary_log10(value))
MAP_FUNCTION(log2, elementary_log2(value))
MAP_FUNCTION(rad, value *PI / 180)
MAP_FUNCTION(sin, elementary_sin(value))
MAP_FUNCTION(sinh, elementary_sinh(value))
MAP_FUNCTION(sqrt, sqrt(value))
MAP_FUNCTION(tan, elementary_tan(value))
MAP_FUNCTION(tanh, elementary_tanh(value))
/* zeros keep their sign, NaN stays */
MAP_FUNCTION(sgn, value<0 ? -1 : value> 0 ? 1 : value)

/* Go's math.Max and math.Min: unlike fmax and fmin a NaN wins, but over the infinity that would,
   and -0 is less than 0. */
static double larger(double a, double b)
{
    if (a == INFINITY || b == INFINITY)
        return INFINITY;
    if (a == b)
        return signbit(a) ? b : a;
    return isnan(a) || isnan(b) ? NAN : fmax(a, b);
}

static double smaller(double a, double b)
{
    if (a == -INFINITY || b == -INFINITY)
        return -INFINITY;
    if (a == b)
        return signbit(a) ? a : b;
    return isnan(a) || isnan(b) ? NAN : fmin(a, b);
}

static enum status open_pairs(struct eval *eval, const struct grid *grid, const struct expr *call,
                              double (*choose)(double, double), struct query_operator **out,
                              struct error *err)
{
    double *left, *right;
    TRY(scalar_read(eval, grid, call->call.args[0], &left, err));
    TRY(scalar_read(eval, grid, call->call.args[1], &right, err));
    for (size_t step = 0; step < grid->count; step++)
        left[step] = choose(left[step], right[step]);
    return operator_of_scalar(eval, grid, left, out, err);
}

enum status open_max_of(struct eval *eval, const struct grid *grid, const struct expr *call,
                        struct query_operator **out, struct error *err)
{
    return open_pairs(eval, grid, call, larger, out, err);
}

enum status open_min_of(struct eval *eval, const struct grid *grid, const struct expr *call,
                        struct query_operator **out, struct error *err)
{
    return open_pairs(eval, grid, call, smaller, out, err);
}

static double clamp(double value, double min, double max)
{
    return max < min ? value_absent() : larger(min, smaller(max, value));
}

double map_clamp(double value, const double *args, size_t arg_count)
{
    (void)arg_count;
    return clamp(value, args[0], args[1]);
}

double map_clamp_max(double value, const double *args, size_t arg_count)
{
    (void)arg_count;
    return clamp(value, -INFINITY, args[0]);
}

double map_clamp_min(double value, const double *args, size_t arg_count)
{
    (void)arg_count;
    return clamp(value, args[0], INFINITY);
}

/* To the nearest multiple, halves up. Multiplying by the inverse loses fewer bits than dividing. */
double map_round(double value, const double *args, size_t arg_count)
{
    double inverse = 1 / (arg_count > 0 ? args[0] : 1);
    return floor(value * inverse + 0.5) / inverse;
}
