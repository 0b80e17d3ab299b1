/* interrupt.h: how device models pass interrupts on: a wire, or a message to local APICs. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_INTERRUPT_H
#define VMM_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The receiving end of interrupt wires. `level` says whether the line is asserted, whatever its
 * electrical polarity. Setting a level that the line already has is allowed and changes nothing.
 */
struct irq_line {
    void (*set)(void *ctx, unsigned line, bool level);
    void *ctx;
};

/* Delivery modes of the ICR, the LVT and the IOAPIC (SDM 3A, "Interrupt Command Register"). */
enum irq_mode {
    IRQ_FIXED = 0,
    IRQ_LOWEST = 1,
    IRQ_SMI = 2,
    IRQ_NMI = 4,
    IRQ_INIT = 5,
    IRQ_STARTUP = 6,
    IRQ_EXTINT = 7,
};

/* A destination that every CPU matches. An 8-bit destination of 0xFF is widened to this. */
#define IRQ_BROADCAST 0xFFFFFFFFU

struct irq_message {
    uint32_t dest; /* local APIC id, or a logical set of them */
    uint8_t vector;
    uint8_t mode; /* enum irq_mode */
    bool logical;
    bool level; /* level-triggered: the local APIC broadcasts its EOI */
};

/* Widens the 8-bit destination of an IOAPIC entry, an MSI or an xAPIC ICR. */
static inline uint32_t irq_dest8(uint8_t dest)
{
    return dest == 0xFF ? IRQ_BROADCAST : dest;
}

#endif
