/* pc_test.c: the whole board: wiring, routing of interrupts and IPIs, and the ways a run ends. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/acpi_pm.c vmm/bus.c vmm/calendar.c vmm/debug_exit.c vmm/i8254.c vmm/i8254_channel.c */
/* LINK: vmm/i8259.c vmm/ioapic.c vmm/lapic.c vmm/lapic_msr.c vmm/lapic_regs.c vmm/lapic_timer.c */
/* LINK: vmm/mc146818.c vmm/ns16550.c vmm/pc.c vmm/pc_route.c vmm/pci_host.c vmm/reset.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "vmm/clock.h"
#include "vmm/pc.h"

#define TSC_HZ 1000000000ULL
#define START 1000

static struct pc pc;
static uint64_t now;
static unsigned events[PLAT_MAX_CPUS][PC_EVENT_STARTUP + 1];
static uint8_t startup_vector;
static char sent;

static void on_byte(void *ctx, uint8_t byte)
{
    (void)ctx;
    sent = (char)byte;
}

static void on_event(void *ctx, unsigned cpu, enum pc_event event, uint8_t vector)
{
    (void)ctx;
    events[cpu][event]++;
    if (event == PC_EVENT_STARTUP) {
        startup_vector = vector;
    }
}

static void start(unsigned ncpus)
{
    now = START;
    assert_int_equal(pc_init(&pc, &(struct pc_config){ncpus, TSC_HZ, now, 0, on_byte, on_event, 0}),
                     PC_OK);
    for (unsigned cpu = 0; cpu < PLAT_MAX_CPUS; cpu++) {
        for (unsigned e = 0; e <= PC_EVENT_STARTUP; e++) {
            events[cpu][e] = 0;
        }
    }
}

static int setup(void **state)
{
    (void)state;
    start(4);
    return 0;
}

static void out(uint16_t port, unsigned size, uint32_t value)
{
    pc_out(&pc, port, size, value, now);
}

static uint32_t in(uint16_t port, unsigned size)
{
    return pc_in(&pc, port, size, now);
}

static void lapic_write(unsigned cpu, unsigned reg, uint32_t value)
{
    assert_int_equal(pc_mmio_write(&pc, cpu, PLAT_LAPIC_BASE + reg, 4, now, value), PC_OK);
}

static uint32_t lapic_read(unsigned cpu, unsigned reg)
{
    uint64_t value;

    assert_int_equal(pc_mmio_read(&pc, cpu, PLAT_LAPIC_BASE + reg, 4, now, &value), PC_OK);
    return (uint32_t)value;
}

static void ioapic_write(uint8_t reg, uint32_t value)
{
    assert_int_equal(pc_mmio_write(&pc, 0, PLAT_IOAPIC_BASE, 4, now, reg), PC_OK);
    assert_int_equal(pc_mmio_write(&pc, 0, PLAT_IOAPIC_BASE + 0x10, 4, now, value), PC_OK);
}

static void enable_lapics(void)
{
    for (unsigned cpu = 0; cpu < 4; cpu++) {
        lapic_write(cpu, LAPIC_SVR, 0x1FF);
    }
}

static void take(unsigned cpu, int vector)
{
    assert_int_equal(pc_pending(&pc, cpu), vector);
    assert_int_equal(pc_accept(&pc, cpu), vector);
}

static void bad_configurations(void **state)
{
    struct pc_config config = {1, TSC_HZ, 0, 0, on_byte, on_event, NULL};

    (void)state;
    config.ncpus = 0;
    assert_int_equal(pc_init(&pc, &config), PC_BAD_CPU_COUNT);
    config.ncpus = PLAT_MAX_CPUS + 1;
    assert_int_equal(pc_init(&pc, &config), PC_BAD_CPU_COUNT);
    config.ncpus = 1;
    config.tsc_hz = CLOCK_MIN_TSC_HZ - 1;
    assert_int_equal(pc_init(&pc, &config), PC_BAD_TSC_RATE);
    config.tsc_hz = CLOCK_MAX_TSC_HZ + 1;
    assert_int_equal(pc_init(&pc, &config), PC_BAD_TSC_RATE);
    config.tsc_hz = TSC_HZ;
    config.wall_clock = -1;
    assert_int_equal(pc_init(&pc, &config), PC_BAD_WALL_CLOCK);
}

/* The list is written down here once more: a range lost in the wiring must not go unnoticed. */
static void every_port_is_wired(void **state)
{
    static const struct {
        uint16_t first, last;
    } ports[] = {
        {0x20, 0x21},   {0x40, 0x43},   {0x60, 0x61},   {0x64, 0x64},   {0x70, 0x71},
        {0x92, 0x92},   {0xA0, 0xA1},   {0xF4, 0xF7},   {0x3F8, 0x3FF}, {0x4D0, 0x4D1},
        {0x600, 0x60B}, {0xCF8, 0xCFF},
    };
    unsigned range = 0;

    (void)state;
    for (unsigned port = 0; port < 0x10000; port++) {
        bool wired = range < sizeof(ports) / sizeof(ports[0]) && port >= ports[range].first;
        uint64_t before = pc.ports.unclaimed_reads;
        uint32_t value = in((uint16_t)port, 1);

        assert_int_equal(pc.ports.unclaimed_reads - before, wired ? 0 : 1);
        assert_true(wired || value == 0xFF);
        range += wired && port == ports[range].last;
    }
    assert_int_equal(in(0x1F0, 2), 0xFFFF);
    assert_true(in(0x1F0, 4) == 0xFFFFFFFF);
}

