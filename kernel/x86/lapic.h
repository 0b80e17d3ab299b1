/* lapic.h: the local APIC: inter-processor interrupts and the timer (SDM 3A chapter 10). */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_X86_LAPIC_H
#define KERNEL_X86_LAPIC_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Enables the calling CPU's local APIC, as x2APIC where there is one, with everything masked but
 * the spurious vector, and stores its number in cpu_this()->lapic_id.
 */
void lapic_init(void);

/* The calling CPU's APIC number. */
uint32_t lapic_id(void);

/* Ends the interrupt in service on the calling CPU. */
void lapic_eoi(void);

/* Sends a vector, or an NMI, to a CPU (an index in cpus[]; the caller's own is allowed). */
void lapic_send_ipi(unsigned cpu, unsigned vector);
void lapic_send_nmi(unsigned cpu);

/* NMI to all CPUs but the caller: for panic(), which trusts no table. */
void lapic_send_nmi_others(void);

/* To start the CPU with that APIC number: INIT, and start-up at physical address page * 4096. */
void lapic_send_init(uint32_t id);
void lapic_send_startup(uint32_t id, uint8_t page);

/* Measures the timer against the TSC if it has no TSC-deadline mode. Boot CPU, once. */
void lapic_timer_calibrate(void);

/*
 * Raises VECTOR_TIMER once on the calling CPU when its TSC reaches 'deadline', at once if that is
 * past. A far deadline may fire early, where the counter is too short for it: so who gets the
 * interrupt looks at the TSC and arms again. A second call replaces the first.
 */
void lapic_timer_arm(uint64_t deadline);

/* No timer interrupt from now on, but one that is pending already. */
void lapic_timer_disarm(void);

#endif
