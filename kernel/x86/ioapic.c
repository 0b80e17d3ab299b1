/* ioapic.c: the I/O APICs (82093AA and what followed it), and the old 8259 that they replace. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/x86/ioapic.h"

#include <stddef.h>

#include "kernel/lib/assert.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/lock.h"
#include "kernel/lib/log.h"
#include "kernel/x86/asm.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/layout.h"

enum { MAX_IOAPICS = 16, ISA_IRQS = 16 };

/* 82093AA 3.1 and 3.2: two registers of memory lead to all others. */
enum {
    IOAPIC_SELECT = 0x00,
    IOAPIC_WINDOW = 0x10,
    IOAPIC_VERSION = 0x01,
    IOAPIC_REDIRECTION = 0x10, /* two for each line: low half, then high half */
};

enum {
    REDIRECTION_LOW = 1 << 13,
    REDIRECTION_LEVEL = 1 << 15,
    REDIRECTION_MASKED = 1 << 16,
    REDIRECTION_TARGET_SHIFT = 24, /* in the high half */
};

enum { PIC_MASTER_MASK = 0x21, PIC_SLAVE_MASK = 0xa1 };

struct ioapic {
    volatile uint32_t *registers;
    uint32_t first_gsi;
    uint32_t lines;
};

/* The registers of all are guarded by the lock; the table is constant after boot. */
static struct lock ioapic_lock;
static struct ioapic ioapics[MAX_IOAPICS];
static unsigned count;

/* Overrides that differ from "GSI = IRQ, edge, active high". */
static struct ioapic_isa isa[ISA_IRQS];
static bool isa_overridden[ISA_IRQS];

void pic_disable(void)
{
    out8(PIC_MASTER_MASK, 0xff);
    out8(PIC_SLAVE_MASK, 0xff);
}

static uint32_t ioapic_read(const struct ioapic *ioapic, unsigned reg)
{
    ioapic->registers[IOAPIC_SELECT / 4] = reg;
    return ioapic->registers[IOAPIC_WINDOW / 4];
}

static void ioapic_write(const struct ioapic *ioapic, unsigned reg, uint32_t value)
{
    ioapic->registers[IOAPIC_SELECT / 4] = reg;
    ioapic->registers[IOAPIC_WINDOW / 4] = value;
}

static unsigned redirection(const struct ioapic *ioapic, uint32_t gsi)
{
    return IOAPIC_REDIRECTION + 2 * (gsi - ioapic->first_gsi);
}

bool ioapic_add(uint64_t physical, uint32_t first_gsi)
{
    struct ioapic *ioapic = &ioapics[count];
    uint32_t version;

    if (count == MAX_IOAPICS || physical >= 1ull << 32 || !is_aligned(physical, 16)) {
        klog("ioapic: cannot use the one at %lx\n", physical);
        return false;
    }
    ioapic->registers = PHYS_TO_VIRT(physical);
    ioapic->first_gsi = first_gsi;
    version = ioapic_read(ioapic, IOAPIC_VERSION);
    ioapic->lines = (version >> 16 & 0xff) + 1;
    if (version == UINT32_MAX || ioapic->lines > 240) {
        klog("ioapic: nothing at %lx\n", physical);
        return false;
    }
    for (uint32_t line = 0; line < ioapic->lines; line++) {
        ioapic_write(ioapic, redirection(ioapic, first_gsi + line), REDIRECTION_MASKED);
    }
    count++;
    return true;
}

unsigned ioapic_count(void)
{
    return count;
}

uint32_t ioapic_gsi_end(void)
{
    uint32_t end = 0;

    for (unsigned i = 0; i < count; i++) {
        if (ioapics[i].first_gsi + ioapics[i].lines > end) {
            end = ioapics[i].first_gsi + ioapics[i].lines;
        }
    }
    return end;
}

void ioapic_isa_override(unsigned irq, struct ioapic_isa how)
{
    if (irq < ISA_IRQS) {
        isa[irq] = how;
        isa_overridden[irq] = true;
    }
}

struct ioapic_isa ioapic_isa(unsigned irq)
{
    REQUIRE(irq < ISA_IRQS);
    return isa_overridden[irq] ? isa[irq] : (struct ioapic_isa){.gsi = irq};
}

static const struct ioapic *find(uint32_t gsi)
{
    for (unsigned i = 0; i < count; i++) {
        if (gsi >= ioapics[i].first_gsi && gsi - ioapics[i].first_gsi < ioapics[i].lines) {
            return &ioapics[i];
        }
    }
    return NULL;
}

bool ioapic_route(uint32_t gsi, unsigned vector, unsigned cpu, bool level, bool low)
{
    const struct ioapic *ioapic = find(gsi);
    uint32_t value = vector | REDIRECTION_MASKED;

    if (ioapic == NULL) {
        return false;
    }
    value |= level ? REDIRECTION_LEVEL : 0;
    value |= low ? REDIRECTION_LOW : 0;
    lock_take(&ioapic_lock);
    ioapic_write(ioapic, redirection(ioapic, gsi), value);
    ioapic_write(ioapic, redirection(ioapic, gsi) + 1,
                 cpus[cpu]->lapic_id << REDIRECTION_TARGET_SHIFT);
    lock_release(&ioapic_lock);
    return true;
}

static bool set_masked(uint32_t gsi, bool masked)
{
    const struct ioapic *ioapic = find(gsi);
    uint32_t value;

    if (ioapic == NULL) {
        return false;
    }
    lock_take(&ioapic_lock);
    value = ioapic_read(ioapic, redirection(ioapic, gsi)) & ~(uint32_t)REDIRECTION_MASKED;
    value |= masked ? REDIRECTION_MASKED : 0;
    ioapic_write(ioapic, redirection(ioapic, gsi), value);
    lock_release(&ioapic_lock);
    return true;
}

bool ioapic_mask(uint32_t gsi)
{
    return set_masked(gsi, true);
}

bool ioapic_unmask(uint32_t gsi)
{
    return set_masked(gsi, false);
}
