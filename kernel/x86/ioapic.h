/* ioapic.h: the I/O APICs, which bring device interrupts to the CPUs. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_X86_IOAPIC_H
#define KERNEL_X86_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Interrupts have ACPI's numbers (global system interrupts, GSI). All lines are masked to begin
 * with. The functions with a GSI return false if no I/O APIC has it; they take a lock inside.
 */

/*
 * Masks both 8259 of the PC for good. What they might still raise (a spurious interrupt) ends at
 * LINT0, which lapic_init() masks.
 */
void pic_disable(void);

/*
 * Takes an I/O APIC of the MADT into use: the physical address of its registers and the GSI of
 * its first line. False (and logged) if there are too many, or nothing answers there.
 */
bool ioapic_add(uint64_t physical, uint32_t first_gsi);

/* Number of I/O APICs in use, and one past the highest GSI they have. */
unsigned ioapic_count(void);
uint32_t ioapic_gsi_end(void);

/* How an ISA interrupt arrives: set by the MADT's overrides, else GSI = IRQ, edge, active high. */
struct ioapic_isa {
    uint32_t gsi;
    bool level, low;
};

void ioapic_isa_override(unsigned irq, struct ioapic_isa how);

/* irq: 0 to 15. */
struct ioapic_isa ioapic_isa(unsigned irq);

/*
 * Sends the line to a vector on a CPU (index in cpus[]), as level or edge triggered, active low or
 * high. The line is masked afterwards.
 */
bool ioapic_route(uint32_t gsi, unsigned vector, unsigned cpu, bool level, bool low);

bool ioapic_mask(uint32_t gsi);
bool ioapic_unmask(uint32_t gsi);

#endif