static void virtual_wire(void **state)
{
    (void)state;
    out(0x20, 1, 0x11);
    out(0x21, 1, 0x30);
    out(0x21, 1, 0x04);
    out(0x21, 1, 0x01);
    out(0x21, 1, 0xFE);
    out(0x43, 1, 0x34);
    out(0x40, 1, 0xA9); /* 1193 clocks: about 1 ms */
    out(0x40, 1, 0x04);
    events[0][PC_EVENT_INTERRUPT] = 0;
    while (pc_pending(&pc, 0) != PC_NO_VECTOR) {
        take(0, 0x30); /* the output rose when it was programmed */
        out(0x20, 1, 0x20);
    }
    now = pc_deadline(&pc);
    assert_in_range(now, START + 1000000, START + 1002000);
    pc_tick(&pc, now);
    assert_int_equal(events[0][PC_EVENT_INTERRUPT], 1);
    assert_int_equal(pc_pending(&pc, 1), PC_NO_VECTOR);
    pc_set_cr8(&pc, 0, 15);
    take(0, 0x30); /* the TPR does not hold back ExtINT */
    assert_int_equal(pc_pending(&pc, 0), PC_NO_VECTOR);
}

static void pit_reaches_pin_2(void **state)
{
    (void)state;
    enable_lapics();
    ioapic_write(0x11 + 2 * 2, 1U << 24);
    ioapic_write(0x10 + 2 * 2, 0x44);
    out(0x43, 1, 0x34);
    out(0x40, 1, 100);
    out(0x40, 1, 0);
    take(1, 0x44);
}

static void serial_interrupt(void **state)
{
    (void)state;
    enable_lapics();
    ioapic_write(0x10 + 2 * 4, 0x51);
    out(0x3FC, 1, 0x08);
    out(0x3F9, 1, 0x01);
    assert_int_equal(pc_serial_room(&pc), 1);
    pc_serial_receive(&pc, 'k', now);
    take(0, 0x51);
    assert_int_equal(in(0x3F8, 1), 'k');
    out(0x3F8, 1, 'o');
    assert_int_equal(sent, 'o');
}

static void sci_is_level(void **state)
{
    (void)state;
    assert_int_equal(in(0x4D1, 1), 0x02);
    enable_lapics();
    ioapic_write(0x10 + 2 * 9, 0x8059);
    out(0x602, 2, 1);
    now = pc_deadline(&pc);
    pc_tick(&pc, now);
    take(0, 0x59);
    lapic_write(0, LAPIC_EOI, 0);
    take(0, 0x59); /* not cleared at its source: again */
    out(0x600, 2, 1);
    lapic_write(0, LAPIC_EOI, 0);
    assert_int_equal(pc_pending(&pc, 0), PC_NO_VECTOR);
}

static void rtc_interrupt(void **state)
{
    (void)state;
    enable_lapics();
    ioapic_write(0x10 + 2 * 8, 0x58);
    out(0x70, 1, 0x0B);
    out(0x71, 1, 0x12);
    assert_true(pc_deadline(&pc) == START + TSC_HZ);
    pc_tick(&pc, START + TSC_HZ);
    take(0, 0x58);
}

