/* ioapic.h: the I/O APIC (82093AA, with the EOI register of later versions). */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_IOAPIC_H
#define VMM_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/bus.h"
#include "vmm/interrupt.h"
#include "vmm/platform.h"

/* The memory window (82093AA section 3.1; the EOI register: ICH9 section 13.5.4). */
enum ioapic_window {
    IOAPIC_SELECT = 0x00,
    IOAPIC_DATA = 0x10,
    IOAPIC_EOI = 0x40,
};

/* Indirect registers (82093AA section 3.2). */
enum ioapic_register {
    IOAPIC_REG_ID = 0x00,
    IOAPIC_REG_VERSION = 0x01,
    IOAPIC_REG_ARBITRATION = 0x02,
    IOAPIC_REG_REDIRECTION = 0x10, /* + 2 * pin: low half, high half */
};

/* Bits of a redirection entry (82093AA section 3.2.4). */
enum ioapic_entry {
    IOAPIC_ENTRY_MODE_SHIFT = 8,
    IOAPIC_ENTRY_LOGICAL = 1 << 11,
    IOAPIC_ENTRY_PENDING = 1 << 12,
    IOAPIC_ENTRY_ACTIVE_LOW = 1 << 13,
    IOAPIC_ENTRY_REMOTE_IRR = 1 << 14,
    IOAPIC_ENTRY_LEVEL = 1 << 15,
    IOAPIC_ENTRY_MASKED = 1 << 16,
    IOAPIC_ENTRY_DEST_SHIFT = 56,
};

/* Where messages go: to the local APICs. Returns whether at least one took the message. */
struct ioapic_out {
    bool (*deliver)(void *ctx, const struct irq_message *msg);
    void *ctx;
};

struct ioapic {
    struct ioapic_out out;
    uint8_t select;
    uint32_t id;
    uint32_t lines; /* asserted pins */
    uint64_t entry[PLAT_IOAPIC_PINS];
};

/* The window's handlers; `dev` is the struct ioapic. */
extern const struct bus_ops ioapic_mmio;

/* Reset: all entries masked. */
void ioapic_init(struct ioapic *ioapic, const struct ioapic_out *out);

/*
 * Pin `pin` is asserted or not; a struct irq_line.set with the struct ioapic as context. The
 * polarity bit has no effect: `level` already says "asserted". An edge on a masked pin is lost.
 */
void ioapic_set_line(void *ioapic, unsigned pin, bool level);

/*
 * A local APIC ended the level-triggered interrupt `vector`: the remote IRR of its entries is
 * cleared, and a pin that is still asserted sends again.
 */
void ioapic_eoi(struct ioapic *ioapic, uint8_t vector);

#endif
