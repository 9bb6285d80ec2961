/* Parts of a time in UTC, by the proleptic Gregorian calendar. */
#include "query/function/instant_functions.h"

#include <math.h>

enum {
    SECONDS_PER_DAY = 86400,
    DAYS_PER_ERA = 146097,  /* of 400 years, after which the calendar repeats */
    DAYS_TO_EPOCH = 719468, /* from 0000-03-01 to 1970-01-01 */
    WEEKDAY_OF_EPOCH = 4,   /* a Thursday */
};

struct date {
    int64_t year;
    int64_t month; /* from 1 */
    int64_t day;   /* from 1 */
};

static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

/* Go makes the smallest int64 of what does not fit, NaN too, and its calendar, which counts seconds
   of a far past without a sign, wraps that around to 2^63 seconds after 1970. */
#define WRAPPED_DAYS   INT64_C(106751991167300)
#define WRAPPED_SECOND INT64_C(55808)

static bool is_representable(double value)
{
    return value > -0x1p63 && value < 0x1p63;
}

static int64_t days_of(double value)
{
    return is_representable(value) ? floor_div((int64_t)value, SECONDS_PER_DAY) : WRAPPED_DAYS;
}

static int64_t second_of_day(double value)
{
    if (!is_representable(value))
        return WRAPPED_SECOND;
    int64_t second = (int64_t)value % SECONDS_PER_DAY;
    return second < 0 ? second + SECONDS_PER_DAY : second;
}

/* Counts years from 1 March, so that the leap day is the last of its year. */
static struct date date_of_days(int64_t days)
{
    int64_t shifted = days + DAYS_TO_EPOCH;
    int64_t era = floor_div(shifted, DAYS_PER_ERA);
    int64_t day_of_era = shifted - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    return (struct date){
        .year = era * 400 + year_of_era + (month <= 2),
        .month = month,
        .day = day_of_year - (153 * month_from_march + 2) / 5 + 1,
    };
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t days_in_month(struct date date)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[date.month - 1] + (date.month == 2 && is_leap(date.year));
}

double map_day_of_month(double value, const double *args, size_t arg_count)
{
    (void)args;
    (void)arg_count;
    return (double)date_of_days(days_of(value)).day;
}

double map_day_of_week(double value, const double *args, size_t arg_count)
{
    (void)args;
    (void)arg_count;
    int64_t days = days_of(value) + WEEKDAY_OF_EPOCH;
    return (double)(days - 7 * floor_div(days, 7));
}

double map_day_of_year(double value, const double *args, size_t arg_count)
{
    (void)args;
    (void)arg_count;
    struct date date = date_of_days(days_of(value));
    int64_t days = date.day;
    for (struct date month = {date.year, 1, 1}; month.month < date.month; month.month++)
        days += days_in_month(month);
    return (double)days;
}

double map_days_in_month(double value, const double *args, size_t arg_count)
{
    (void)args;
    (void)arg_count;
    return (double)days_in_month(date_of_days(days_of(value)));
}

double map_hour(double value, const double *args, size_t arg_count)
{
    (void)args;
    (void)arg_count;
    return (double)(second_of_day(value) / 3600);
}

double map_minute(double value, const double *args, size_t arg_count)
{
    (void)args;
    (void)arg_count;
    return (double)(second_of_day(value) / 60 % 60);
}

double map_month(double value, const double *args, size_t arg_count)
{
    (void)args;
    (void)arg_count;
    return (double)date_of_days(days_of(value)).month;
}

double map_year(double value, const double *args, size_t arg_count)
{
    (void)args;
    (void)arg_count;
    return (double)date_of_days(days_of(value)).year;
}