static void application_processor_starts(void **state)
{
    (void)state;
    enable_lapics();
    lapic_write(0, LAPIC_ICR_HIGH, 2U << 24);
    lapic_write(0, LAPIC_ICR_LOW, 0xC500); /* INIT, assert */
    assert_int_equal(events[2][PC_EVENT_INIT], 1);
    assert_int_equal(lapic_read(2, LAPIC_SVR), 0xFF);
    lapic_write(0, LAPIC_ICR_LOW, 0x8500); /* INIT, de-assert */
    lapic_write(0, LAPIC_ICR_LOW, 0x4699);
    lapic_write(0, LAPIC_ICR_LOW, 0x4699);
    assert_int_equal(events[2][PC_EVENT_INIT], 1);
    assert_int_equal(events[2][PC_EVENT_STARTUP], 1);
    assert_int_equal(startup_vector, 0x99);
    assert_false(pc.waits_for_startup[2]);
    assert_true(pc.waits_for_startup[1]);
    assert_int_equal(events[0][PC_EVENT_STARTUP] + events[1][PC_EVENT_STARTUP], 0);
}

static void shorthands(void **state)
{
    static const uint8_t reached[4] = {[LAPIC_TO_DEST] = 0x8, [LAPIC_TO_SELF] = 0x2,
                                       [LAPIC_TO_ALL] = 0xF, [LAPIC_TO_OTHERS] = 0xD};

    (void)state;
    enable_lapics();
    for (uint32_t to = 0; to < 4; to++) {
        lapic_write(1, LAPIC_ICR_HIGH, 3U << 24);
        lapic_write(1, LAPIC_ICR_LOW, to << 18 | 0x4060);
        for (unsigned cpu = 0; cpu < 4; cpu++) {
            assert_int_equal(pc_pending(&pc, cpu), reached[to] >> cpu & 1 ? 0x60 : PC_NO_VECTOR);
            if (pc_accept(&pc, cpu) != PC_NO_VECTOR) {
                lapic_write(cpu, LAPIC_EOI, 0);
            }
        }
    }
    lapic_write(1, LAPIC_ICR_LOW, LAPIC_TO_OTHERS << 18 | 0x4400);
    assert_int_equal(events[0][PC_EVENT_NMI] + events[2][PC_EVENT_NMI] + events[3][PC_EVENT_NMI],
                     3);
    assert_int_equal(events[1][PC_EVENT_NMI], 0);
}

static void lowest_priority(void **state)
{
    struct irq_message msg = {.dest = IRQ_BROADCAST, .vector = 0x70, .mode = IRQ_LOWEST};

    (void)state;
    assert_true(pc_deliver(&pc, &msg)); /* only the BSP is enabled */
    take(0, 0x70);
    lapic_write(0, LAPIC_EOI, 0);
    enable_lapics();
    for (unsigned cpu = 0; cpu < 4; cpu++) {
        pc_set_cr8(&pc, cpu, cpu == 2 ? 1 : 3);
    }
    assert_true(pc_deliver(&pc, &msg));
    take(2, 0x70);
    assert_true(pc_deliver(&pc, &msg)); /* 2 is busy at 0x70 now: taken in turn by the others */
    assert_int_equal(pc_pending(&pc, 3), 0x70);
    msg.dest = 9;
    assert_false(pc_deliver(&pc, &msg));
}

static void eoi_ends_the_level_for_all(void **state)
{
    (void)state;
    enable_lapics();
    ioapic_write(0x11 + 2 * 10, 3U << 24);
    ioapic_write(0x10 + 2 * 10, 0x8080);
    pc_set_irq(&pc, 10, true);
    take(3, 0x80);
    pc_set_irq(&pc, 10, false);
    pc_set_irq(&pc, 10, true);
    assert_int_equal(pc_pending(&pc, 3), PC_NO_VECTOR);
    lapic_write(3, LAPIC_EOI, 0);
    take(3, 0x80);
}

