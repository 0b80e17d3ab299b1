/* lapic_timer.c: the local APIC's timer: one-shot, periodic and TSC-deadline. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/lapic_timer.h"

#include "vmm/clock.h"
#include "vmm/platform.h"

static uint32_t mode(const struct lapic *lapic)
{
    return lapic->lvt[0] & LAPIC_LVT_TIMER_MODE;
}

/* The divider (SDM 3A, "Divide Configuration Register"): bits 3, 1 and 0 encode 2, 4, .. 128, 1. */
static unsigned divider(const struct lapic *lapic)
{
    unsigned code = (lapic->divide & 3) | (lapic->divide >> 1 & 4);

    return 1U << ((code + 1) & 7);
}

/* Counts that have passed since the timer was started. */
static uint64_t elapsed(const struct lapic *lapic, uint64_t now)
{
    return clock_ticks(now - lapic->start, lapic->tsc_hz, PLAT_LAPIC_TIMER_HZ) / divider(lapic);
}

/* Derives the deadline from `start` and `next`. */
static void arm(struct lapic *lapic)
{
    uint64_t ticks = lapic->next * divider(lapic);

    lapic->deadline = lapic->start + clock_tsc(ticks, lapic->tsc_hz, PLAT_LAPIC_TIMER_HZ);
}

void lapic_timer_reset(struct lapic *lapic)
{
    lapic->divide = 0;
    lapic->initial = 0;
    lapic->deadline = CLOCK_NEVER;
}

void lapic_timer_set_lvt(struct lapic *lapic, uint64_t now, uint32_t value)
{
    uint32_t change;

    lapic_tick(lapic, now);
    if ((value & LAPIC_LVT_TIMER_MODE) == LAPIC_LVT_TIMER_MODE) {
        value &= ~(uint32_t)LAPIC_LVT_TIMER_MODE; /* reserved: becomes one-shot */
    }
    change = lapic->lvt[0] ^ value;
    lapic->lvt[0] = value;
    /*
     * A change between the count modes and TSC-deadline mode disarms (SDM 3A, "TSC-Deadline
     * Mode").
     */
    if ((change & LAPIC_LVT_TSC_DEADLINE) != 0) {
        lapic->initial = 0;
        lapic->deadline = CLOCK_NEVER;
    }
}

void lapic_timer_set_initial(struct lapic *lapic, uint64_t now, uint32_t value)
{
    lapic_tick(lapic, now);
    if (mode(lapic) == LAPIC_LVT_TSC_DEADLINE) {
        return;
    }
    lapic->initial = value;
    lapic->deadline = CLOCK_NEVER;
    if (value != 0) {
        lapic->start = now;
        lapic->next = value;
        arm(lapic);
    }
}

void lapic_timer_set_divide(struct lapic *lapic, uint64_t now, uint32_t value)
{
    uint32_t left = lapic_timer_current(lapic, now);

    lapic->divide = value;
    if (left != 0) {
        lapic->start = now;
        lapic->next = left;
        arm(lapic);
    }
}

void lapic_timer_set_tsc_deadline(struct lapic *lapic, uint64_t now, uint64_t value)
{
    lapic_tick(lapic, now);
    if (mode(lapic) != LAPIC_LVT_TSC_DEADLINE) {
        return;
    }
    lapic->deadline = value != 0 ? value : CLOCK_NEVER;
    lapic_tick(lapic, now);
}

uint32_t lapic_timer_current(struct lapic *lapic, uint64_t now)
{
    lapic_tick(lapic, now);
    if (mode(lapic) == LAPIC_LVT_TSC_DEADLINE || lapic->deadline == CLOCK_NEVER) {
        return 0;
    }
    return (uint32_t)(lapic->next - elapsed(lapic, now));
}

uint64_t lapic_timer_tsc_deadline(struct lapic *lapic, uint64_t now)
{
    lapic_tick(lapic, now);
    if (mode(lapic) != LAPIC_LVT_TSC_DEADLINE || lapic->deadline == CLOCK_NEVER) {
        return 0;
    }
    return lapic->deadline;
}

void lapic_tick(struct lapic *lapic, uint64_t now)
{
    if (now < lapic->deadline || lapic->deadline == CLOCK_NEVER) {
        return;
    }
    lapic->deadline = CLOCK_NEVER;
    if (mode(lapic) == LAPIC_LVT_PERIODIC) {
        /* Counted from the first start, so that rounding never adds up to a drift. */
        uint64_t missed = (elapsed(lapic, now) - lapic->next) / lapic->initial;

        lapic->next += (missed + 1) * lapic->initial;
        arm(lapic);
    }
    if ((lapic->lvt[0] & LAPIC_LVT_MASKED) == 0) {
        lapic_raise(lapic, (uint8_t)lapic->lvt[0], false);
    }
}
