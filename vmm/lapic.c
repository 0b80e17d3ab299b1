/* lapic.c: the local APIC's interrupt acceptance: pins, IRR, ISR, priorities, destinations. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/lapic.h"

#include <string.h>

#include "vmm/lapic_regs.h"
#include "vmm/lapic_timer.h"
#include "vmm/platform.h"

enum {
    LVT_LINT0 = (LAPIC_LVT_LINT0 - LAPIC_LVT_TIMER) / 16,
    LVT_LINT1 = (LAPIC_LVT_LINT1 - LAPIC_LVT_TIMER) / 16,
};

#define DFR_FLAT 0xFFFFFFFFU
#define SPURIOUS_AFTER_RESET 0xFF

static void set_bit(uint32_t *bits, uint8_t n)
{
    bits[n / 32] |= 1U << (n % 32);
}

static void clear_bit(uint32_t *bits, uint8_t n)
{
    bits[n / 32] &= ~(1U << (n % 32));
}

/* The highest set bit of 256, or LAPIC_NO_VECTOR. Each interrupt looks for it several times. */
static inline int highest(const uint32_t bits[8])
{
    uint64_t part[4];

    memcpy(part, bits, sizeof part);
    if ((part[0] | part[1] | part[2] | part[3]) == 0) {
        return LAPIC_NO_VECTOR;
    }
    for (int i = 3;; i--) {
        if (part[i] != 0) {
            return i * 64 + 63 - __builtin_clzll(part[i]);
        }
    }
}

static unsigned lvt_mode(const struct lapic *lapic, unsigned entry)
{
    return lapic->lvt[entry] >> LAPIC_LVT_MODE_SHIFT & 7;
}

static bool lvt_masked(const struct lapic *lapic, unsigned entry)
{
    return (lapic->lvt[entry] & LAPIC_LVT_MASKED) != 0;
}

uint32_t lapic_x2apic_ldr(const struct lapic *lapic)
{
    return (lapic->cpu / 16) << 16 | 1U << (lapic->cpu % 16);
}

void lapic_reset(struct lapic *lapic)
{
    lapic->tpr = 0;
    lapic->ldr = 0;
    if ((lapic->base_msr & LAPIC_BASE_X2APIC) != 0) {
        lapic->ldr = lapic_x2apic_ldr(lapic);
    }
    lapic->dfr = DFR_FLAT;
    lapic->svr = SPURIOUS_AFTER_RESET;
    lapic->icr_low = 0;
    lapic->icr_high = 0;
    lapic->esr = 0;
    lapic->esr_new = 0;
    for (unsigned i = 0; i < LAPIC_LVTS; i++) {
        lapic->lvt[i] = LAPIC_LVT_MASKED;
    }
    for (unsigned i = 0; i < 8; i++) {
        lapic->irr[i] = 0;
        lapic->isr[i] = 0;
        lapic->tmr[i] = 0;
    }
    lapic_timer_reset(lapic);
}

void lapic_init(struct lapic *lapic, unsigned cpu, bool bsp, uint64_t tsc_hz,
                const struct lapic_out *out)
{
    *lapic = (struct lapic){.out = *out, .cpu = cpu, .tsc_hz = tsc_hz};
    lapic->base_msr = PLAT_LAPIC_BASE | LAPIC_BASE_ENABLE | (bsp ? LAPIC_BASE_BSP : 0);
    lapic_reset(lapic);
    if (bsp) {
        lapic->svr |= LAPIC_SVR_ENABLE;
        lapic->lvt[LVT_LINT0] = IRQ_EXTINT << LAPIC_LVT_MODE_SHIFT;
        lapic->lvt[LVT_LINT1] = IRQ_NMI << LAPIC_LVT_MODE_SHIFT;
    }
}

bool lapic_in_xapic_mode(const struct lapic *lapic)
{
    return (lapic->base_msr & (LAPIC_BASE_ENABLE | LAPIC_BASE_X2APIC)) == LAPIC_BASE_ENABLE;
}

/*
 * Logical destinations (SDM 3A, "Logical Destination Mode", and for x2APIC "... in x2APIC Mode").
 */
static bool matches_logical(const struct lapic *lapic, uint32_t dest)
{
    uint32_t id = lapic->ldr >> 24;

    if ((lapic->base_msr & LAPIC_BASE_X2APIC) != 0) {
        return dest >> 16 == lapic->ldr >> 16 && (dest & lapic->ldr & 0xFFFF) != 0;
    }
    if (lapic->dfr == DFR_FLAT) {
        return (dest & id) != 0;
    }
    return (dest & 0xF0) == (id & 0xF0) && (dest & id & 0x0F) != 0;
}

