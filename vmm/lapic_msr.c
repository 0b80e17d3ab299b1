/* lapic_msr.c: the local APIC's MSRs: IA32_APIC_BASE, the TSC deadline and x2APIC mode. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/lapic_regs.h"
#include "vmm/lapic_timer.h"
#include "vmm/platform.h"

#define MODE_BITS (LAPIC_BASE_ENABLE | LAPIC_BASE_X2APIC)

/*
 * The ICR's reserved bits in x2APIC mode. Bit 12 has become reserved too, but software may set
 * it.
 */
#define ICR_RESERVED 0xFFF32000U

/* IA32_APIC_BASE (SDM 3A, "x2APIC State Transitions"). */
static enum lapic_status write_base(struct lapic *lapic, uint64_t value)
{
    uint64_t old = lapic->base_msr;
    bool was_x2apic = (old & LAPIC_BASE_X2APIC) != 0;
    bool was_enabled = (old & LAPIC_BASE_ENABLE) != 0;
    bool x2apic = (value & LAPIC_BASE_X2APIC) != 0;
    bool enable = (value & LAPIC_BASE_ENABLE) != 0;

    /* This machine has its window in one place only, and its BSP is what it is. */
    if (((value ^ old) & ~(uint64_t)MODE_BITS) != 0) {
        return LAPIC_FAULT;
    }
    if ((x2apic && !enable) || (x2apic && !was_enabled) || (was_x2apic && enable && !x2apic)) {
        return LAPIC_FAULT;
    }
    lapic->base_msr = value;
    if (was_enabled && !enable) {
        lapic_reset(lapic);
    } else if (x2apic && !was_x2apic) {
        lapic->ldr = lapic_x2apic_ldr(lapic);
        lapic->icr_high = 0;
    }
    return LAPIC_OK;
}

/* Bits that raise #GP when they are set in a write to `reg`. */
static uint64_t reserved_bits(unsigned reg)
{
    switch (reg) {
    case LAPIC_TPR: return ~0xFFULL;
    case LAPIC_SVR: return ~0x3FFULL;
    case LAPIC_EOI:
    case LAPIC_ESR: return ~0ULL;
    case LAPIC_LVT_TIMER: return ~0x710FFULL;
    case LAPIC_LVT_THERMAL:
    case LAPIC_LVT_PERF: return ~0x117FFULL;
    case LAPIC_LVT_LINT0:
    case LAPIC_LVT_LINT1: return ~0x1F7FFULL;
    case LAPIC_LVT_ERROR: return ~0x110FFULL;
    case LAPIC_TIMER_INITIAL: return ~0xFFFFFFFFULL;
    case LAPIC_TIMER_DIVIDE: return ~0xBULL;
    default: return 0;
    }
}

/* Registers of the MMIO window that x2APIC mode does not have, or not for writing. */
static bool readable(unsigned reg)
{
    return reg != LAPIC_EOI && reg != LAPIC_DFR && reg != LAPIC_APR && reg != LAPIC_RRD &&
           reg != LAPIC_ICR_HIGH;
}

static bool writable(unsigned reg)
{
    return reg == LAPIC_TPR || reg == LAPIC_EOI || reg == LAPIC_SVR || reg == LAPIC_ESR ||
           (reg >= LAPIC_LVT_TIMER && reg <= LAPIC_TIMER_INITIAL) || reg == LAPIC_TIMER_DIVIDE;
}

static enum lapic_status read_x2apic(struct lapic *lapic, unsigned reg, uint64_t now,
                                     uint64_t *value)
{
    uint32_t low;

    if (!readable(reg) || lapic_read_register(lapic, reg, now, &low) != LAPIC_OK) {
        return LAPIC_FAULT;
    }
    *value = low;
    if (reg == LAPIC_ICR_LOW) {
        *value |= (uint64_t)lapic->icr_high << 32;
    }
    return LAPIC_OK;
}

static enum lapic_status write_x2apic(struct lapic *lapic, unsigned reg, uint64_t now,
                                      uint64_t value)
{
    if (reg == LAPIC_ICR_LOW && (value & ICR_RESERVED) == 0) {
        lapic->icr_low = (uint32_t)value & LAPIC_ICR_KEPT;
        lapic->icr_high = (uint32_t)(value >> 32);
        lapic_send(lapic, lapic->icr_low, lapic->icr_high);
        return LAPIC_OK;
    }
    if (reg == LAPIC_SELF_IPI && value <= 0xFF) {
        lapic_send(lapic, (uint32_t)value | LAPIC_TO_SELF << 18, 0);
        return LAPIC_OK;
    }
    if (!writable(reg) || (value & reserved_bits(reg)) != 0) {
        return LAPIC_FAULT;
    }
    if (reg == LAPIC_LVT_TIMER && (value & LAPIC_LVT_TIMER_MODE) == LAPIC_LVT_TIMER_MODE) {
        return LAPIC_FAULT;
    }
    return lapic_write_register(lapic, reg, now, (uint32_t)value) == LAPIC_OK ? LAPIC_OK
                                                                              : LAPIC_FAULT;
}

static bool in_x2apic_range(uint32_t msr)
{
    return msr >= LAPIC_MSR_X2APIC && msr <= LAPIC_MSR_X2APIC_LAST;
}

enum lapic_status lapic_read_msr(struct lapic *lapic, uint32_t msr, uint64_t now, uint64_t *value)
{
    if (msr == LAPIC_MSR_BASE) {
        *value = lapic->base_msr;
        return LAPIC_OK;
    }
    if (msr == LAPIC_MSR_TSC_DEADLINE) {
        *value = lapic_timer_tsc_deadline(lapic, now);
        return LAPIC_OK;
    }
    if (!in_x2apic_range(msr)) {
        return LAPIC_NO_REGISTER;
    }
    if ((lapic->base_msr & LAPIC_BASE_X2APIC) == 0) {
        return LAPIC_FAULT;
    }
    return read_x2apic(lapic, (msr - LAPIC_MSR_X2APIC) * 16, now, value);
}

enum lapic_status lapic_write_msr(struct lapic *lapic, uint32_t msr, uint64_t now, uint64_t value)
{
    if (msr == LAPIC_MSR_BASE) {
        return write_base(lapic, value);
    }
    if (msr == LAPIC_MSR_TSC_DEADLINE) {
        lapic_timer_set_tsc_deadline(lapic, now, value);
        return LAPIC_OK;
    }
    if (!in_x2apic_range(msr)) {
        return LAPIC_NO_REGISTER;
    }
    if ((lapic->base_msr & LAPIC_BASE_X2APIC) == 0) {
        return LAPIC_FAULT;
    }
    return write_x2apic(lapic, (msr - LAPIC_MSR_X2APIC) * 16, now, value);
}
