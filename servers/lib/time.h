/* time.h: turns ticks of the time-stamp counter into nanoseconds and back. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_LIB_TIME_H
#define SERVERS_LIB_TIME_H

#include <stdint.h>

#define NS_PER_SECOND 1000000000ull

/* Ratios in 32.32 fixed point, by tsc_clock: right to one part in 2^27 from 45 MHz to 8 GHz. */
struct tsc_clock {
    uint64_t hz;
    uint64_t ns_per_tick;  /* << 32 */
    uint64_t ticks_per_ns; /* << 32 */
};

/*
 * `hz`: frequency of the TSC, from the start page; 1 kHz or more (taken as 1 GHz if it is less:
 * unknown).
 */
static inline struct tsc_clock tsc_clock(uint64_t hz)
{
    if (hz < 1000) {
        hz = NS_PER_SECOND;
    }
    return (struct tsc_clock){
        .hz = hz,
        .ns_per_tick = (NS_PER_SECOND << 32) / hz,
        .ticks_per_ns = (uint64_t)(hz / NS_PER_SECOND << 32) +
                        ((hz % NS_PER_SECOND) << 32) / NS_PER_SECOND,
    };
}

static inline uint64_t tsc_to_ns(const struct tsc_clock *c, uint64_t ticks)
{
    return (uint64_t)((unsigned __int128)ticks * c->ns_per_tick >> 32);
}

static inline uint64_t ns_to_tsc(const struct tsc_clock *c, uint64_t ns)
{
    return (uint64_t)((unsigned __int128)ns * c->ticks_per_ns >> 32);
}

static inline uint64_t tsc_read(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

#endif