bool lapic_matches(const struct lapic *lapic, uint32_t dest, bool logical)
{
    if ((lapic->base_msr & LAPIC_BASE_ENABLE) == 0) {
        return false;
    }
    if (dest == IRQ_BROADCAST) {
        return true;
    }
    return logical ? matches_logical(lapic, dest) : dest == lapic->cpu;
}

bool lapic_raise(struct lapic *lapic, uint8_t vector, bool level)
{
    if ((lapic->base_msr & LAPIC_BASE_ENABLE) == 0 || (lapic->svr & LAPIC_SVR_ENABLE) == 0) {
        return false;
    }
    if (vector < 16) {
        lapic_report(lapic, LAPIC_ERROR_RECEIVE_VECTOR);
        return true;
    }
    set_bit(lapic->irr, vector);
    if (level) {
        set_bit(lapic->tmr, vector);
    } else {
        clear_bit(lapic->tmr, vector);
    }
    lapic->out.interrupt(lapic->out.ctx, lapic->cpu);
    return true;
}

void lapic_set_lint(struct lapic *lapic, unsigned pin, bool level)
{
    unsigned entry = LVT_LINT0 + pin;
    bool rises = level && !lapic->lint[pin];

    lapic->lint[pin] = level;
    if (!rises) {
        return;
    }
    if (pin == 0 && lapic_extint(lapic)) {
        lapic->out.interrupt(lapic->out.ctx, lapic->cpu);
    } else if (lvt_masked(lapic, entry)) {
        return;
    } else if (lvt_mode(lapic, entry) == IRQ_FIXED) {
        lapic_raise(lapic, (uint8_t)lapic->lvt[entry], false);
    } else if (lvt_mode(lapic, entry) == IRQ_NMI) {
        lapic->out.nmi(lapic->out.ctx, lapic->cpu);
    }
}

bool lapic_extint(const struct lapic *lapic)
{
    /* A disabled APIC connects its pins straight to the CPU (SDM 3A, "Local APIC Status"). */
    bool direct = (lapic->base_msr & LAPIC_BASE_ENABLE) == 0;

    return lapic->lint[0] &&
           (direct || (!lvt_masked(lapic, LVT_LINT0) && lvt_mode(lapic, LVT_LINT0) == IRQ_EXTINT));
}

uint8_t lapic_ppr(const struct lapic *lapic)
{
    int in_service = highest(lapic->isr);

    if (in_service == LAPIC_NO_VECTOR || lapic->tpr >> 4 >= (unsigned)in_service >> 4) {
        return (uint8_t)lapic->tpr;
    }
    return (uint8_t)(in_service & 0xF0);
}

int lapic_pending(const struct lapic *lapic)
{
    int vector = highest(lapic->irr);

    if (vector == LAPIC_NO_VECTOR || (lapic->svr & LAPIC_SVR_ENABLE) == 0) {
        return LAPIC_NO_VECTOR;
    }
    return vector >> 4 > lapic_ppr(lapic) >> 4 ? vector : LAPIC_NO_VECTOR;
}

void lapic_accept(struct lapic *lapic, uint8_t vector)
{
    clear_bit(lapic->irr, vector);
    set_bit(lapic->isr, vector);
}

void lapic_end_of_interrupt(struct lapic *lapic)
{
    int vector = highest(lapic->isr);

    if (vector == LAPIC_NO_VECTOR) {
        return;
    }
    clear_bit(lapic->isr, (uint8_t)vector);
    if ((lapic->tmr[vector / 32] >> (vector % 32) & 1) != 0) {
        lapic->out.eoi(lapic->out.ctx, (uint8_t)vector);
    }
    if (lapic_pending(lapic) != LAPIC_NO_VECTOR) {
        lapic->out.interrupt(lapic->out.ctx, lapic->cpu);
    }
}

bool lapic_eoi_is_simple(const struct lapic *lapic)
{
    int vector = highest(lapic->isr);

    return vector != LAPIC_NO_VECTOR && highest(lapic->irr) == LAPIC_NO_VECTOR &&
           (lapic->tmr[vector / 32] >> (vector % 32) & 1) == 0;
}

uint8_t lapic_cr8(const struct lapic *lapic)
{
    return (uint8_t)(lapic->tpr >> 4);
}

void lapic_set_cr8(struct lapic *lapic, uint8_t cr8)
{
    lapic->tpr = (uint32_t)(cr8 & 15) << 4;
}
