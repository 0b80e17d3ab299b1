/* mc146818_test.c: the clock chip against the C library's calendar, and its three interrupts. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/mc146818.c vmm/calendar.c */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "vmm/calendar.h"
#include "vmm/clock.h"
#include "vmm/mc146818.h"

#define TSC_HZ 3276800ULL /* 100 ticks in a period of the crystal */
#define START 777
#define WALL 1709164799LL /* 2024-02-28 23:59:59, the day before a leap day */

static struct mc146818 rtc;
static uint64_t now;
static bool irq;
static unsigned edges;

static void on_irq(void *ctx, unsigned line, bool level)
{
    (void)ctx;
    assert_int_equal(line, 8);
    edges += level && !irq;
    irq = level;
}

static int setup(void **state)
{
    (void)state;
    now = START;
    irq = false;
    edges = 0;
    mc146818_init(&rtc, TSC_HZ, now, WALL, &(struct irq_line){on_irq, NULL}, 8);
    return 0;
}

static uint8_t rd(uint8_t index)
{
    mc146818_ports.write(&rtc, &(struct bus_access){0, now, 1, 0}, index);
    return (uint8_t)mc146818_ports.read(&rtc, &(struct bus_access){1, now, 1, 0});
}

static void wr(uint8_t index, uint8_t value)
{
    mc146818_ports.write(&rtc, &(struct bus_access){0, now, 1, 0}, index);
    mc146818_ports.write(&rtc, &(struct bus_access){1, now, 1, 0}, value);
}

static void calendar_equals_libc(void **state)
{
    (void)state;
    srand(146818);
    for (unsigned i = 0; i < 200000; i++) {
        int64_t t = (int64_t)(((uint64_t)rand() << 31 | (uint64_t)rand()) % 315569520000) -
                    62167219200; /* year 0 on */
        struct calendar c = calendar_from_seconds(t);
        time_t libc_time = (time_t)t;
        struct tm tm;

        gmtime_r(&libc_time, &tm);
        assert_int_equal(c.year, tm.tm_year + 1900);
        assert_int_equal(c.month, tm.tm_mon + 1);
        assert_int_equal(c.day, tm.tm_mday);
        assert_int_equal(c.weekday, tm.tm_wday + 1);
        assert_int_equal(c.hour, tm.tm_hour);
        assert_int_equal(c.minute, tm.tm_min);
        assert_int_equal(c.second, tm.tm_sec);
        assert_true(calendar_to_seconds(&c) == t);
    }
}

static void check_bcd(const char *digits)
{
    static const uint8_t reg[] = {0x32, 0x09, 0x08, 0x07, 0x04, 0x02, 0x00};

    for (unsigned i = 0; i < sizeof(reg); i++) {
        assert_int_equal(rd(reg[i]), (digits[2 * i] - '0') << 4 | (digits[2 * i + 1] - '0'));
    }
}

static void time_goes_on(void **state)
{
    (void)state;
    check_bcd("20240228235959");
    assert_int_equal(rd(0x06), 4); /* a Wednesday */
    now += TSC_HZ - 1;
    check_bcd("20240228235959");
    now += 1;
    check_bcd("20240229000000");
    now += 86400 * TSC_HZ;
    check_bcd("20240301000000");
    assert_int_equal(rd(0x0D), 0x80);
}

static void formats(void **state)
{
    (void)state;
    wr(0x0B, 0x06); /* binary, 24 hours */
    assert_int_equal(rd(0x04), 23);
    assert_int_equal(rd(0x00), 59);
    wr(0x0B, 0x04); /* binary, 12 hours */
    assert_int_equal(rd(0x04), 0x80 | 11);
    wr(0x0B, 0x00); /* BCD, 12 hours */
    assert_int_equal(rd(0x04), 0x91);
    now += TSC_HZ;
    assert_int_equal(rd(0x04), 0x12); /* 12 AM is midnight */
    now += 12 * 3600 * TSC_HZ;
    assert_int_equal(rd(0x04), 0x92); /* 12 PM is noon */
}

