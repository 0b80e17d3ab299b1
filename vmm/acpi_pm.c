/* acpi_pm.c: ACPI fixed hardware: PM1 event and control registers, PM timer. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/acpi_pm.h"

#include "vmm/clock.h"
#include "vmm/platform.h"

/* The enables that can be set. Of the events only the timer ever happens on this machine. */
#define ENABLES (ACPI_PM1_TMR | ACPI_PM1_GBL | ACPI_PM1_PWRBTN | ACPI_PM1_SLPBTN | ACPI_PM1_RTC)
#define CONTROLS (ACPI_PM1_BM_RLD | 7 << ACPI_PM1_SLP_TYP_SHIFT)

static uint64_t timer_at(const struct acpi_pm *pm, uint64_t now)
{
    return clock_ticks(now - pm->epoch, pm->tsc_hz, PLAT_PM_TMR_HZ);
}

/* TMR_STS: bit 31 of the timer changed since the last look (section 4.8.3.1.1). */
static void gather(struct acpi_pm *pm, uint64_t timer)
{
    uint64_t carries = timer >> 31;

    if (carries != pm->carries) {
        pm->carries = carries;
        pm->status |= ACPI_PM1_TMR;
    }
}

/* Drives the SCI, and finds the next change of bit 31 if that is to interrupt. */
static void settle(struct acpi_pm *pm)
{
    bool sci = (pm->status & pm->enable) != 0;

    pm->irq.set(pm->irq.ctx, pm->irq_number, sci);
    pm->deadline = CLOCK_NEVER;
    if (!sci && (pm->enable & ACPI_PM1_TMR) != 0) {
        pm->deadline = pm->epoch + clock_tsc((pm->carries + 1) << 31, pm->tsc_hz, PLAT_PM_TMR_HZ);
    }
}

void acpi_pm_init(struct acpi_pm *pm, uint64_t tsc_hz, uint64_t now, const struct acpi_pm_out *out,
                  const struct irq_line *irq, unsigned irq_number)
{
    *pm = (struct acpi_pm){
        .out = *out,
        .irq = *irq,
        .irq_number = irq_number,
        .tsc_hz = tsc_hz,
        .epoch = now,
        .deadline = CLOCK_NEVER,
    };
}

void acpi_pm_tick(struct acpi_pm *pm, uint64_t now)
{
    if (now >= pm->deadline) {
        gather(pm, timer_at(pm, now));
        settle(pm);
    }
}

/*
 * All registers as one array of bytes, `timer` in its place, so that any width and offset reads
 * right.
 */
static uint8_t read_byte(const struct acpi_pm *pm, unsigned at, uint64_t timer)
{
    unsigned shift = 8 * (at % 2);

    if (at >= ACPI_PM_TIMER) {
        return (uint8_t)(timer >> (8 * (at - ACPI_PM_TIMER)));
    }
    if (at >= ACPI_PM1_CONTROL + 2) {
        return 0;
    }
    if (at >= ACPI_PM1_CONTROL) {
        return (uint8_t)((pm->control | ACPI_PM1_SCI_EN) >> shift);
    }
    return (uint8_t)((at >= ACPI_PM1_ENABLE ? pm->enable : pm->status) >> shift);
}

static void write_control(struct acpi_pm *pm, uint16_t value)
{
    unsigned type = value >> ACPI_PM1_SLP_TYP_SHIFT & 7;

    pm->control = value & CONTROLS;
    if ((value & ACPI_PM1_SLP_EN) != 0 && type == PLAT_PM_SLP_TYP_S5) {
        pm->out.power_off(pm->out.ctx);
    }
}

static void write_byte(struct acpi_pm *pm, unsigned at, uint8_t value)
{
    unsigned shift = 8 * (at % 2);
    uint16_t wide = (uint16_t)(value << shift);
    uint16_t others = (uint16_t)(0xFF00 >> shift);

    switch (at - at % 2) {
    case ACPI_PM1_STATUS:
        pm->status &= (uint16_t)~wide;
        break;
    case ACPI_PM1_ENABLE:
        pm->enable = (uint16_t)((pm->enable & others) | wide) & ENABLES;
        break;
    case ACPI_PM1_CONTROL:
        write_control(pm, (uint16_t)((pm->control & others) | wide));
        break;
    default: /* the timer is read only */
        break;
    }
}

static uint64_t port_read(void *dev, const struct bus_access *access)
{
    struct acpi_pm *pm = dev;
    uint64_t timer = timer_at(pm, access->now);
    uint64_t value = 0;

    gather(pm, timer);
    settle(pm);
    for (unsigned i = 0; i < access->size; i++) {
        unsigned at = (unsigned)access->offset + i;

        value |= (uint64_t)read_byte(pm, at, timer) << (8 * i);
    }
    return value;
}

static void port_write(void *dev, const struct bus_access *access, uint64_t value)
{
    struct acpi_pm *pm = dev;

    gather(pm, timer_at(pm, access->now));
    for (unsigned i = 0; i < access->size; i++) {
        write_byte(pm, (unsigned)access->offset + i, (uint8_t)(value >> (8 * i)));
    }
    settle(pm);
}

const struct bus_ops acpi_pm_ports = {.width = 4, .read = port_read, .write = port_write};
