/* Values as Prometheus 2.42 on amd64 answers them, to the last bit. */
#include "tests/support/test.h"

#include <math.h>

#include "base/codec.h"
#include "query/function/elementary.h"

static const struct unary_row {
    double (*function)(double);
    double x;
    double want;
} unary_rows[] = {
    {elementary_exp, 0.1, 1.1051709180756477},
    {elementary_exp, -1.5, 0.22313016014842982},
    {elementary_exp, 30.25, 13721704977464.906},
    {elementary_exp, 700.125, 1.1492754838737592e+304},
    {elementary_exp, 709.5, INFINITY},
    {elementary_exp, -708.5, 2.006132305331306e-308},
    {elementary_exp, -740, 4.2e-322},
    {elementary_exp, -800, 0},
    {elementary_exp, INFINITY, INFINITY},
    {elementary_exp, -INFINITY, 0},
    {elementary_exp, NAN, NAN},
    {elementary_log, 0.1, -2.3025850929940455},
    {elementary_log, 2, 0.6931471805599453},
    {elementary_log, 86, 4.454347296253507},
    {elementary_log, 1.0000001, 9.999999505838704e-08},
    {elementary_log, 123456.789, 11.723646487185881},
    {elementary_log, 1e300, 690.7755278982137},
    {elementary_log, 5e-324, -709.0895657128241},
    {elementary_log, 0, -INFINITY},
    {elementary_log, -1, NAN},
    {elementary_log, INFINITY, INFINITY},
    {elementary_log2, 0.3, -1.736965594166206},
    {elementary_log2, 8, 3},
    {elementary_log2, 86, 6.426264754702098},
    {elementary_log2, 5e-324, -1074},
    {elementary_log2, 0, -INFINITY},
    {elementary_log2, -1, NAN},
    {elementary_log10, 0.001, -3},
    {elementary_log10, 1000, 3},
    {elementary_log10, 86, 1.9344984512435675},
    {elementary_log10, 0.69486, -0.15810268800291286},
    {elementary_log10, -1, NAN},
    {elementary_sin, 0.5, 0.479425538604203},
    {elementary_sin, 1, 0.8414709848078965},
    {elementary_sin, -2, -0.9092974268256816},
    {elementary_sin, 3.5, -0.35078322768961984},
    {elementary_sin, 1e6, -0.34999350217129294},
    {elementary_sin, 536870912, 0.3265676630185634},
    {elementary_sin, 1e22, -0.8522008497671889},
    {elementary_sin, -1.5450876000390194e+196, -0.9999999998169314},
    {elementary_sin, INFINITY, NAN},
    {elementary_sin, -0.0, -0.0},
    {elementary_cos, 0.5, 0.8775825618903728},
    {elementary_cos, 1, 0.5403023058681398},
    {elementary_cos, -2, -0.4161468365471424},
    {elementary_cos, 3.5, -0.9364566872907963},
    {elementary_cos, 5.5, 0.70866977429126},
    {elementary_cos, 1e6, 0.9367521275331447},
    {elementary_cos, 1e22, 0.5232147853951389},
    {elementary_cos, -1.5450876000390194e+196, -0.000019134707224505294},
    {elementary_cos, -INFINITY, NAN},
    {elementary_tan, 0.5, 0.5463024898437905},
    {elementary_tan, 1, 1.557407724654902},
    {elementary_tan, -2, 2.185039863261519},
    {elementary_tan, 1e-8, 1e-08},
    {elementary_tan, 1e6, -0.373624453987599},
    {elementary_tan, 1e22, -1.6287782256068992},
    {elementary_asin, 0.5, 0.5235987755982989},
    {elementary_asin, -0.75, -0.848062078981481},
    {elementary_asin, 0.999, 1.5260712396261635},
    {elementary_asin, 1, 1.5707963267948966},
    {elementary_asin, 1.5, NAN},
    {elementary_asin, -0.0, -0.0},
    {elementary_acos, 0.5, 1.0471975511965976},
    {elementary_acos, -0.75, 2.4188584057763776},
    {elementary_acos, 0.999, 0.044725087168733024},
    {elementary_acos, -1, 3.141592653589793},
    {elementary_acos, 2, NAN},
    {elementary_atan, 0.5, 0.4636476090008061},
    {elementary_atan, 0.7, 0.6107259643892086},
    {elementary_atan, -3, -1.2490457723982544},
    {elementary_atan, 1e10, 1.5707963266948965},
    {elementary_atan, INFINITY, 1.5707963267948966},
    {elementary_atan, -0.0, -0.0},
    {elementary_sinh, 0.3, 0.3045202934471426},
    {elementary_sinh, -0.75, -0.82231673193583},
    {elementary_sinh, 1.0404325, 1.23856953474888},
    {elementary_sinh, 22, 1792456423.0657957},
    {elementary_sinh, 710, INFINITY},
    {elementary_sinh, -INFINITY, -INFINITY},
    {elementary_cosh, 0.3, 1.0453385141288605},
    {elementary_cosh, -0.75, 1.2946832846768448},
    {elementary_cosh, 1.0404325, 1.5918713806109015},
    {elementary_cosh, 22, 1792456423.0657957},
    {elementary_cosh, -INFINITY, INFINITY},
    {elementary_tanh, 0.3, 0.2913126124515909},
    {elementary_tanh, -0.75, -0.6351489523872873},
    {elementary_tanh, 1.5, 0.9051482536448664},
    {elementary_tanh, 50, 1},
    {elementary_tanh, -0.0, -0.0},
    {elementary_asinh, 1e-10, 1e-10},
    {elementary_asinh, 0.3, 0.29567304756342244},
    {elementary_asinh, -0.75, -0.6931471805599453},
    {elementary_asinh, 3.5, 1.9657204716496515},
    {elementary_asinh, 1e10, 23.7189981105004},
    {elementary_asinh, -INFINITY, -INFINITY},
    {elementary_acosh, 0.5, NAN},
    {elementary_acosh, 1, 0},
    {elementary_acosh, 1.25, 0.6931471805599453},
    {elementary_acosh, 3.5, 1.9248473002384139},
    {elementary_acosh, 1e10, 23.7189981105004},
    {elementary_atanh, 1e-10, 1e-10},
    {elementary_atanh, 0.3, 0.30951960420311175},
    {elementary_atanh, -0.75, -0.9729550745276566},
    {elementary_atanh, 0.99, 2.6466524123622457},
    {elementary_atanh, 1, INFINITY},
    {elementary_atanh, 2, NAN},
};

