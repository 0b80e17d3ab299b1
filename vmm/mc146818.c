/* mc146818.c: the real-time clock: time, alarm, periodic and update interrupts, CMOS memory. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/mc146818.h"

#include "vmm/calendar.h"
#include "vmm/clock.h"
#include "vmm/platform.h"

/* Sections in this file are those of the MC146818 data sheet. */

#define CRYSTAL_HZ 32768
/* Update-in-progress is up at least 244 us before the time changes ("Update Cycle"): 8 periods. */
#define UIP_PERIODS 8
#define ALARM_ANY 0xC0

#define FLAGS (MC146818_C_PF | MC146818_C_AF | MC146818_C_UF)

static bool divider_held(const struct mc146818 *rtc)
{
    return (rtc->a & MC146818_A_DIVIDER_RESET) == MC146818_A_DIVIDER_RESET;
}

static bool runs(const struct mc146818 *rtc)
{
    return (rtc->b & MC146818_B_SET) == 0 && !divider_held(rtc);
}

static uint64_t seconds_at(const struct mc146818 *rtc, uint64_t now)
{
    return (now - rtc->epoch) / rtc->tsc_hz;
}

static uint64_t crystal_at(const struct mc146818 *rtc, uint64_t now)
{
    return clock_ticks(now - rtc->epoch, rtc->tsc_hz, CRYSTAL_HZ);
}

/* A number as the registers hold it: BCD or binary. */
static uint8_t encode(const struct mc146818 *rtc, unsigned n)
{
    if ((rtc->b & MC146818_B_BINARY) != 0) {
        return (uint8_t)n;
    }
    return (uint8_t)(n / 10 << 4 | n % 10);
}

static unsigned decode(const struct mc146818 *rtc, uint8_t value)
{
    if ((rtc->b & MC146818_B_BINARY) != 0) {
        return value;
    }
    return (value >> 4) * 10U + (value & 15);
}

static uint8_t encode_hour(const struct mc146818 *rtc, unsigned hour)
{
    if ((rtc->b & MC146818_B_24H) != 0) {
        return encode(rtc, hour);
    }
    return (uint8_t)(encode(rtc, hour % 12 == 0 ? 12 : hour % 12) | (hour >= 12 ? 0x80 : 0));
}

static unsigned decode_hour(const struct mc146818 *rtc, uint8_t value)
{
    if ((rtc->b & MC146818_B_24H) != 0) {
        return decode(rtc, value);
    }
    return decode(rtc, value & 0x7F) % 12 + ((value & 0x80) != 0 ? 12 : 0);
}

/* Copies the running time into the registers. */
static void show_time(struct mc146818 *rtc, uint64_t now)
{
    struct calendar c = calendar_from_seconds(rtc->base + (int64_t)seconds_at(rtc, now));

    rtc->ram[MC146818_SECONDS] = encode(rtc, c.second);
    rtc->ram[MC146818_MINUTES] = encode(rtc, c.minute);
    rtc->ram[MC146818_HOURS] = encode_hour(rtc, c.hour);
    rtc->ram[MC146818_WEEKDAY] = encode(rtc, c.weekday);
    rtc->ram[MC146818_DAY] = encode(rtc, c.day);
    rtc->ram[MC146818_MONTH] = encode(rtc, c.month);
    rtc->ram[MC146818_YEAR] = encode(rtc, c.year % 100);
    rtc->ram[PLAT_RTC_CENTURY] = encode(rtc, c.year / 100);
}

/* Lets the time go on from what the registers say. The weekday follows from the date. */
static void take_time(struct mc146818 *rtc, uint64_t now)
{
    unsigned century = decode(rtc, rtc->ram[PLAT_RTC_CENTURY]);
    struct calendar c = {
        .year = century * 100 + decode(rtc, rtc->ram[MC146818_YEAR]),
        .month = decode(rtc, rtc->ram[MC146818_MONTH]),
        .day = decode(rtc, rtc->ram[MC146818_DAY]),
        .hour = decode_hour(rtc, rtc->ram[MC146818_HOURS]),
        .minute = decode(rtc, rtc->ram[MC146818_MINUTES]),
        .second = decode(rtc, rtc->ram[MC146818_SECONDS]),
    };

    rtc->base = calendar_to_seconds(&c) - (int64_t)seconds_at(rtc, now);
}

