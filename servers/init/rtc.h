/* rtc.h: the time of day from the machine's MC146818 clock, read once at the start. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_INIT_RTC_H
#define SERVERS_INIT_RTC_H

#include <stdint.h>

/* Registers of the chip (MC146818 data sheet, "Address map"). */
enum rtc_register {
    RTC_SECONDS = 0x00,
    RTC_MINUTES = 0x02,
    RTC_HOURS = 0x04,
    RTC_DAY = 0x07,
    RTC_MONTH = 0x08,
    RTC_YEAR = 0x09,
    RTC_STATUS_A = 0x0a,
    RTC_STATUS_B = 0x0b,
    RTC_REGISTERS = 0x0c
};
enum {
    RTC_A_UPDATING = 1 << 7, /* UIP: the time is being changed */
    RTC_B_24_HOURS = 1 << 1,
    RTC_B_BINARY = 1 << 2, /* DM: otherwise the numbers are decimal, a digit in 4 bits */
    RTC_HOURS_PM = 1 << 7  /* in 12-hour mode */
};

/*
 * Seconds since 1970-01-01 of the time in the registers, taken as UTC, years as 2000 to 2099; 0 if
 * it is no time.
 */
uint64_t rtc_seconds(const uint8_t registers[RTC_REGISTERS]);

/*
 * The same read from the chip with an IoPorts capability for ports 0x70 and 0x71; 0: it gives no
 * time.
 */
uint64_t rtc_read(uint32_t ports);

#endif
