/* tsc.c: measures how fast the time-stamp counter runs. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/x86/tsc.h"

#include <stdbool.h>

#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/x86/asm.h"

/* A clock of known speed, to compare with: counts up, and wraps where its mask ends. */
struct reference {
    const char *name;
    uint32_t hz;
    uint32_t mask;
    uint32_t (*read)(uint16_t port);
    uint16_t port;
};

enum {
    PM_TIMER_HZ = 3579545, /* ACPI 4.8.2.1 */
    PIT_HZ = 1193182,
    CALIBRATION_PER_SECOND = 1000, /* the measurement takes one part of so many of a second */
};

/* More reads than a tick of a reference can take; one that stands still as long is broken. */
enum { STILL_READS_MAX = 100000 };

/* 8254, channel 2; port 0x61 has its gate (bit 0) and the speaker (bit 1). */
enum {
    PIT_CHANNEL_2 = 0x42,
    PIT_COMMAND = 0x43,
    PIT_GATE = 0x61,
    PIT_GATE_ON = 1,
    PIT_SPEAKER_ON = 2,
    PIT_MODE_0_CHANNEL_2 = 0xb0,
    PIT_LATCH_CHANNEL_2 = 0x80,
};

uint64_t tsc_hz;

static uint32_t pm_timer_read(uint16_t port)
{
    return in32(port);
}

static uint32_t pit_read(uint16_t port)
{
    uint32_t count;

    out8(PIT_COMMAND, PIT_LATCH_CHANNEL_2);
    count = in8(port);
    count |= (uint32_t)in8(port) << 8;
    return 0xffff - count;
}

static void pit_start(void)
{
    out8(PIT_GATE, (uint8_t)((in8(PIT_GATE) & ~PIT_SPEAKER_ON) | PIT_GATE_ON));
    out8(PIT_COMMAND, PIT_MODE_0_CHANNEL_2);
    out8(PIT_CHANNEL_2, 0xff);
    out8(PIT_CHANNEL_2, 0xff);
}

/*
 * Waits until the reference is 'ticks' past 'start'; from it the TSC is read right behind an edge
 * of the reference, which makes a short measurement a good one.
 */
static bool wait_ticks(const struct reference *r, uint32_t start, uint32_t ticks, uint32_t *passed)
{
    uint32_t before = 0;
    unsigned still = 0;

    while (still++ < STILL_READS_MAX) {
        *passed = (r->read(r->port) - start) & r->mask;
        if (*passed >= ticks) {
            return true;
        }
        if (*passed != before) {
            before = *passed;
            still = 0;
        }
    }
    return false;
}

static bool measure(const struct reference *r)
{
    uint32_t start = r->read(r->port);
    uint32_t first, last;
    uint64_t tsc_first, tsc_last;

    if (!wait_ticks(r, start, 1, &first)) {
        return false;
    }
    tsc_first = rdtsc();
    if (!wait_ticks(r, start, first + r->hz / CALIBRATION_PER_SECOND, &last)) {
        return false;
    }
    tsc_last = rdtsc();
    tsc_hz = (tsc_last - tsc_first) * r->hz / (last - first);
    klog("tsc: %lu kHz by the %s\n", tsc_hz / 1000, r->name);
    return tsc_hz != 0;
}

void tsc_calibrate(uint16_t pm_timer)
{
    const struct reference acpi = {"ACPI PM timer", PM_TIMER_HZ, 0xffffff, pm_timer_read, pm_timer};
    const struct reference pit = {"PIT", PIT_HZ, 0xffff, pit_read, PIT_CHANNEL_2};

    if (pm_timer != 0 && measure(&acpi)) {
        return;
    }
    pit_start();
    if (!measure(&pit)) {
        panic("neither the ACPI PM timer nor the PIT counts: no clock");
    }
}

void tsc_wait_us(uint64_t microseconds)
{
    uint64_t start = rdtsc();
    uint64_t ticks = microseconds * tsc_hz / 1000000;

    while (rdtsc() - start < ticks) {
        cpu_relax();
    }
}