/*
 * Seconds from wall clock time `wall` until the alarm matches next, or 0 if it never does. Whole
 * hours and minutes that cannot match are skipped.
 */
static uint64_t next_alarm(const struct mc146818 *rtc, int64_t wall)
{
    uint8_t h = rtc->ram[MC146818_HOURS_ALARM];
    uint8_t m = rtc->ram[MC146818_MINUTES_ALARM];
    uint8_t s = rtc->ram[MC146818_SECONDS_ALARM];
    bool any_h = h >= ALARM_ANY, any_m = m >= ALARM_ANY, any_s = s >= ALARM_ANY;
    unsigned hour = decode_hour(rtc, h), minute = decode(rtc, m), second = decode(rtc, s);
    int64_t day = wall % CALENDAR_DAY_SECONDS;
    uint64_t start = (uint64_t)(day < 0 ? day + CALENDAR_DAY_SECONDS : day);
    uint64_t t = start + 1;

    if ((!any_h && hour > 23) || (!any_m && minute > 59) || (!any_s && second > 59)) {
        return 0;
    }
    for (;;) {
        if (!any_h && t / 3600 % 24 != hour) {
            t += 3600 - t % 3600;
        } else if (!any_m && t / 60 % 60 != minute) {
            t += 60 - t % 60;
        } else if (!any_s && t % 60 != second) {
            t++;
        } else {
            return t - start;
        }
    }
}

/* The period of the periodic interrupt in crystal periods, or 0 (table 5, 32.768 kHz time base). */
static uint64_t period(const struct mc146818 *rtc)
{
    unsigned rate = rtc->a & MC146818_A_RATE;

    if (rate == 0 || divider_held(rtc)) {
        return 0;
    }
    return 1ULL << (rate < 3 ? rate + 6 : rate - 1);
}

