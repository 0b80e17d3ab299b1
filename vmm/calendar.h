/* calendar.h: the Gregorian calendar, for the clock chip. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CALENDAR_H
#define VMM_CALENDAR_H

#include <stdint.h>

#define CALENDAR_DAY_SECONDS 86400

struct calendar {
    unsigned year;    /* 0 to 9999 */
    unsigned month;   /* 1 to 12 */
    unsigned day;     /* 1 to 31 */
    unsigned weekday; /* 1 is Sunday */
    unsigned hour, minute, second;
};

/*
 * The date and time `seconds` after 1970-01-01 00:00:00; before it if negative. Years wrap at
 * 10000.
 */
struct calendar calendar_from_seconds(int64_t seconds);

/*
 * The inverse; `weekday` is ignored. Fields that are out of range count on, as day 32 does into the
 * next month; a month out of range counts as the nearest one.
 */
int64_t calendar_to_seconds(const struct calendar *c);

#endif
