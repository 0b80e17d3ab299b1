/* rtc_test.c: the clock chip's registers become the right second. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: servers/init/rtc.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "servers/init/rtc.h"

static uint8_t decimal(int value)
{
    return (uint8_t)(value / 10 << 4 | value % 10);
}

/*
 * The oracle is the C library's calendar, each third hour of a century, in all four modes of the
 * chip.
 */
static void test_century(void **state)
{
    (void)state;
    for (time_t at = 946684800; at < 4102444800; at += 3 * 3600 + 61) {
        struct tm t;
        gmtime_r(&at, &t);
        uint8_t status = (uint8_t)(at / 61 % 4 << 1);
        int hour = t.tm_hour;
        uint8_t pm = 0;
        if ((status & RTC_B_24_HOURS) == 0) {
            pm = hour >= 12 ? RTC_HOURS_PM : 0;
            hour = (hour + 11) % 12 + 1;
        }
        uint8_t r[RTC_REGISTERS] = { 0 };
        const int values[] = { t.tm_sec, t.tm_min, hour, t.tm_mday, t.tm_mon + 1, t.tm_year - 100 };
        static const uint8_t places[] = { RTC_SECONDS, RTC_MINUTES, RTC_HOURS, RTC_DAY, RTC_MONTH,
            RTC_YEAR };
        for (unsigned i = 0; i < 6; i++) {
            r[places[i]] = (status & RTC_B_BINARY) != 0 ? (uint8_t)values[i] : decimal(values[i]);
        }
        r[RTC_HOURS] |= pm;
        r[RTC_STATUS_B] = status;
        assert_int_equal(rtc_seconds(r), at);
    }
}

static void test_nonsense(void **state)
{
    (void)state;
    uint8_t r[RTC_REGISTERS] = { [RTC_DAY] = 1, [RTC_MONTH] = 1, [RTC_STATUS_B] = RTC_B_24_HOURS };
    assert_int_equal(rtc_seconds(r), 946684800);
    for (unsigned i = 0; i < RTC_STATUS_A; i++) {
        uint8_t kept = r[i];
        r[i] = 0xff;
        if (i != 1 && i != 3 && i != 5 && i != 6) {
            assert_int_equal(rtc_seconds(r), 0);
        }
        r[i] = kept;
    }
    r[RTC_DAY] = 0x30;
    r[RTC_MONTH] = 2;
    assert_int_equal(rtc_seconds(r), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "RTC-01: a century of times is right in all modes", test_century, NULL, NULL, NULL },
        { "RTC-02: registers that hold no time give 0", test_nonsense, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
