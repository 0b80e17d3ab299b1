/* lapic_regs.h: what the local APIC's files share: errors, IPIs. For lapic*.c only. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LAPIC_REGS_H
#define VMM_LAPIC_REGS_H

#include "vmm/lapic.h"

/* Records `error` for the ESR and raises the error interrupt if that error is new. */
void lapic_report(struct lapic *lapic, enum lapic_error error);

/* The bits that the low half of the ICR keeps; delivery status always reads 0 (idle). */
#define LAPIC_ICR_KEPT 0xCCFFFU

/*
 * Sends an IPI as the low half of an ICR says, `dest` being its destination, widened if it had 8
 * bits (SDM 3A, "Interrupt Command Register (ICR)"). An illegal vector is reported instead.
 */
void lapic_send(struct lapic *lapic, uint32_t low, uint32_t dest);

/*
 * The fixed logical id of x2APIC mode (SDM 3A, "Deriving Logical x2APIC ID from the Local x2APIC
 * ID").
 */
uint32_t lapic_x2apic_ldr(const struct lapic *lapic);

#endif
