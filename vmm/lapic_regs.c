/* lapic_regs.c: the local APIC's registers, as its MMIO window and the x2APIC MSRs show them. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/lapic_regs.h"

#include "vmm/lapic_timer.h"

/* Version 0x14 (integrated, xAPIC), the number of LVT entries less one in bits 16 to 23. */
#define VERSION (0x14 | (LAPIC_LVTS - 1) << 16)

#define LVT(reg) (((reg) - LAPIC_LVT_TIMER) / 16)

/* Bits that an LVT entry keeps; delivery status and remote IRR are always 0 here. */
static const uint32_t lvt_bits[LAPIC_LVTS] = {
    [LVT(LAPIC_LVT_TIMER)] = 0x700FF, [LVT(LAPIC_LVT_THERMAL)] = 0x107FF,
    [LVT(LAPIC_LVT_PERF)] = 0x107FF,  [LVT(LAPIC_LVT_LINT0)] = 0x1A7FF,
    [LVT(LAPIC_LVT_LINT1)] = 0x1A7FF, [LVT(LAPIC_LVT_ERROR)] = 0x100FF,
};

void lapic_report(struct lapic *lapic, enum lapic_error error)
{
    uint32_t lvt = lapic->lvt[LVT(LAPIC_LVT_ERROR)];

    /* Only a new error raises: an error vector that is itself illegal must not report forever. */
    if ((lapic->esr_new & error) == 0) {
        lapic->esr_new |= error;
        if ((lvt & LAPIC_LVT_MASKED) == 0) {
            lapic_raise(lapic, (uint8_t)lvt, false);
        }
    }
}

void lapic_send(struct lapic *lapic, uint32_t low, uint32_t dest)
{
    struct irq_message msg = {
        .dest = dest,
        .vector = (uint8_t)low,
        .mode = low >> 8 & 7,
        .logical = (low >> 11 & 1) != 0,
    };
    bool assert = (low >> 14 & 1) != 0;
    bool level = (low >> 15 & 1) != 0;

    if ((msg.mode == IRQ_FIXED || msg.mode == IRQ_LOWEST) && msg.vector < 16) {
        lapic_report(lapic, LAPIC_ERROR_SEND_VECTOR);
        return;
    }
    /* "INIT level de-assert" only synchronised bus arbitration on old machines. */
    if (msg.mode == IRQ_INIT && level && !assert) {
        return;
    }
    lapic->out.ipi(lapic->out.ctx, lapic->cpu, &msg, (enum lapic_shorthand)(low >> 18 & 3));
}

static void write_svr(struct lapic *lapic, uint32_t value)
{
    lapic->svr = value & 0x1FF;
    if ((value & LAPIC_SVR_ENABLE) == 0) {
        for (unsigned i = 0; i < LAPIC_LVTS; i++) {
            lapic->lvt[i] |= LAPIC_LVT_MASKED;
        }
    } else {
        lapic->out.interrupt(lapic->out.ctx, lapic->cpu);
    }
}

static void write_lvt(struct lapic *lapic, unsigned reg, uint64_t now, uint32_t value)
{
    unsigned entry = LVT(reg);

    value &= lvt_bits[entry];
    if ((lapic->svr & LAPIC_SVR_ENABLE) == 0) {
        value |= LAPIC_LVT_MASKED;
    }
    if (reg == LAPIC_LVT_TIMER) {
        lapic_timer_set_lvt(lapic, now, value);
        return;
    }
    lapic->lvt[entry] = value;
    if (lapic_extint(lapic)) {
        lapic->out.interrupt(lapic->out.ctx, lapic->cpu);
    }
}