static const struct binary_row {
    double (*function)(double, double);
    double a;
    double b;
    double want;
} binary_rows[] = {
    {elementary_pow, 2, 0.5, 1.4142135623730951},
    {elementary_pow, 2, -0.5, 0.7071067811865475},
    {elementary_pow, 10, -320, 1e-320},
    {elementary_pow, 1.5, 1000.5, 1.511139943175573e+176},
    {elementary_pow, 0.3, 600.25, 1.3868616703e-314},
    {elementary_pow, -8, 3, -512},
    {elementary_pow, -8, 0.5, NAN},
    {elementary_pow, -2, -3, -0.125},
    {elementary_pow, 7.5, 2.7, 230.49707106142748},
    {elementary_pow, 0, -3, INFINITY},
    {elementary_pow, -0.0, -3, -INFINITY},
    {elementary_pow, -0.0, 3, -0.0},
    {elementary_pow, 1, NAN, 1},
    {elementary_pow, NAN, 0, 1},
    {elementary_pow, -1, INFINITY, 1},
    {elementary_pow, 0.5, -INFINITY, INFINITY},
    {elementary_pow, -INFINITY, 3, -INFINITY},
    {elementary_pow, 2, 1e300, INFINITY},
    {elementary_pow, 10, 15, 1000000000000000},
    {elementary_pow, 1.0000001, 1e9, 2.688103843211962e+43},
    {elementary_atan2, 1, 2, 0.4636476090008061},
    {elementary_atan2, -1, 2, -0.4636476090008061},
    {elementary_atan2, 1, -2, 2.677945044588987},
    {elementary_atan2, -1, -2, -2.677945044588987},
    {elementary_atan2, 0, -1, 3.141592653589793},
    {elementary_atan2, -0.0, 1, -0.0},
    {elementary_atan2, INFINITY, -INFINITY, 2.356194490192345},
    {elementary_atan2, 1, INFINITY, 0},
    {elementary_atan2, 3.7, -0.001, 1.5710665970585862},
    {elementary_atan2, NAN, 1, NAN},
};

static bool is_same(double got, double want)
{
    return f64_bits(got) == f64_bits(want) || (isnan(got) && isnan(want));
}

TEST(functions_of_one_number_agree_to_the_last_bit)
{
    for (size_t i = 0; i < sizeof unary_rows / sizeof *unary_rows; i++) {
        const struct unary_row *row = &unary_rows[i];
        double got = row->function(row->x);
        if (!is_same(got, row->want))
            fail_msg("row %zu, %.17g: got %.17g, want %.17g", i, row->x, got, row->want);
    }
}

TEST(functions_of_two_numbers_agree_to_the_last_bit)
{
    for (size_t i = 0; i < sizeof binary_rows / sizeof *binary_rows; i++) {
        const struct binary_row *row = &binary_rows[i];
        double got = row->function(row->a, row->b);
        if (!is_same(got, row->want))
            fail_msg("row %zu, %.17g, %.17g: got %.17g, want %.17g", i, row->a, row->b, got,
                     row->want);
    }
}

TEST_MAIN(RUN(functions_of_one_number_agree_to_the_last_bit),
          RUN(functions_of_two_numbers_agree_to_the_last_bit))
