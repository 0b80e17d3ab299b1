/* acpi_pm_test.c: the PM timer, PM1 events and soft-off. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/acpi_pm.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "vmm/acpi_pm.h"
#include "vmm/clock.h"
#include "vmm/platform.h"

#define TSC_HZ (PLAT_PM_TMR_HZ * 10ULL)
#define START 50

static struct acpi_pm pm;
static uint64_t now;
static bool sci;
static unsigned offs;

static void on_irq(void *ctx, unsigned line, bool level)
{
    (void)ctx;
    assert_int_equal(line, 9);
    sci = level;
}

static void on_power_off(void *ctx)
{
    (void)ctx;
    offs++;
}

static int setup(void **state)
{
    (void)state;
    now = START;
    sci = false;
    offs = 0;
    acpi_pm_init(&pm, TSC_HZ, now, &(struct acpi_pm_out){on_power_off, NULL},
                 &(struct irq_line){on_irq, NULL}, 9);
    return 0;
}

static void out(unsigned offset, unsigned size, uint32_t value)
{
    acpi_pm_ports.write(&pm, &(struct bus_access){offset, now, size, 0}, value);
}

static uint32_t in(unsigned offset, unsigned size)
{
    return (uint32_t)acpi_pm_ports.read(&pm, &(struct bus_access){offset, now, size, 0});
}

static void timer_counts(void **state)
{
    (void)state;
    assert_int_equal(in(8, 4), 0);
    now = START + 10 * 0x12345678ULL + 9;
    assert_int_equal(in(8, 4), 0x12345678);
    assert_int_equal(in(9, 1), 0x56);
    out(8, 4, 0);
    assert_int_equal(in(8, 4), 0x12345678);
    now = START + 10 * 0x123456789AULL;
    assert_int_equal(in(8, 4), 0x3456789A);
}

static void timer_interrupts(void **state)
{
    (void)state;
    assert_true(acpi_pm_deadline(&pm) == CLOCK_NEVER);
    out(2, 2, 1);
    assert_true(acpi_pm_deadline(&pm) == START + (10ULL << 31));
    now = START + (10ULL << 31);
    acpi_pm_tick(&pm, now - 1);
    assert_false(sci);
    acpi_pm_tick(&pm, now);
    assert_true(sci);
    assert_int_equal(in(0, 2), 1);
    out(0, 2, 1);
    assert_false(sci);
    assert_true(acpi_pm_deadline(&pm) == START + (20ULL << 31));
}

static void registers(void **state)
{
    (void)state;
    assert_int_equal(in(4, 2), 1); /* SCI_EN: always in ACPI mode */
    out(2, 2, 0xFFFF);
    assert_int_equal(in(2, 2), 0x0721);
    out(3, 1, 0);
    assert_int_equal(in(0, 4), 0x00210000);
    out(4, 2, 0xFFFE);
    assert_int_equal(in(4, 2), 0x1C03);
    assert_int_equal(in(6, 2), 0);
}

static void soft_off(void **state)
{
    (void)state;
    out(4, 2, PLAT_PM_SLP_TYP_S5 << 10); /* the type alone does nothing */
    out(4, 2, 1 << 10 | 1 << 13);        /* another sleep type */
    assert_int_equal(offs, 0);
    out(4, 2, PLAT_PM_SLP_TYP_S5 << 10 | 1 << 13);
    assert_int_equal(offs, 1);
    out(5, 1, PLAT_PM_SLP_TYP_S5 << 2 | 1 << 5);
    assert_int_equal(offs, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"PM-01: the timer counts 3.579545 MHz in 32 bits", timer_counts, setup, 0, 0},
        {"PM-02: bit 31 of the timer interrupts when enabled", timer_interrupts, setup, 0, 0},
        {"PM-03: registers keep their bits at any width", registers, setup, 0, 0},
        {"PM-04: SLP_EN with the S5 type powers off", soft_off, setup, 0, 0},
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
