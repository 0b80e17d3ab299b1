/* pv_eoi_test.c: interrupts that the guest ends in its memory, not at its local APIC. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/run.c vmm/machine.c vmm/terminal.c vmm/inject.c vmm/report.c vmm/linear.c */
/* LINK: vmm/instruction.c vmm/guest_window.c vmm/exit_cpuid.c vmm/exit_io.c vmm/exit_memory.c */
/* LINK: vmm/exit_string.c vmm/exit_msr.c vmm/exit_other.c vmm/exit_register.c vmm/pc.c */
/* LINK: vmm/pc_route.c vmm/bus.c vmm/lapic.c vmm/lapic_regs.c vmm/lapic_timer.c vmm/lapic_msr.c */
/* LINK: vmm/ioapic.c vmm/i8259.c vmm/i8254.c vmm/i8254_channel.c vmm/mc146818.c vmm/calendar.c */
/* LINK: vmm/ns16550.c vmm/acpi_pm.c vmm/reset.c vmm/pci_host.c vmm/debug_exit.c vmm/cpuid.c */
/* LINK: vmm/cpuid_feature.c vmm/msr.c vmm/guest_walk.c vmm/guest_ram.c vmm/decode.c */
/* LINK: vmm/decode_table.c vmm/emulate.c vmm/emulate_string.c vmm/alu.c */
/* LINK: vmm/cpuid_hypervisor.c vmm/pv_eoi.c */
#include "vmm/test/machine_fixture.h"

#define PV_EOI 0x4B564D04u
#define WORD 0x3000u /* the guest's word, with other bits that stay */
#define OTHER_BITS 0xABCD0000u

#define X2APIC_BASE 0x1Bu
#define X2APIC_EOI 0x80Bu
#define X2APIC_ISR_40 0x812u /* vectors 0x40 to 0x5F */
#define X2APIC_SELF 0x83Fu

static uint32_t word(void)
{
    uint32_t value;

    memcpy(&value, ram(WORD), sizeof value);
    return value;
}

static void set_word(uint32_t value)
{
    memcpy(ram(WORD), &value, sizeof value);
}

static void enable(void)
{
    write_msr(START, X2APIC_BASE, 0xFEE00D00);
    write_msr(START, 0x80F, 0x1FF);
    set_word(OTHER_BITS);
    assert_int_equal(write_msr(START, PV_EOI, WORD | 1), VS_ADVANCE);
    assert_int_equal(word(), OTHER_BITS);
}

/* An IPI of the guest's to itself, which it takes. */
static void interrupt(uint8_t vector)
{
    assert_int_equal(write_msr(START, X2APIC_SELF, vector), VS_ADVANCE | VS_EVENT);
    assert_int_equal(f.state.event, VEVENT_VALID | VEVENT_INTERRUPT | vector);
    f.state.event = 0;
}

static uint32_t in_service(void)
{
    f.state.gpr[VGPR_RCX] = X2APIC_ISR_40;
    assert_int_equal(play(START, EXIT_MSR_READ, 0, 0), VS_ADVANCE);
    return (uint32_t)f.state.gpr[VGPR_RAX];
}

static void ends_without_an_exit(void **state)
{
    (void)state;
    enable();
    for (unsigned i = 0; i < 3; i++) {
        interrupt(0x41);
        assert_int_equal(word(), OTHER_BITS | 1);
        set_word(OTHER_BITS); /* the guest's whole end of it */
    }
    assert_int_equal(in_service(), 0);
    assert_int_equal(word(), OTHER_BITS);
}

static void an_unused_offer_ends(void **state)
{
    (void)state;
    enable();
    interrupt(0x41);
    assert_int_equal(in_service(), 1 << 1);
    assert_int_equal(word(), OTHER_BITS);
    assert_int_equal(write_msr(START, X2APIC_EOI, 0), VS_ADVANCE);
    assert_int_equal(in_service(), 0);
}

/* The handler of 0x41 is interrupted by 0x52, and each end goes to the right one. */
static void nested_ends(void **state)
{
    (void)state;
    enable();
    interrupt(0x41);
    interrupt(0x52);
    assert_int_equal(word(), OTHER_BITS | 1);
    set_word(OTHER_BITS);
    assert_int_equal(write_msr(START, X2APIC_EOI, 0), VS_ADVANCE);
    assert_int_equal(in_service(), 0);
}