static void setting_the_time(void **state)
{
    static const uint8_t reg[] = {0x32, 0x09, 0x08, 0x07, 0x04, 0x02, 0x00};
    static const uint8_t value[] = {0x19, 0x99, 0x12, 0x31, 0x23, 0x58, 0x30};

    (void)state;
    now += TSC_HZ / 2;
    wr(0x0B, 0x82);
    for (unsigned i = 0; i < sizeof(reg); i++) {
        wr(reg[i], value[i]);
    }
    now += 5 * TSC_HZ;
    check_bcd("19991231235830"); /* stands still */
    wr(0x0B, 0x02);
    check_bcd("19991231235830");
    now += 91 * TSC_HZ;
    check_bcd("20000101000001");
    wr(0x02, 0x30); /* without SET: the rest of the time goes on */
    check_bcd("20000101003001");
}

static void divider_reset(void **state)
{
    (void)state;
    wr(0x0A, 0x76);
    now += 100 * TSC_HZ;
    check_bcd("20240228235959");
    wr(0x0A, 0x26);
    now += TSC_HZ / 2 - 1;
    check_bcd("20240228235959");
    now += 1; /* the first update comes after half a second */
    check_bcd("20240229000000");
}

static void update_in_progress(void **state)
{
    (void)state;
    assert_int_equal(rd(0x0A), 0x26);
    now = START + TSC_HZ - 801;
    assert_int_equal(rd(0x0A) & 0x80, 0);
    now = START + TSC_HZ - 800;
    assert_int_equal(rd(0x0A) & 0x80, 0x80);
    now = START + TSC_HZ;
    assert_int_equal(rd(0x0A) & 0x80, 0);
}

/* Runs to the next deadline, which must be at `at` and interrupt; returns register C. */
static uint8_t next(uint64_t at)
{
    assert_true(mc146818_deadline(&rtc) == at);
    assert_false(irq);
    mc146818_tick(&rtc, at - 1);
    assert_false(irq);
    mc146818_tick(&rtc, at);
    assert_true(irq);
    assert_true(mc146818_deadline(&rtc) == CLOCK_NEVER);
    now = at;
    return rd(0x0C);
}

static void periodic(void **state)
{
    (void)state;
    for (uint8_t rate = 1; rate <= 15; rate++) {
        /* The data sheet's table for 32.768 kHz, in Hz */
        unsigned hz = rate == 1 ? 256 : rate == 2 ? 128 : 32768U >> (rate - 1);
        uint64_t period = TSC_HZ / hz;

        setup(state);
        wr(0x0A, 0x20 | rate);
        wr(0x0B, 0x42);
        assert_int_equal(next(START + period), 0xC0);
        assert_int_equal(next(START + 2 * period) & 0xC0, 0xC0);
        assert_int_equal(edges, 2);
    }
    wr(0x0A, 0x20);
    assert_true(mc146818_deadline(&rtc) == CLOCK_NEVER);
}

static void alarm_at(uint8_t h, uint8_t m, uint8_t s)
{
    wr(0x05, h);
    wr(0x03, m);
    wr(0x01, s);
}

static void update_ended(void **state)
{
    (void)state;
    wr(0x0A, 0x20);
    alarm_at(0x12, 0, 0); /* not in the way */
    wr(0x0B, 0x12);
    assert_int_equal(next(START + TSC_HZ), 0x90);
    assert_int_equal(next(START + 2 * TSC_HZ), 0x90);
    wr(0x0B, 0x92); /* SET clears UIE */
    assert_int_equal(rd(0x0B), 0x82);
    assert_true(mc146818_deadline(&rtc) == CLOCK_NEVER);
}

static void alarm(void **state)
{
    (void)state;
    wr(0x0A, 0x20);
    alarm_at(0x07, 0x30, 0x15);
    wr(0x0B, 0x22);
    assert_int_equal(next(START + (1 + 7 * 3600 + 30 * 60 + 15) * TSC_HZ), 0xB0);
    assert_true(mc146818_deadline(&rtc) == now + 86400 * TSC_HZ);
    wr(0x05, 0xFF); /* every hour */
    assert_int_equal(next(now + 3600 * TSC_HZ), 0xB0);
    alarm_at(0xC0, 0xC0, 0xC0); /* every second */
    assert_int_equal(next(now + TSC_HZ), 0xB0);
    alarm_at(0x24, 0xC0, 0xC0); /* never */
    assert_true(mc146818_deadline(&rtc) == CLOCK_NEVER);
}

