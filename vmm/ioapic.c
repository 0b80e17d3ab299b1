/* ioapic.c: the I/O APIC: turns levels and edges of its pins into messages to local APICs. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/ioapic.h"

/* Version 0x20 has the EOI register; bits 16 to 23 give the highest entry. */
#define VERSION (0x20 | (PLAT_IOAPIC_PINS - 1) << 16)

#define READ_ONLY ((uint64_t)(IOAPIC_ENTRY_PENDING | IOAPIC_ENTRY_REMOTE_IRR))
#define KEPT 0xFF0000000001FFFFULL

void ioapic_init(struct ioapic *ioapic, const struct ioapic_out *out)
{
    *ioapic = (struct ioapic){.out = *out, .id = PLAT_IOAPIC_ID};
    for (unsigned pin = 0; pin < PLAT_IOAPIC_PINS; pin++) {
        ioapic->entry[pin] = IOAPIC_ENTRY_MASKED;
    }
}

/* Sends the message of `pin`. A level that a CPU took waits for its EOI: remote IRR. */
static void send(struct ioapic *ioapic, unsigned pin)
{
    uint64_t entry = ioapic->entry[pin];
    struct irq_message msg = {
        .dest = irq_dest8((uint8_t)(entry >> IOAPIC_ENTRY_DEST_SHIFT)),
        .vector = (uint8_t)entry,
        .mode = entry >> IOAPIC_ENTRY_MODE_SHIFT & 7,
        .logical = (entry & IOAPIC_ENTRY_LOGICAL) != 0,
        .level = (entry & IOAPIC_ENTRY_LEVEL) != 0,
    };
    bool taken = ioapic->out.deliver(ioapic->out.ctx, &msg);

    if (taken && msg.level && (msg.mode == IRQ_FIXED || msg.mode == IRQ_LOWEST)) {
        ioapic->entry[pin] |= IOAPIC_ENTRY_REMOTE_IRR;
    }
}

/* Sends for a level-triggered pin that is asserted, unmasked and not waiting for an EOI. */
static void send_level(struct ioapic *ioapic, unsigned pin)
{
    uint64_t blockers = IOAPIC_ENTRY_LEVEL | IOAPIC_ENTRY_MASKED | IOAPIC_ENTRY_REMOTE_IRR;
    bool asserted = (ioapic->lines >> pin & 1) != 0;

    if (asserted && (ioapic->entry[pin] & blockers) == IOAPIC_ENTRY_LEVEL) {
        send(ioapic, pin);
    }
}

void ioapic_set_line(void *ctx, unsigned pin, bool level)
{
    struct ioapic *ioapic = ctx;
    uint32_t bit = 1U << pin;
    bool rises = level && (ioapic->lines & bit) == 0;

    ioapic->lines = level ? ioapic->lines | bit : ioapic->lines & ~bit;
    if (!rises || (ioapic->entry[pin] & IOAPIC_ENTRY_MASKED) != 0) {
        return;
    }
    if ((ioapic->entry[pin] & IOAPIC_ENTRY_LEVEL) != 0) {
        send_level(ioapic, pin);
    } else {
        send(ioapic, pin);
    }
}

void ioapic_eoi(struct ioapic *ioapic, uint8_t vector)
{
    for (unsigned pin = 0; pin < PLAT_IOAPIC_PINS; pin++) {
        uint64_t entry = ioapic->entry[pin];

        if ((entry & IOAPIC_ENTRY_REMOTE_IRR) != 0 && (uint8_t)entry == vector) {
            ioapic->entry[pin] &= ~(uint64_t)IOAPIC_ENTRY_REMOTE_IRR;
            send_level(ioapic, pin);
        }
    }
}

/* Writes one half of a redirection entry. */
static void write_entry(struct ioapic *ioapic, unsigned pin, bool high, uint32_t value)
{
    uint64_t old = ioapic->entry[pin];
    uint64_t new;

    if (high) {
        new = (uint32_t)old | (uint64_t)value << 32;
    } else {
        new = (old & ~0xFFFFFFFFULL) | value;
    }
    new = (new & KEPT & ~READ_ONLY) | (old & READ_ONLY);
    if ((new & IOAPIC_ENTRY_LEVEL) == 0) {
        /* Software for version 0x11 ends an interrupt by turning its pin to edge and back. */
        new &= ~(uint64_t)IOAPIC_ENTRY_REMOTE_IRR;
    }
    ioapic->entry[pin] = new;
    send_level(ioapic, pin);
}

static uint32_t read_register(const struct ioapic *ioapic)
{
    unsigned at = (unsigned)ioapic->select - IOAPIC_REG_REDIRECTION;

    if (ioapic->select == IOAPIC_REG_ID || ioapic->select == IOAPIC_REG_ARBITRATION) {
        return ioapic->id << 24;
    }
    if (ioapic->select == IOAPIC_REG_VERSION) {
        return VERSION;
    }
    if (at < 2 * PLAT_IOAPIC_PINS) {
        return (uint32_t)(ioapic->entry[at / 2] >> (at % 2 * 32));
    }
    return 0;
}

static uint64_t mmio_read(void *dev, const struct bus_access *access)
{
    struct ioapic *ioapic = dev;

    if (access->offset == IOAPIC_SELECT) {
        return ioapic->select;
    }
    if (access->offset == IOAPIC_DATA && access->size == 4) {
        return read_register(ioapic);
    }
    return 0;
}

static void mmio_write(void *dev, const struct bus_access *access, uint64_t value)
{
    struct ioapic *ioapic = dev;
    unsigned at = (unsigned)ioapic->select - IOAPIC_REG_REDIRECTION;

    if (access->offset == IOAPIC_SELECT) {
        ioapic->select = (uint8_t)value;
    } else if (access->offset == IOAPIC_EOI && access->size == 4) {
        ioapic_eoi(ioapic, (uint8_t)value);
    } else if (access->offset != IOAPIC_DATA || access->size != 4) {
        return;
    } else if (ioapic->select == IOAPIC_REG_ID) {
        ioapic->id = value >> 24 & 0xF;
    } else if (at < 2 * PLAT_IOAPIC_PINS) {
        write_entry(ioapic, at / 2, at % 2 != 0, (uint32_t)value);
    }
}

const struct bus_ops ioapic_mmio = {.width = 4, .read = mmio_read, .write = mmio_write};