/* Sets the flags of all that happened in (seen, now], whether it is enabled to interrupt or not. */
static void gather(struct mc146818 *rtc, uint64_t now)
{
    uint64_t before = seconds_at(rtc, rtc->seen);
    uint64_t after = seconds_at(rtc, now);
    uint64_t each = period(rtc);
    uint64_t alarm;

    if (each != 0 && crystal_at(rtc, now) / each != crystal_at(rtc, rtc->seen) / each) {
        rtc->c |= MC146818_C_PF;
    }
    if (runs(rtc) && after != before) {
        alarm = next_alarm(rtc, rtc->base + (int64_t)before);
        rtc->c |= MC146818_C_UF;
        if (alarm != 0 && alarm <= after - before) {
            rtc->c |= MC146818_C_AF;
        }
    }
    rtc->seen = now;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/*
 * Sets the interrupt line as flags and enables say, and finds the next time at which it may
 * change.
 */
static void settle(struct mc146818 *rtc)
{
    uint64_t second = seconds_at(rtc, rtc->seen);
    uint64_t each = period(rtc);
    uint64_t alarm, edge;

    rtc->deadline = CLOCK_NEVER;
    if ((rtc->b & rtc->c & FLAGS) != 0) {
        rtc->c |= MC146818_C_IRQF;
        rtc->irq.set(rtc->irq.ctx, rtc->irq_number, true);
        return;
    }
    rtc->c &= (uint8_t)~MC146818_C_IRQF;
    rtc->irq.set(rtc->irq.ctx, rtc->irq_number, false);
    if ((rtc->b & MC146818_B_PIE) != 0 && each != 0) {
        edge = (crystal_at(rtc, rtc->seen) / each + 1) * each;
        rtc->deadline = rtc->epoch + clock_tsc(edge, rtc->tsc_hz, CRYSTAL_HZ);
    }
    if ((rtc->b & MC146818_B_UIE) != 0 && runs(rtc)) {
        rtc->deadline = earlier(rtc->deadline, rtc->epoch + (second + 1) * rtc->tsc_hz);
    }
    if ((rtc->b & MC146818_B_AIE) != 0 && runs(rtc)) {
        alarm = next_alarm(rtc, rtc->base + (int64_t)second);
        if (alarm != 0) {
            rtc->deadline = earlier(rtc->deadline, rtc->epoch + (second + alarm) * rtc->tsc_hz);
        }
    }
}

void mc146818_init(struct mc146818 *rtc, uint64_t tsc_hz, uint64_t now, int64_t seconds,
                   const struct irq_line *irq, unsigned irq_number)
{
    *rtc = (struct mc146818){
        .irq = *irq,
        .irq_number = irq_number,
        .tsc_hz = tsc_hz,
        .epoch = now,
        .seen = now,
        .deadline = CLOCK_NEVER,
        .base = seconds,
        .a = 2 << 4 | 6, /* 32.768 kHz, 1024 Hz, as firmware leaves it */
        .b = MC146818_B_24H,
    };
}

void mc146818_tick(struct mc146818 *rtc, uint64_t now)
{
    if (now >= rtc->deadline) {
        gather(rtc, now);
        settle(rtc);
    }
}

static bool is_time(unsigned index)
{
    return index == PLAT_RTC_CENTURY ||
           (index <= MC146818_YEAR && index != MC146818_SECONDS_ALARM &&
            index != MC146818_MINUTES_ALARM && index != MC146818_HOURS_ALARM);
}

/*
 * Changes register A or B. A clock that stops leaves its time in the registers; one that starts
 * takes it from there. A divider released from reset makes its first update half a second later.
 */
static void change_control(struct mc146818 *rtc, uint64_t now, uint8_t a, uint8_t b)
{
    bool ran = runs(rtc), held = divider_held(rtc);

    if (ran) {
        show_time(rtc, now);
    }
    rtc->a = a;
    rtc->b = b;
    if (held && !divider_held(rtc)) {
        rtc->epoch = now - rtc->tsc_hz / 2;
    }
    if (!ran && runs(rtc)) {
        take_time(rtc, now);
    }
}

static void write_register(struct mc146818 *rtc, uint64_t now, uint8_t value)
{
    unsigned index = rtc->index;

    gather(rtc, now);
    if (index == MC146818_A) {
        change_control(rtc, now, value & (uint8_t)~MC146818_A_UIP, rtc->b);
    } else if (index == MC146818_B) {
        if ((value & MC146818_B_SET) != 0) {
            value &= (uint8_t)~MC146818_B_UIE; /* "Register B", SET */
        }
        change_control(rtc, now, rtc->a, value);
    } else if (is_time(index) && runs(rtc)) {
        show_time(rtc, now);
        rtc->ram[index] = value;
        take_time(rtc, now);
    } else if (index != MC146818_C && index != MC146818_D) {
        rtc->ram[index] = value;
    }
    settle(rtc);
}

static bool update_in_progress(const struct mc146818 *rtc, uint64_t now)
{
    return runs(rtc) && crystal_at(rtc, now) % CRYSTAL_HZ >= CRYSTAL_HZ - UIP_PERIODS;
}

static uint8_t read_register(struct mc146818 *rtc, uint64_t now)
{
    uint8_t value;

    gather(rtc, now);
    switch (rtc->index) {
    case MC146818_A:
        value = rtc->a | (update_in_progress(rtc, now) ? MC146818_A_UIP : 0);
        break;
    case MC146818_B:
        value = rtc->b;
        break;
    case MC146818_C: /* reading clears the flags and the interrupt */
        settle(rtc);
        value = rtc->c;
        rtc->c = 0;
        break;
    case MC146818_D:
        value = MC146818_D_VALID;
        break;
    default:
        if (is_time(rtc->index) && runs(rtc)) {
            show_time(rtc, now);
        }
        value = rtc->ram[rtc->index];
        break;
    }
    settle(rtc);
    return value;
}

static uint64_t port_read(void *dev, const struct bus_access *access)
{
    /* The index port is write only. */
    return access->offset == 0 ? 0xFF : read_register(dev, access->now);
}

static void port_write(void *dev, const struct bus_access *access, uint64_t value)
{
    struct mc146818 *rtc = dev;

    if (access->offset == 0) {
        rtc->index = value % MC146818_SIZE; /* bit 7 masks NMIs that this machine does not have */
    } else {
        write_register(rtc, access->now, (uint8_t)value);
    }
}

const struct bus_ops mc146818_ports = {.width = 1, .read = port_read, .write = port_write};
