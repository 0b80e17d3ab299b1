/* lapic.h: a local APIC in xAPIC and x2APIC mode, one per virtual CPU. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LAPIC_H
#define VMM_LAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/bus.h"
#include "vmm/clock.h"
#include "vmm/interrupt.h"

/* Register offsets in the 4 KiB window (SDM 3A, "Local APIC Register Address Map"). */
enum lapic_register {
    LAPIC_ID = 0x020,
    LAPIC_VERSION = 0x030,
    LAPIC_TPR = 0x080,
    LAPIC_APR = 0x090,
    LAPIC_PPR = 0x0A0,
    LAPIC_EOI = 0x0B0,
    LAPIC_RRD = 0x0C0,
    LAPIC_LDR = 0x0D0,
    LAPIC_DFR = 0x0E0,
    LAPIC_SVR = 0x0F0,
    LAPIC_ISR = 0x100,
    LAPIC_TMR = 0x180,
    LAPIC_IRR = 0x200,
    LAPIC_ESR = 0x280,
    LAPIC_ICR_LOW = 0x300,
    LAPIC_ICR_HIGH = 0x310,
    LAPIC_LVT_TIMER = 0x320,
    LAPIC_LVT_THERMAL = 0x330,
    LAPIC_LVT_PERF = 0x340,
    LAPIC_LVT_LINT0 = 0x350,
    LAPIC_LVT_LINT1 = 0x360,
    LAPIC_LVT_ERROR = 0x370,
    LAPIC_TIMER_INITIAL = 0x380,
    LAPIC_TIMER_CURRENT = 0x390,
    LAPIC_TIMER_DIVIDE = 0x3E0,
    LAPIC_SELF_IPI = 0x3F0, /* x2APIC mode only */
};

/* MSRs (SDM 4). Registers in x2APIC mode: LAPIC_MSR_X2APIC + offset / 16. */
enum lapic_msr {
    LAPIC_MSR_BASE = 0x01B,
    LAPIC_MSR_TSC_DEADLINE = 0x6E0,
    LAPIC_MSR_X2APIC = 0x800,
    LAPIC_MSR_X2APIC_LAST = 0x8FF,
};

/* Bits of IA32_APIC_BASE. */
enum lapic_base {
    LAPIC_BASE_BSP = 1 << 8,
    LAPIC_BASE_X2APIC = 1 << 10,
    LAPIC_BASE_ENABLE = 1 << 11,
};

/* Bits of an LVT entry. */
enum lapic_lvt {
    LAPIC_LVT_MODE_SHIFT = 8,
    LAPIC_LVT_MASKED = 1 << 16,
    LAPIC_LVT_ONE_SHOT = 0 << 17,
    LAPIC_LVT_PERIODIC = 1 << 17,
    LAPIC_LVT_TSC_DEADLINE = 2 << 17,
    LAPIC_LVT_TIMER_MODE = 3 << 17,
};

/* Bits of the ESR. */
enum lapic_error {
    LAPIC_ERROR_SEND_VECTOR = 1 << 5,
    LAPIC_ERROR_RECEIVE_VECTOR = 1 << 6,
    LAPIC_ERROR_REGISTER = 1 << 7,
};

enum lapic_shorthand {
    LAPIC_TO_DEST = 0,
    LAPIC_TO_SELF = 1,
    LAPIC_TO_ALL = 2,
    LAPIC_TO_OTHERS = 3,
};

#define LAPIC_LVTS 6
#define LAPIC_SVR_ENABLE (1U << 8)
#define LAPIC_NO_VECTOR (-1)

/* What a local APIC tells the rest of the machine. The callees may call back into it. */
struct lapic_out {
    void (*interrupt)(void *ctx, unsigned cpu); /* something new may be deliverable to `cpu` */
    void (*nmi)(void *ctx, unsigned cpu);       /* an NMI for `cpu` */
    void (*eoi)(void *ctx, uint8_t vector);     /* EOI of a level-triggered interrupt */
    void (*ipi)(void *ctx, unsigned cpu, const struct irq_message *msg, enum lapic_shorthand to);
    void *ctx;
};

struct lapic {
    struct lapic_out out;
    unsigned cpu; /* also the APIC id */
    uint64_t base_msr;
    uint32_t tpr, ldr, dfr, svr, icr_low, icr_high;
    uint32_t esr, esr_new; /* as last written to the register; gathered since then */
    uint32_t lvt[LAPIC_LVTS]; /* from LAPIC_LVT_TIMER on */
    uint32_t irr[8], isr[8], tmr[8];
    bool lint[2]; /* level of the two pins */