static void one_that_waits_needs_an_exit(void **state)
{
    (void)state;
    enable();
    interrupt(0x52);
    assert_int_equal(write_msr(START, X2APIC_SELF, 0x41), VS_ADVANCE);
    assert_int_equal(word(), OTHER_BITS);
    assert_int_equal(write_msr(START, X2APIC_EOI, 0), VS_ADVANCE | VS_EVENT);
    assert_int_equal(f.state.event, VEVENT_VALID | VEVENT_INTERRUPT | 0x41);
}

/* It came while the guest ran: what the guest ended meanwhile is seen first. */
static void the_timer_finds_the_end(void **state)
{
    (void)state;
    enable();
    write_msr(START, 0x832, 2u << 17 | 0x41);
    write_msr(START, 0x6E0, 5000);
    interrupt(0x41);
    set_word(OTHER_BITS);
    assert_int_equal(notice(5000, NOTICE_TIMER), RUN_NONE);
    assert_int_equal(play(5001, EXIT_KICK, 0, 0), VS_EVENT);
    assert_int_equal(f.state.event, VEVENT_VALID | VEVENT_INTERRUPT | 0x41);
    assert_int_equal(word(), OTHER_BITS | 1);
}

/* The IOAPIC must hear of the end: pin 9, level-triggered, vector 0x41. */
static void level_triggered_needs_an_exit(void **state)
{
    struct pc *pc = &f.machine.pc;

    (void)state;
    enable();
    pc_mmio_write(pc, 0, PLAT_IOAPIC_BASE, 4, START, 0x10 + 2 * 9);
    pc_mmio_write(pc, 0, PLAT_IOAPIC_BASE + 0x10, 4, START, 1 << 15 | 0x41);
    pc_set_irq(pc, 9, true);
    assert_int_equal(play(START, EXIT_KICK, 0, 0), VS_EVENT);
    assert_int_equal(f.state.event, VEVENT_VALID | VEVENT_INTERRUPT | 0x41);
    assert_int_equal(word(), OTHER_BITS);
}

static void the_msr_is_checked(void **state)
{
    (void)state;
    enable();
    assert_int_equal(write_msr(START, PV_EOI, WORD | 3), VS_EVENT);
    f.state.event = 0;
    assert_int_equal(write_msr(START, PV_EOI, RAM_SIZE | 1), VS_ADVANCE); /* where no RAM is */
    interrupt(0x41);
    assert_int_equal(write_msr(START, X2APIC_EOI, 0), VS_ADVANCE);
    assert_int_equal(write_msr(START, PV_EOI, WORD), VS_ADVANCE); /* off */
    interrupt(0x41);
    assert_int_equal(word(), OTHER_BITS);
    assert_int_equal(in_service(), 1 << 1);
}

/* The last end left in memory is not lost when the guest turns the interface off. */
static void turning_off_collects(void **state)
{
    (void)state;
    enable();
    interrupt(0x41);
    set_word(OTHER_BITS);
    assert_int_equal(write_msr(START, PV_EOI, 0), VS_ADVANCE);
    assert_int_equal(in_service(), 0);
}

int main(void)
{
#define TEST(name, function) {name, function, set_up, tear_down, NULL}
    const struct CMUnitTest tests[] = {
        TEST("PVEOI-01: an interrupt ends without an exit", ends_without_an_exit),
        TEST("PVEOI-02: an offer ends when the local APIC is looked at", an_unused_offer_ends),
        TEST("PVEOI-03: nested interrupts end in their order", nested_ends),
        TEST("PVEOI-04: with another one waiting an exit is needed", one_that_waits_needs_an_exit),
        TEST("PVEOI-05: the next timer interrupt finds the end", the_timer_finds_the_end),
        TEST("PVEOI-06: a level-triggered interrupt is ended at the IOAPIC, too",
             level_triggered_needs_an_exit),
        TEST("PVEOI-07: the MSR's reserved bit, address and switch count", the_msr_is_checked),
        TEST("PVEOI-08: turning it off loses no end", turning_off_collects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