static void x2apic_hides_the_window(void **state)
{
    uint64_t value;

    (void)state;
    assert_int_equal(pc_msr_read(&pc, 0, 0x1B, now, &value), PC_OK);
    assert_true(value == (PLAT_LAPIC_BASE | 0x900));
    assert_int_equal(pc_msr_write(&pc, 0, 0x1B, now, value | 0x400), PC_OK);
    assert_int_equal(pc_mmio_read(&pc, 0, PLAT_LAPIC_BASE, 4, now, &value), PC_UNCLAIMED);
    assert_int_equal(pc_mmio_read(&pc, 1, PLAT_LAPIC_BASE, 4, now, &value), PC_OK);
    assert_int_equal(pc_mmio_write(&pc, 0, 0xFED00000, 4, now, 0), PC_UNCLAIMED);
    assert_int_equal(pc_msr_read(&pc, 1, 0x802, now, &value), PC_FAULT);
    assert_int_equal(pc_msr_read(&pc, 0, 0xC0000080, now, &value), PC_UNCLAIMED);
}

static void pci_probe(void **state)
{
    (void)state;
    out(0xCFB, 1, 0x01); /* how Linux makes sure of mechanism #1 */
    out(0xCF8, 4, 0x80000000);
    assert_true(in(0xCF8, 4) == 0x80000000);
    assert_true(in(0xCFC, 4) == 0x12378086);
    assert_int_equal(in(0xCFE, 2), 0x1237);
    out(0xCF8, 4, 0x80000008);
    assert_int_equal(in(0xCFE, 2), 0x0600);
    out(0xCF8, 4, 0x8000000C);
    assert_int_equal(in(0xCFE, 1), 0); /* one function, plain header */
    for (uint32_t slot = 1; slot < 32; slot++) {
        out(0xCF8, 4, 0x80000000 | slot << 11);
        assert_true(in(0xCFC, 4) == 0xFFFFFFFF);
    }
    out(0xCF8, 4, 0);
    assert_int_equal(in(0xCFC, 2), 0xFFFF);
    assert_int_equal(pc.outcome, PC_RUNNING);
}

static void ends(void **state)
{
    (void)state;
    out(0xCF9, 1, 0x02);
    out(0x64, 1, 0xFF);
    out(0x92, 1, 0x02);
    out(0xCF8, 4, 0xFFFFFFFF);
    assert_int_equal(pc.outcome, PC_RUNNING);
    out(0xCF9, 1, 0x06);
    assert_int_equal(pc.outcome, PC_RESET);
    start(1);
    out(0x64, 1, 0xFE);
    assert_int_equal(pc.outcome, PC_RESET);
    start(1);
    out(0x92, 1, 0x03);
    assert_int_equal(pc.outcome, PC_RESET);
    start(2);
    lapic_write(1, LAPIC_SVR, 0x1FF);
    lapic_write(1, LAPIC_ICR_LOW, 0x4500); /* INIT to the BSP */
    assert_int_equal(pc.outcome, PC_RESET);
    start(1);
    out(0x604, 2, PLAT_PM_SLP_TYP_S5 << 10 | 1 << 13);
    assert_int_equal(pc.outcome, PC_POWER_OFF);
    start(1);
    out(0xF4, 4, 0x12345);
    out(0xF4, 1, 7);
    out(0xCF9, 1, 0x06);
    assert_int_equal(pc.outcome, PC_DEBUG_EXIT); /* the first end stays */
    assert_int_equal(pc.exit_value, 0x12345);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"PC-01: a bad configuration is refused", bad_configurations, setup, 0, 0},
        {"PC-02: every port is wired, no other answers", every_port_is_wired, setup, 0, 0},
        {"PC-03: the i8259 interrupts the BSP through LINT0", virtual_wire, setup, 0, 0},
        {"PC-04: the PIT reaches IOAPIC pin 2", pit_reaches_pin_2, setup, 0, 0},
        {"PC-05: a serial byte interrupts", serial_interrupt, setup, 0, 0},
        {"PC-06: the SCI is a level", sci_is_level, setup, 0, 0},
        {"PC-07: the clock chip interrupts", rtc_interrupt, setup, 0, 0},
        {"PC-08: INIT and STARTUP start a processor once", application_processor_starts, setup, 0,
         0},
        {"PC-09: IPI shorthands reach whom they name", shorthands, setup, 0, 0},
        {"PC-10: lowest priority picks one enabled CPU", lowest_priority, setup, 0, 0},
        {"PC-11: an EOI lets the level come again", eoi_ends_the_level_for_all, setup, 0, 0},
        {"PC-12: x2APIC mode hides the window", x2apic_hides_the_window, setup, 0, 0},
        {"PC-13: a PCI probe finds the host bridge alone", pci_probe, setup, 0, 0},
        {"PC-14: resets, soft-off and debug exit end the run", ends, setup, 0, 0},
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
