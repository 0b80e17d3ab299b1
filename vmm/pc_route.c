/* pc_route.c: takes interrupt messages and IPIs to the local APICs that they are for. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/pc.h"

static void tell(struct pc *pc, unsigned cpu, enum pc_event event, uint8_t vector)
{
    pc->config.cpu_event(pc->config.ctx, cpu, event, vector);
}

/* INIT stops an application processor. The BSP would start its firmware again: that is a reset. */
static void deliver_init(struct pc *pc, unsigned cpu)
{
    if (cpu == 0) {
        if (pc->outcome == PC_RUNNING) {
            pc->outcome = PC_RESET;
        }
        return;
    }
    lapic_reset(&pc->lapic[cpu]);
    pc->waits_for_startup[cpu] = true;
    tell(pc, cpu, PC_EVENT_INIT, 0);
}

/* Gives `msg` to one CPU. Returns whether its local APIC took it. */
static bool deliver_to(struct pc *pc, unsigned cpu, const struct irq_message *msg)
{
    switch (msg->mode) {
    case IRQ_FIXED:
    case IRQ_LOWEST:
        return lapic_raise(&pc->lapic[cpu], msg->vector, msg->level);
    case IRQ_NMI:
        tell(pc, cpu, PC_EVENT_NMI, 0);
        return true;
    case IRQ_INIT:
        deliver_init(pc, cpu);
        return true;
    case IRQ_STARTUP:
        /* Software sends two; the second finds the CPU running, and is ignored. */
        if (pc->waits_for_startup[cpu]) {
            pc->waits_for_startup[cpu] = false;
            tell(pc, cpu, PC_EVENT_STARTUP, msg->vector);
        }
        return true;
    default: /* no SMM here, and ExtINT comes through LINT0 only */
        return false;
    }
}

/* The enabled CPU with the lowest priority; among equals, whose turn it is. */
static bool deliver_lowest(struct pc *pc, const struct irq_message *msg)
{
    unsigned best = PLAT_MAX_CPUS;

    for (unsigned i = 0; i < pc->config.ncpus; i++) {
        unsigned cpu = (pc->lowest_priority_turn + i) % pc->config.ncpus;
        const struct lapic *lapic = &pc->lapic[cpu];

        if (!lapic_matches(lapic, msg->dest, msg->logical) ||
            (lapic->svr & LAPIC_SVR_ENABLE) == 0) {
            continue;
        }
        if (best == PLAT_MAX_CPUS || lapic_ppr(lapic) < lapic_ppr(&pc->lapic[best])) {
            best = cpu;
        }
    }
    if (best == PLAT_MAX_CPUS) {
        return false;
    }
    pc->lowest_priority_turn = (best + 1) % pc->config.ncpus;
    return deliver_to(pc, best, msg);
}

bool pc_deliver(void *ctx, const struct irq_message *msg)
{
    struct pc *pc = ctx;
    bool taken = false;

    if (msg->mode == IRQ_LOWEST) {
        return deliver_lowest(pc, msg);
    }
    for (unsigned cpu = 0; cpu < pc->config.ncpus; cpu++) {
        if (lapic_matches(&pc->lapic[cpu], msg->dest, msg->logical)) {
            taken |= deliver_to(pc, cpu, msg);
        }
    }
    return taken;
}

void pc_deliver_ipi(void *ctx, unsigned from, const struct irq_message *msg,
                    enum lapic_shorthand to)
{
    struct pc *pc = ctx;

    if (to == LAPIC_TO_DEST) {
        pc_deliver(pc, msg);
        return;
    }
    for (unsigned cpu = 0; cpu < pc->config.ncpus; cpu++) {
        bool wanted = to == LAPIC_TO_ALL || (cpu == from) == (to == LAPIC_TO_SELF);

        if (wanted && lapic_matches(&pc->lapic[cpu], IRQ_BROADCAST, false)) {
            deliver_to(pc, cpu, msg);
        }
    }
}
