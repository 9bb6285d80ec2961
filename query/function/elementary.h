/*
 * elementary: exp, log, sin and their kin as Prometheus has them, to the last bit.
 *
 * No two libraries of mathematics agree in every last digit; the C library's results would differ
 * from Prometheus' in about one of twenty. So these follow the methods of Go's library on amd64:
 * those published as Cephes (trigonometry, tanh) and fdlibm (logarithms), Shibata's for exp (with
 * fused multiplication, which every processor of the last ten years has), Hart and Cheney's for
 * sinh. Errors are below one unit in the last place, as with any other library; order of operations
 * matters and is on purpose. Known oddities of Go on amd64 are kept: exp is infinite from
 * about 709.44 on, and the logarithm of a subnormal number is that of 2^-1022 and something.
 * NaN and infinities: as C has them.
 */
#ifndef CROFT_QUERY_FUNCTION_ELEMENTARY_H
#define CROFT_QUERY_FUNCTION_ELEMENTARY_H

double elementary_exp(double x);
double elementary_log(double x);
double elementary_log2(double x);
double elementary_log10(double x);
double elementary_pow(double x, double y);

double elementary_sin(double x);
double elementary_cos(double x);
double elementary_tan(double x);
double elementary_asin(double x);
double elementary_acos(double x);
double elementary_atan(double x);
double elementary_atan2(double y, double x);

double elementary_sinh(double x);
double elementary_cosh(double x);
double elementary_tanh(double x);
double elementary_asinh(double x);
double elementary_acosh(double x);
double elementary_atanh(double x);

#endif