enum lapic_status lapic_read_register(struct lapic *lapic, unsigned reg, uint64_t now,
                                      uint32_t *value)
{
    bool x2apic = (lapic->base_msr & LAPIC_BASE_X2APIC) != 0;

    switch (reg) {
    case LAPIC_ID: *value = x2apic ? lapic->cpu : lapic->cpu << 24; break;
    case LAPIC_VERSION: *value = VERSION; break;
    case LAPIC_TPR: *value = lapic->tpr; break;
    case LAPIC_PPR: *value = lapic_ppr(lapic); break;
    case LAPIC_APR:
    case LAPIC_EOI:
    case LAPIC_RRD: *value = 0; break;
    case LAPIC_LDR: *value = lapic->ldr; break;
    case LAPIC_DFR: *value = lapic->dfr; break;
    case LAPIC_SVR: *value = lapic->svr; break;
    case LAPIC_ISR ... LAPIC_ISR + 0x70: *value = lapic->isr[(reg - LAPIC_ISR) / 16]; break;
    case LAPIC_TMR ... LAPIC_TMR + 0x70: *value = lapic->tmr[(reg - LAPIC_TMR) / 16]; break;
    case LAPIC_IRR ... LAPIC_IRR + 0x70: *value = lapic->irr[(reg - LAPIC_IRR) / 16]; break;
    case LAPIC_ESR: *value = lapic->esr; break;
    case LAPIC_ICR_LOW: *value = lapic->icr_low; break;
    case LAPIC_ICR_HIGH: *value = lapic->icr_high; break;
    case LAPIC_LVT_TIMER ... LAPIC_LVT_ERROR: *value = lapic->lvt[LVT(reg)]; break;
    case LAPIC_TIMER_INITIAL: *value = lapic->initial; break;
    case LAPIC_TIMER_CURRENT: *value = lapic_timer_current(lapic, now); break;
    case LAPIC_TIMER_DIVIDE: *value = lapic->divide; break;
    default: return LAPIC_NO_REGISTER;
    }
    return LAPIC_OK;
}

/* Registers that are there, but drop what is written. */
static bool read_only(unsigned reg)
{
    return reg == LAPIC_ID || reg == LAPIC_VERSION || reg == LAPIC_APR || reg == LAPIC_PPR ||
           reg == LAPIC_RRD || reg == LAPIC_TIMER_CURRENT || (reg >= LAPIC_ISR && reg < LAPIC_ESR);
}

enum lapic_status lapic_write_register(struct lapic *lapic, unsigned reg, uint64_t now,
                                       uint32_t value)
{
    switch (reg) {
    case LAPIC_TPR:
        lapic->tpr = value & 0xFF;
        break;
    case LAPIC_EOI:
        lapic_end_of_interrupt(lapic);
        break;
    case LAPIC_LDR:
        lapic->ldr = value & 0xFF000000;
        break;
    case LAPIC_DFR:
        lapic->dfr = value | 0x0FFFFFFF;
        break;
    case LAPIC_SVR:
        lapic_tick(lapic, now);
        write_svr(lapic, value);
        break;
    case LAPIC_ESR:
        lapic->esr = lapic->esr_new;
        lapic->esr_new = 0;
        break;
    case LAPIC_ICR_LOW:
        lapic->icr_low = value & LAPIC_ICR_KEPT;
        lapic_send(lapic, lapic->icr_low, irq_dest8((uint8_t)(lapic->icr_high >> 24)));
        break;
    case LAPIC_ICR_HIGH:
        lapic->icr_high = value & 0xFF000000;
        break;
    case LAPIC_LVT_TIMER ... LAPIC_LVT_ERROR:
        write_lvt(lapic, reg, now, value);
        break;
    case LAPIC_TIMER_INITIAL:
        lapic_timer_set_initial(lapic, now, value);
        break;
    case LAPIC_TIMER_DIVIDE:
        lapic_timer_set_divide(lapic, now, value & 0xB);
        break;
    default:
        return read_only(reg) ? LAPIC_OK : LAPIC_NO_REGISTER;
    }
    return LAPIC_OK;
}

static uint64_t mmio_read(void *dev, const struct bus_access *access)
{
    struct lapic *lapic = dev;
    unsigned lane = access->offset % 16;
    uint32_t value;

    /* The upper 12 bytes of each 16 are not registers; what they read is undefined. */
    if (lane + access->size > 4) {
        return 0;
    }
    if (lapic_read_register(lapic, (unsigned)access->offset - lane, access->now, &value) !=
        LAPIC_OK) {
        lapic_report(lapic, LAPIC_ERROR_REGISTER);
        return 0;
    }
    return value >> (8 * lane);
}

static void mmio_write(void *dev, const struct bus_access *access, uint64_t value)
{
    struct lapic *lapic = dev;

    /* Only aligned 32-bit writes are defined (SDM 3A, "Local APIC Register Address Map"). */
    if (access->offset % 16 != 0 || access->size != 4) {
        return;
    }
    if (lapic_write_register(lapic, (unsigned)access->offset, access->now, (uint32_t)value) !=
        LAPIC_OK) {
        lapic_report(lapic, LAPIC_ERROR_REGISTER);
    }
}

const struct bus_ops lapic_mmio = {.width = 4, .read = mmio_read, .write = mmio_write};
