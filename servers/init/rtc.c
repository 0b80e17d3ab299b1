/* rtc.c: the time of day from the machine's MC146818 clock. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/init/rtc.h"

#include <stdbool.h>
#include <string.h>

#include "servers/lib/syscall.h"

/* The chip's index and data ports on a PC. */
#define RTC_INDEX_PORT 0x70
#define RTC_DATA_PORT  0x71
#define RTC_TRIES      1000000u /* an update takes 2 ms: more than enough reads for one */

static unsigned number(const uint8_t *registers, enum rtc_register which, uint8_t mask)
{
    unsigned value = registers[which] & mask;
    return (registers[RTC_STATUS_B] & RTC_B_BINARY) != 0 ? value : (value >> 4) * 10 + (value & 15);
}

static bool leap(unsigned year)
{
    return year % 4 == 0; /* right for 2000 to 2099 */
}

uint64_t rtc_seconds(const uint8_t registers[RTC_REGISTERS])
{
    static const uint8_t month_days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool twelve = (registers[RTC_STATUS_B] & RTC_B_24_HOURS) == 0;
    unsigned second = number(registers, RTC_SECONDS, 0xff);
    unsigned minute = number(registers, RTC_MINUTES, 0xff);
    unsigned hour = number(registers, RTC_HOURS, twelve ? 0x7f : 0xff);
    unsigned day = number(registers, RTC_DAY, 0xff);
    unsigned month = number(registers, RTC_MONTH, 0xff);
    unsigned year = number(registers, RTC_YEAR, 0xff);
    if (twelve) {
        hour = hour % 12 + ((registers[RTC_HOURS] & RTC_HOURS_PM) != 0 ? 12 : 0);
    }
    if (second > 59 || minute > 59 || hour > 23 || month < 1 || month > 12 || year > 99 ||
        day < 1 || day > month_days[month - 1] + (month == 2 && leap(year) ? 1u : 0u)) {
        return 0;
    }
    /*
     * From 1970 to 2000 there are 10957 days; of the years before this one since 2000, each fourth
     * is longer.
     */
    uint64_t days = 10957 + year * 365ull + (year + 3) / 4 + day - 1;
    for (unsigned m = 1; m < month; m++) {
        days += month_days[m - 1] + (m == 2 && leap(year) ? 1u : 0u);
    }
    return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

static bool read_register(uint32_t ports, unsigned which, uint8_t *value)
{
    uint32_t wide = 0;
    if (sys_port_out(ports, RTC_INDEX_PORT, 1, which) != OK ||
        sys_port_in(ports, RTC_DATA_PORT, 1, &wide) != OK) {
        return false;
    }
    *value = (uint8_t)wide;
    return true;
}

/* Reads all registers between two updates of the chip. */
static bool read_all(uint32_t ports, uint8_t registers[RTC_REGISTERS])
{
    uint8_t status = RTC_A_UPDATING;
    for (unsigned tries = 0; (status & RTC_A_UPDATING) != 0; tries++) {
        if (tries == RTC_TRIES || !read_register(ports, RTC_STATUS_A, &status)) {
            return false;
        }
    }
    for (unsigned i = 0; i < RTC_REGISTERS; i++) {
        if (!read_register(ports, i, &registers[i])) {
            return false;
        }
    }
    return true;
}

uint64_t rtc_read(uint32_t ports)
{
    uint8_t first[RTC_REGISTERS], second[RTC_REGISTERS];
    /* An update may have begun while the registers were read: twice the same is right. */
    for (unsigned tries = 0; tries < 3; tries++) {
        if (!read_all(ports, first) || !read_all(ports, second)) {
            return 0;
        }
        if (memcmp(first, second, sizeof(first)) == 0) {
            return rtc_seconds(first);
        }
    }
    return 0;
}
