/* clock.h: converts between guest TSC ticks and the ticks of a device, without drift. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CLOCK_H
#define VMM_CLOCK_H

#include <stdint.h>

/* A deadline that never comes. */
#define CLOCK_NEVER UINT64_MAX

/* The guest TSC rates that the models accept: hz * tsc_hz must stay below 2^64 for every device. */
#define CLOCK_MIN_TSC_HZ 1000000ULL
#define CLOCK_MAX_TSC_HZ 100000000000ULL

/* Whole ticks of a clock of `hz` that have passed after `tsc` TSC ticks (rounded down). */
static inline uint64_t clock_ticks(uint64_t tsc, uint64_t tsc_hz, uint64_t hz)
{
    return tsc / tsc_hz * hz + tsc % tsc_hz * hz / tsc_hz;
}

/*
 * The first TSC tick at which clock_ticks() reaches `ticks` (rounded up): a model that sleeps until
 * then finds its event due, never one tick short of it.
 */
static inline uint64_t clock_tsc(uint64_t ticks, uint64_t tsc_hz, uint64_t hz)
{
    return ticks / hz * tsc_hz + (ticks % hz * tsc_hz + hz - 1) / hz;
}

#endif
