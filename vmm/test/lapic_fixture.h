/* lapic_fixture.h: one local APIC, and what it tells the machine, for its tests. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TEST_LAPIC_FIXTURE_H
#define VMM_TEST_LAPIC_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "vmm/clock.h"
#include "vmm/lapic.h"
#include "vmm/platform.h"

#define TICKS 20 /* TSC ticks in one tick of the timer's clock */
#define TSC_HZ ((uint64_t)PLAT_LAPIC_TIMER_HZ * TICKS)

static struct heard {
    unsigned interrupts, nmis, eois, ipis;
    uint8_t eoi;
    struct irq_message ipi;
    enum lapic_shorthand to;
} heard;

static void on_interrupt(void *ctx, unsigned cpu)
{
    (void)ctx, (void)cpu;
    heard.interrupts++;
}

static void on_nmi(void *ctx, unsigned cpu)
{
    (void)ctx, (void)cpu;
    heard.nmis++;
}

static void on_eoi(void *ctx, uint8_t vector)
{
    (void)ctx;
    heard.eois++;
    heard.eoi = vector;
}

static void on_ipi(void *ctx, unsigned cpu, const struct irq_message *msg, enum lapic_shorthand to)
{
    (void)ctx, (void)cpu;
    heard.ipis++;
    heard.ipi = *msg;
    heard.to = to;
}

static struct lapic lapic;
static uint64_t now;

static inline void write_reg(unsigned reg, uint32_t value)
{
    lapic_mmio.write(&lapic, &(struct bus_access){reg, now, 4, 0}, value);
}

static inline uint32_t read_reg(unsigned reg)
{
    return (uint32_t)lapic_mmio.read(&lapic, &(struct bus_access){reg, now, 4, 0});
}

static inline void tick(uint64_t at)
{
    now = at;
    lapic_tick(&lapic, now);
}

static inline int setup(void **state)
{
    const struct lapic_out out = {on_interrupt, on_nmi, on_eoi, on_ipi, NULL};

    (void)state;
    now = 1000;
    lapic_init(&lapic, 2, false, TSC_HZ, &out);
    write_reg(LAPIC_SVR, 0x1FF);
    heard = (struct heard){0};
    return 0;
}

static inline void take(int vector)
{
    assert_int_equal(lapic_pending(&lapic), vector);
    lapic_accept(&lapic, (uint8_t)vector);
}

#endif
