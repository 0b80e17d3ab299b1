/* lapic_timer.h: the timer part of a local APIC, for lapic*.c only. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LAPIC_TIMER_H
#define VMM_LAPIC_TIMER_H

#include <stdint.h>

#include "vmm/lapic.h"

/* Stops the timer and clears its registers. */
void lapic_timer_reset(struct lapic *lapic);

/*
 * Writes to the timer's LVT entry (already cut to its valid bits), initial count, divide register
 * and TSC deadline. What was due before `now` happens first, under the old setting.
 */
void lapic_timer_set_lvt(struct lapic *lapic, uint64_t now, uint32_t value);
void lapic_timer_set_initial(struct lapic *lapic, uint64_t now, uint32_t value);
void lapic_timer_set_divide(struct lapic *lapic, uint64_t now, uint32_t value);
void lapic_timer_set_tsc_deadline(struct lapic *lapic, uint64_t now, uint64_t value);

/* The current-count register and IA32_TSC_DEADLINE; both read 0 when the timer is not armed. */
uint32_t lapic_timer_current(struct lapic *lapic, uint64_t now);
uint64_t lapic_timer_tsc_deadline(struct lapic *lapic, uint64_t now);

#endif
