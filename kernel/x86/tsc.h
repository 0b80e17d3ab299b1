/* tsc.h: the time-stamp counter, the kernel's only clock. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_X86_TSC_H
#define KERNEL_X86_TSC_H

#include <stdint.h>

/* Ticks a second, measured by tsc_calibrate(). */
extern uint64_t tsc_hz;

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/*
 * Measures tsc_hz for about one millisecond against the ACPI power-management timer at I/O port
 * 'pm_timer' (ACPI 4.8.2.1: 3.579545 MHz), or against the PIT if that is 0 or stands still.
 */
void tsc_calibrate(uint16_t pm_timer);

/* Waits. Needs tsc_hz. */
void tsc_wait_us(uint64_t microseconds);

#endif