    /* The timer (lapic_timer.c). Counts are in bus ticks after the divider. */
    uint64_t tsc_hz;
    uint32_t divide, initial;
    uint64_t start;    /* TSC tick at which the count began */
    uint64_t next;     /* counts after `start` at which it expires */
    uint64_t deadline; /* TSC tick of that, or of the TSC deadline; CLOCK_NEVER when not armed */
};

enum lapic_status {
    LAPIC_OK,
    LAPIC_FAULT,       /* the guest's RDMSR or WRMSR gets #GP */
    LAPIC_NO_REGISTER, /* nothing is there: the access goes elsewhere */
};

/* The window's handlers; `dev` is the struct lapic of the accessing CPU. */
extern const struct bus_ops lapic_mmio;

/*
 * Power-up: enabled in xAPIC mode, LVT masked, timer off; `bsp` sets the BSP flag. The BSP's
 * LINT0 and LINT1 are ExtINT and NMI and it is software-enabled, as firmware leaves a PC
 * ("virtual wire").
 */
void lapic_init(struct lapic *lapic, unsigned cpu, bool bsp, uint64_t tsc_hz,
                const struct lapic_out *out);

/* The effect of an INIT IPI: all registers but IA32_APIC_BASE and the id as after power-up. */
void lapic_reset(struct lapic *lapic);

/* Whether the window at PLAT_LAPIC_BASE is decoded: enabled and not in x2APIC mode. */
bool lapic_in_xapic_mode(const struct lapic *lapic);

/* Whether `dest` (physical id or logical set, or IRQ_BROADCAST) includes this APIC. */
bool lapic_matches(const struct lapic *lapic, uint32_t dest, bool logical);

/*
 * A fixed interrupt arrives. Returns false if this APIC is disabled and drops it. A vector below 16
 * is recorded as an error (SDM 3A, "Error Handling") and counts as taken.
 */
bool lapic_raise(struct lapic *lapic, uint8_t vector, bool level);

/* Pin LINT0 or LINT1 (0, 1) changes. Fixed delivery through a pin is edge-triggered here. */
void lapic_set_lint(struct lapic *lapic, unsigned pin, bool level);

/* Whether LINT0 is asserted and programmed to let the i8259 interrupt this CPU (ExtINT). */
bool lapic_extint(const struct lapic *lapic);

/* The vector that the CPU can take now, or LAPIC_NO_VECTOR: top of IRR if above the PPR's class. */
int lapic_pending(const struct lapic *lapic);

/* The CPU takes `vector`, which lapic_pending() returned: from IRR to ISR. */
void lapic_accept(struct lapic *lapic, uint8_t vector);

/* A write to the EOI register: retires the highest vector in service. */
void lapic_end_of_interrupt(struct lapic *lapic);

/* Whether that would do no more: the vector is edge-triggered, and nothing is in the IRR. */
bool lapic_eoi_is_simple(const struct lapic *lapic);

/* The processor priority (SDM 3A, "Task and Processor Priorities"). */
uint8_t lapic_ppr(const struct lapic *lapic);

/* CR8: the upper four bits of the TPR. lapic_set_cr8() takes 0 to 15. */
uint8_t lapic_cr8(const struct lapic *lapic);
void lapic_set_cr8(struct lapic *lapic, uint8_t cr8);

/*
 * Reads or writes one of the registers. Errors: LAPIC_NO_REGISTER. A write takes what the register
 * keeps of `value`; reserved bits are dropped.
 */
enum lapic_status lapic_read_register(struct lapic *lapic, unsigned reg, uint64_t now,
                                      uint32_t *value);
enum lapic_status lapic_write_register(struct lapic *lapic, unsigned reg, uint64_t now,
                                       uint32_t value);

/*
 * IA32_APIC_BASE, IA32_TSC_DEADLINE and the x2APIC range (SDM 3A, "Extended XAPIC (x2APIC)").
 * Errors: LAPIC_FAULT for reserved bits, illegal mode changes, a moved base address, registers that
 * the mode lacks; LAPIC_NO_REGISTER for other MSRs.
 */
enum lapic_status lapic_read_msr(struct lapic *lapic, uint32_t msr, uint64_t now, uint64_t *value);
enum lapic_status lapic_write_msr(struct lapic *lapic, uint32_t msr, uint64_t now, uint64_t value);

/* TSC tick of the timer's next interrupt, or CLOCK_NEVER (also while the timer is masked). */
static inline uint64_t lapic_deadline(const struct lapic *lapic)
{
    return (lapic->lvt[0] & LAPIC_LVT_MASKED) != 0 ? CLOCK_NEVER : lapic->deadline;
}

/* Lets the timer fire if its time has come. Missed periods become one interrupt. */
void lapic_tick(struct lapic *lapic, uint64_t now);

#endif