/* next_alarm() skips hours and minutes; the oracle walks second by second. */
static void alarms_as_oracle(void **state)
{
    (void)state;
    srand(5);
    for (unsigned i = 0; i < 300; i++) {
        unsigned h = (unsigned)rand() % 26, m = (unsigned)rand() % 62, s = (unsigned)rand() % 62;
        bool possible = (h < 24 || h == 25) && (m < 60 || m == 61) && (s < 60 || s == 61);
        uint64_t at = 0;

        setup(state);
        now += (uint64_t)(rand() % 86400) * TSC_HZ;
        for (unsigned t = 1; possible && at == 0; t++) {
            unsigned day = (unsigned)((86399 + (now - START) / TSC_HZ + t) % 86400);
            bool match = (h == 25 || day / 3600 == h) && (m == 61 || day / 60 % 60 == m) &&
                         (s == 61 || day % 60 == s);

            at = match ? t : 0;
        }
        wr(0x0B, 0x06); /* binary */
        alarm_at(h == 25 ? 0xFF : (uint8_t)h, m == 61 ? 0xFF : (uint8_t)m,
                 s == 61 ? 0xFF : (uint8_t)s);
        rd(0x0C); /* forget what matched on the way here */
        wr(0x0B, 0x26);
        assert_true(mc146818_deadline(&rtc) == (possible ? now + at * TSC_HZ : CLOCK_NEVER));
    }
}

static void flags_without_interrupt(void **state)
{
    (void)state;
    alarm_at(0x00, 0x00, 0x01);
    rd(0x0C);
    now = START + TSC_HZ;
    assert_int_equal(rd(0x0C), 0x50);
    assert_int_equal(rd(0x0C), 0);
    now = START + 3 * TSC_HZ;
    assert_int_equal(rd(0x0C), 0x70);
    assert_int_equal(edges, 0);
    wr(0x0B, 0x12);
    now = START + 4 * TSC_HZ;
    mc146818_tick(&rtc, now);
    assert_true(irq);
    wr(0x0B, 0x02); /* disabling takes the line down */
    assert_false(irq);
}

static void memory(void **state)
{
    (void)state;
    for (unsigned i = 0x0E; i < 0x80; i++) {
        if (i != 0x32) {
            wr((uint8_t)i, (uint8_t)(i * 3));
        }
    }
    for (unsigned i = 0x0E; i < 0x80; i++) {
        if (i != 0x32) {
            assert_int_equal(rd((uint8_t)(i | 0x80)), (uint8_t)(i * 3));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"RTC-01: the calendar equals the C library's", calendar_equals_libc, setup, 0, 0},
        {"RTC-02: time goes on, over a leap day", time_goes_on, setup, 0, 0},
        {"RTC-03: BCD and binary, 12 and 24 hours", formats, setup, 0, 0},
        {"RTC-04: SET stops the clock and sets it", setting_the_time, setup, 0, 0},
        {"RTC-05: the divider stops the clock", divider_reset, setup, 0, 0},
        {"RTC-06: update-in-progress warns 244 us ahead", update_in_progress, setup, 0, 0},
        {"RTC-07: the periodic interrupt at all rates", periodic, setup, 0, 0},
        {"RTC-08: the update-ended interrupt", update_ended, setup, 0, 0},
        {"RTC-09: the alarm, with and without wildcards", alarm, setup, 0, 0},
        {"RTC-10: random alarms equal a walk by seconds", alarms_as_oracle, setup, 0, 0},
        {"RTC-11: flags gather without interrupts", flags_without_interrupt, setup, 0, 0},
        {"RTC-12: memory keeps its bytes", memory, setup, 0, 0},
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
