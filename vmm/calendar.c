/* calendar.c: the Gregorian calendar, for the clock chip. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/calendar.h"

#include <stdbool.h>

/* 1 January 1970, a Thursday, in days after the origin of days_before_year(). */
#define EPOCH_YEAR 1970
#define EPOCH_WEEKDAY 4

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from a fixed origin, 400 years before the year 0 so that nothing here is negative. */
static int64_t days_before_year(int64_t year)
{
    int64_t whole = year + 399;

    return whole * 365 + whole / 4 - whole / 100 + whole / 400;
}

static int64_t days_before_month(int64_t year, unsigned month)
{
    static const uint16_t before[12] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};

    return before[month - 1] + (month > 2 && is_leap(year) ? 1 : 0);
}

int64_t calendar_to_seconds(const struct calendar *c)
{
    unsigned month = c->month < 1 ? 1 : c->month > 12 ? 12 : c->month;
    int64_t days = days_before_year(c->year) - days_before_year(EPOCH_YEAR) +
                   days_before_month(c->year, month) + (int64_t)c->day - 1;

    return days * CALENDAR_DAY_SECONDS + (int64_t)c->hour * 3600 + (int64_t)c->minute * 60 +
           (int64_t)c->second;
}

/* `seconds` moved by whole cycles of the calendar (400 years) into the years 0 to 9999. */
static int64_t into_range(int64_t seconds)
{
    const int64_t first = (days_before_year(0) - days_before_year(EPOCH_YEAR)) * 86400;
    const int64_t span = (days_before_year(10000) - days_before_year(0)) * 86400;
    int64_t offset = (seconds - first) % span;

    return first + (offset < 0 ? offset + span : offset);
}

struct calendar calendar_from_seconds(int64_t seconds)
{
    int64_t origin = days_before_year(EPOCH_YEAR);
    int64_t since_origin = into_range(seconds) + origin * CALENDAR_DAY_SECONDS;
    int64_t days = since_origin / CALENDAR_DAY_SECONDS;
    int64_t rest = since_origin % CALENDAR_DAY_SECONDS;
    int64_t weekday = days - origin + EPOCH_WEEKDAY + 7 * 1000000; /* kept positive */
    int64_t year = days / 366 - 400;
    unsigned month = 12;

    while (days_before_year(year + 1) <= days) {
        year++;
    }
    days -= days_before_year(year);
    while (days_before_month(year, month) > days) {
        month--;
    }
    return (struct calendar){
        .year = (unsigned)year,
        .month = month,
        .day = (unsigned)(days - days_before_month(year, month)) + 1,
        .weekday = (unsigned)(weekday % 7) + 1,
        .hour = (unsigned)(rest / 3600),
        .minute = (unsigned)(rest / 60 % 60),
        .second = (unsigned)(rest % 60),
    };
}
