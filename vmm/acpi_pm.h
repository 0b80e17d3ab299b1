/* acpi_pm.h: ACPI fixed hardware: PM1 event and control registers, PM timer. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_ACPI_PM_H
#define VMM_ACPI_PM_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/bus.h"
#include "vmm/interrupt.h"

/* Offsets in the register blocks (ACPI 6.4 section 4.8.3), one block after the other here. */
enum acpi_pm_register {
    ACPI_PM1_STATUS = 0, /* 16 bits, write 1 to clear */
    ACPI_PM1_ENABLE = 2,
    ACPI_PM1_CONTROL = 4,
    ACPI_PM_TIMER = 8, /* 32 bits */
    ACPI_PM_SIZE = 12,
};

/* Bits of PM1 status and enable (section 4.8.3.1). */
enum acpi_pm1_event {
    ACPI_PM1_TMR = 1 << 0,
    ACPI_PM1_GBL = 1 << 5,
    ACPI_PM1_PWRBTN = 1 << 8,
    ACPI_PM1_SLPBTN = 1 << 9,
    ACPI_PM1_RTC = 1 << 10,
};

/* Bits of PM1 control (section 4.8.3.2). */
enum acpi_pm1_control {
    ACPI_PM1_SCI_EN = 1 << 0,
    ACPI_PM1_BM_RLD = 1 << 1,
    ACPI_PM1_SLP_TYP_SHIFT = 10,
    ACPI_PM1_SLP_EN = 1 << 13,
};

/* Called when the guest asks for soft-off (S5). */
struct acpi_pm_out {
    void (*power_off)(void *ctx);
    void *ctx;
};

struct acpi_pm {
    struct acpi_pm_out out;
    struct irq_line irq;
    unsigned irq_number;
    uint64_t tsc_hz;
    uint64_t epoch;    /* TSC tick at which the timer was 0 */
    uint64_t carries;  /* times that bit 31 of the timer was seen to change */
    uint64_t deadline; /* TSC tick of the next change, while that interrupts */
    uint16_t status, enable, control;
};

/* Handlers for the ACPI_PM_SIZE ports from PLAT_PM_BASE; `dev` is the struct acpi_pm. */
extern const struct bus_ops acpi_pm_ports;

/* Power-up at TSC tick `now`. The SCI drives line `irq_number` of `irq`. */
void acpi_pm_init(struct acpi_pm *pm, uint64_t tsc_hz, uint64_t now, const struct acpi_pm_out *out,
                  const struct irq_line *irq, unsigned irq_number);

/* TSC tick of the timer's next SCI, or CLOCK_NEVER (also while it is not enabled). */
static inline uint64_t acpi_pm_deadline(const struct acpi_pm *pm)
{
    return pm->deadline;
}

/* Raises the timer's SCI if it is due. */
void acpi_pm_tick(struct acpi_pm *pm, uint64_t now);

#endif
