/* register_test.c: exits by accesses to control and debug registers, and debug exceptions. */
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

#define GP_EVENT (VEVENT_VALID | VEVENT_EXCEPTION | VEVENT_ERROR | 13)

static uint64_t write_cr(unsigned number, uint64_t value)
{
    f.state.gpr[VGPR_RBX] = value;
    return play(START, EXIT_CR, number | VGPR_RBX << 8, 0);
}

static void cr0_is_left_to_the_cpu(void **state)
{
    (void)state;
    /* Caches off, and paging on: only what the kernel watches changes here. */
    assert_int_equal(write_cr(0, 0xC0000011), VS_CR);
    assert_int_equal(f.state.cr0, 0x40000011);
    assert_int_equal(write_cr(0, 0x20000011), VS_EVENT); /* NW without CD */
    assert_int_equal(f.state.event, GP_EVENT);
    assert_int_equal(f.state.cr0, 0x40000011);
}

static void vmx_cannot_be_turned_on(void **state)
{
    (void)state;
    assert_int_equal(write_cr(4, 1 << 13), VS_EVENT);
    assert_int_equal(f.state.event, GP_EVENT);
}

static void cr8_is_the_task_priority(void **state)
{
    (void)state;
    use_deadline_timer(0x45);
    assert_int_equal(write_cr(8, 5), VS_ADVANCE);
    write_msr(START, 0x6E0, 5000);
    /* Held back by the priority, and let in when that falls. */
    assert_int_equal(notice(5000, NOTICE_TIMER), RUN_NONE);
    assert_int_equal(play(5001, EXIT_KICK, 0, 0) & VS_EVENT, 0);
    assert_int_equal(play(5002, EXIT_CR, 8 | 1 << 4 | VGPR_RDX << 8, 0), VS_ADVANCE);
    assert_int_equal(f.state.gpr[VGPR_RDX], 5);
    assert_int_equal(write_cr(8, 3) & (VS_ADVANCE | VS_EVENT), VS_ADVANCE | VS_EVENT);
    assert_int_equal(f.state.event, VEVENT_VALID | VEVENT_INTERRUPT | 0x45);
    assert_int_equal(write_cr(8, 16), VS_EVENT);
    assert_int_equal(f.state.event, GP_EVENT);
}

static uint64_t dr(unsigned number, uint64_t read, uint64_t value)
{
    f.state.gpr[VGPR_RBX] = value;
    return play(START, EXIT_DR, number | read << 4 | VGPR_RBX << 8, 0);
}

static void debug_registers_keep_values(void **state)
{
    (void)state;
    assert_int_equal(dr(2, 0, 0x12345678), VS_ADVANCE);
    assert_int_equal(dr(2, 1, 0), VS_ADVANCE);
    assert_int_equal(f.state.gpr[VGPR_RBX], 0x12345678);
    assert_int_equal(dr(7, 0, 1), VS_ADVANCE);
    assert_int_equal(dr(5, 1, 0), VS_ADVANCE); /* DR5 is DR7 */
    assert_int_equal(f.state.gpr[VGPR_RBX], 0x401);
    f.state.cr4 = 1 << 3;
    assert_int_equal(dr(5, 1, 0), VS_EVENT);
    assert_int_equal(f.state.event, VEVENT_VALID | VEVENT_EXCEPTION | 6);
    use_long_mode();
    assert_int_equal(dr(7, 0, 1ull << 32), VS_EVENT);
    assert_int_equal(f.state.event, GP_EVENT);
}

static void debug_exceptions_go_on_to_the_guest(void **state)
{
    const uint64_t word[4] = {EXIT_EXCEPTION, VEVENT_VALID | VEVENT_EXCEPTION | 1, 0, 0x4000};

    (void)state;
    assert_int_equal(run_exit(&f.machine.vcpu[0], word, START), VS_EVENT);
    assert_int_equal(f.state.event, VEVENT_VALID | VEVENT_EXCEPTION | 1);
    dr(6, 1, 0);
    assert_int_equal(f.state.gpr[VGPR_RBX], 0xFFFF4FF0);
}

int main(void)
{
#define TEST(name, function) {name, function, set_up, tear_down, NULL}
    const struct CMUnitTest tests[] = {
        TEST("REGISTER-01: CR0 writes are left to the CPU but for the cache bits",
             cr0_is_left_to_the_cpu),
        TEST("REGISTER-02: setting CR4.VMXE is #GP", vmx_cannot_be_turned_on),
        TEST("REGISTER-03: CR8 is the task priority of the local APIC", cr8_is_the_task_priority),
        TEST("REGISTER-04: debug registers keep values, as in a CPU", debug_registers_keep_values),
        TEST("REGISTER-05: a debug exception goes on to the guest, with DR6",
             debug_exceptions_go_on_to_the_guest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
