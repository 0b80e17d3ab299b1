/* run_test.c: plays exits and signals against a machine and looks at its answers. */
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
#define COM1 0x3F8

static void cpuid_is_cheap(void **state)
{
    (void)state;
    f.state.gpr[VGPR_RAX] = 0x40000000;
    assert_int_equal(play(START, EXIT_CPUID, 0, 0), VS_ADVANCE);
    assert_memory_equal(&f.state.gpr[VGPR_RBX], "Quir", 4);
    assert_int_equal(f.timers, 0);
    f.state.gpr[VGPR_RAX] = 0x40000000;
    f.state.gpr[VGPR_RBX] = 0;
    f.state.gpr[VGPR_RCX] = 0;
    assert_int_equal(play(START, EXIT_CPUID, 0, 0), VS_ADVANCE);
    assert_memory_equal(&f.state.gpr[VGPR_RBX], "Quir", 4);
}

static uint32_t features_ecx(void)
{
    f.state.gpr[VGPR_RAX] = 1;
    f.state.gpr[VGPR_RCX] = 0;
    assert_int_equal(play(START, EXIT_CPUID, 0, 0), VS_ADVANCE);
    return (uint32_t)f.state.gpr[VGPR_RCX];
}

static void cpuid_follows_cr4(void **state)
{
    (void)state;
    f.state.gpr[VGPR_RAX] = 1;
    assert_int_equal(play(START, EXIT_CPUID, 0, 0), 0);
    assert_int_equal(f.groups[EXIT_CPUID], VS_IP | VS_CR);
    assert_int_equal(features_ecx() >> 27 & 1, 0);
    f.state.cr4 |= 1u << 18;
    assert_int_equal(features_ecx() >> 27 & 1, 1);
    f.state.cr4 &= ~(1u << 18);
    assert_int_equal(features_ecx() >> 27 & 1, 0);
}

static void serial_goes_out_by_lines(void **state)
{
    (void)state;
    for (const char *c = "hello\n"; *c != 0; c++) {
        assert_string_equal(f.output, "");
        assert_int_equal(out_byte(START, COM1, (uint8_t)*c), VS_ADVANCE);
    }
    assert_string_equal(f.output, "hello\n");
}

static void prompt_goes_out_in_time(void **state)
{
    (void)state;
    out_byte(START, COM1, '#');
    assert_int_equal(f.timer, START + TSC_HZ / 100);
    assert_int_equal(notice(f.timer - 1, NOTICE_TIMER), RUN_NONE);
    assert_string_equal(f.output, "");
    assert_int_equal(f.timer, START + TSC_HZ / 100);
    assert_int_equal(notice(f.timer, NOTICE_TIMER), RUN_NONE);
    assert_string_equal(f.output, "#");
}

static void prompt_goes_out_at_halt(void **state)
{
    (void)state;
    out_byte(START, COM1, '#');
    assert_int_equal(play(START, EXIT_HLT, 0, 0), RUN_HOLD);
    assert_string_equal(f.output, "#");
}

static void in_keeps_the_rest_of_rax(void **state)
{
    (void)state;
    f.state.gpr[VGPR_RAX] = 0x1122334455667788;
    assert_int_equal(play(START, EXIT_IO, VIO_IN | 0x80 | 1u << 16, 0), VS_ADVANCE);
    assert_int_equal(f.state.gpr[VGPR_RAX], 0x11223344556677FF);
    assert_int_equal(play(START, EXIT_IO, VIO_IN | 0x80 | 2u << 16, 0), VS_ADVANCE);
    assert_int_equal(f.state.gpr[VGPR_RAX], 0x112233445566FFFF);
    assert_int_equal(play(START, EXIT_IO, VIO_IN | 0x80 | 4u << 16, 0), VS_ADVANCE);
    assert_int_equal(f.state.gpr[VGPR_RAX], 0xFFFFFFFF);
}

static void timer_is_set_once(void **state)
{
    (void)state;
    use_deadline_timer(0x40);
    assert_int_equal(write_msr(START, 0x6E0, 5000), VS_ADVANCE);
    assert_int_equal(f.timers, 1);
    assert_int_equal(f.timer, 5000);
    out_byte(START, 0x80, 0);
    write_msr(START, 0x6E0, 9000);
    assert_int_equal(f.timers, 1);
    /* It goes off for what is no longer due, and is set again. */
    assert_int_equal(notice(5000, NOTICE_TIMER), RUN_NONE);
    assert_int_equal(f.kicks, 0);
    assert_int_equal(f.timer, 9000);
}

static void halt_ends_with_the_timer(void **state)
{
    (void)state;
    use_deadline_timer(0x40);
    write_msr(START, 0x6E0, 5000);
    f.state.interruptibility = VINT_STI; /* STI; HLT */
    assert_int_equal(play(2000, EXIT_HLT, 0, 0), RUN_HOLD);
    assert_int_equal(notice(3000, NOTICE_INPUT), RUN_HOLD);
    assert_int_equal(notice(5000, NOTICE_TIMER), VS_ADVANCE | VS_EVENT);
    assert_int_equal(f.state.event, VEVENT_VALID | VEVENT_INTERRUPT | 0x40);
    assert_int_equal(f.kicks, 0);
}

static void halt_with_something_due_goes_on(void **state)
{
    (void)state;
    use_deadline_timer(0x40);
    write_msr(START, 0x6E0, 5000);
    assert_int_equal(play(6000, EXIT_HLT, 0, 0), VS_ADVANCE | VS_EVENT);
    assert_int_equal(f.state.event, VEVENT_VALID | VEVENT_INTERRUPT | 0x40);
}

static void halt_for_ever_ends_the_guest(void **state)
{
    (void)state;
    f.state.rflags = 2;
    assert_int_equal(play(START, EXIT_HLT, 0, 0), RUN_END);
    assert_int_equal(f.machine.reason, END_HALT);
}

static void a_running_guest_is_kicked_once(void **state)
{
    (void)state;
    use_deadline_timer(0x40);
    write_msr(START, 0x6E0, 5000);
    assert_int_equal(notice(5000, NOTICE_TIMER), RUN_NONE);
    assert_int_equal(f.kicks, 1);
    assert_int_equal(notice(5001, NOTICE_INPUT), RUN_NONE);
    assert_int_equal(f.kicks, 1);
    assert_int_equal(play(5002, EXIT_KICK, 0, 0), VS_EVENT);
    assert_int_equal(f.state.event, VEVENT_VALID | VEVENT_INTERRUPT | 0x40);
    f.state.event = 0;
    assert_int_equal(play(5003, EXIT_KICK, 0, 0), 0);
}

static void interrupts_off_asks_for_a_window(void **state)
{
    (void)state;
    use_deadline_timer(0x40);
    write_msr(START, 0x6E0, 5000);
    f.state.rflags = 2;
    notice(5000, NOTICE_TIMER);
    assert_int_equal(play(5001, EXIT_KICK, 0, 0), VS_WINDOW);
    assert_int_equal(f.state.interrupt_window, 1);
    /* It is asked for already; nothing changes until it comes. */
    assert_int_equal(out_byte(5002, 0x80, 0), VS_ADVANCE);
    assert_int_equal(notice(5003, NOTICE_INPUT), RUN_NONE);
    f.machine.vcpu[0].attention = true; /* as if another interrupt had come */
    assert_int_equal(notice(5003, 0), RUN_NONE);
    assert_int_equal(f.kicks, 1);
    f.state.rflags = 0x202;
    assert_int_equal(play(5004, EXIT_WINDOW, 0, 0), VS_EVENT);
    assert_int_equal(f.state.event, VEVENT_VALID | VEVENT_INTERRUPT | 0x40);
}

static void a_shadow_is_kept_but_at_instructions(void **state)
{
    (void)state;
    use_deadline_timer(0x40);
    write_msr(START, 0x6E0, 5000);
    notice(5000, NOTICE_TIMER);
    f.state.interruptibility = VINT_MOV_SS;
    assert_int_equal(play(5001, EXIT_KICK, 0, 0), VS_WINDOW);
    f.state.interruptibility = VINT_STI;
    use_deadline_timer(0x50);
    write_msr(5002, 0x6E0, 5003);
    pc_tick(&f.machine.pc, 5003);
    /* Behind the instruction the shadow is over, and the window not needed any more. */
    uint64_t answer = out_byte(5003, 0x80, 0);

    assert_int_equal(answer & (VS_ADVANCE | VS_EVENT), VS_ADVANCE | VS_EVENT);
    assert_int_equal(f.state.event, VEVENT_VALID | VEVENT_INTERRUPT | 0x50);
}

static void a_pending_event_is_kept(void **state)
{
    const uint32_t page_fault = VEVENT_VALID | VEVENT_EXCEPTION | VEVENT_ERROR | 14;

    (void)state;
    use_deadline_timer(0x40);
    write_msr(START, 0x6E0, 5000);
    notice(5000, NOTICE_TIMER);
    f.state.event = page_fault;
    assert_int_equal(play(5001, EXIT_KICK, 0, 0), VS_WINDOW);
    assert_int_equal(f.state.event, page_fault);
    assert_int_not_equal(pc_pending(&f.machine.pc, 0), PC_NO_VECTOR);
}

static void unknown_msr_faults(void **state)
{
    (void)state;
    f.state.gpr[VGPR_RCX] = 0x12345;
    assert_int_equal(play(START, EXIT_MSR_READ, 0, 0), VS_EVENT);
    assert_int_equal(f.state.event, GP_EVENT);
    assert_int_equal(f.state.event_error, 0);
    assert_non_null(strstr(f.log, "0x12345"));
    assert_int_equal(write_msr(START, 0x12345, 0), VS_EVENT);
    /* A flood of them is not a flood of lines. */
    for (unsigned i = 0; i < 1000; i++) {
        play(START, EXIT_MSR_READ, 0, 0);
    }
    assert_true(strlen(f.log) < 2048);
}

static void tsc_is_the_hosts(void **state)
{
    (void)state;
    assert_int_equal(write_msr(START, 0x10, 7), VS_ADVANCE);
    f.state.gpr[VGPR_RCX] = 0x10;
    assert_int_equal(play(0x500000007, EXIT_MSR_READ, 0, 0), VS_ADVANCE);
    assert_int_equal(f.state.gpr[VGPR_RAX], 7);
    assert_int_equal(f.state.gpr[VGPR_RDX], 5);
}

static void ends_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(out_byte(START, 0xF4, 7), RUN_END);
    assert_int_equal(f.machine.reason, END_DEBUG_EXIT);
    assert_int_equal(f.machine.value, 7);
}

static void power_off_ends(void **state)
{
    (void)state;
    f.state.gpr[VGPR_RAX] = 5u << 10 | 1u << 13;
    assert_int_equal(play(START, EXIT_IO, 0x604 | 2u << 16, 0), RUN_END);
    assert_int_equal(f.machine.reason, END_POWER_OFF);
}

static void reset_ends(void **state)
{
    (void)state;
    assert_int_equal(out_byte(START, 0x64, 0xFE), RUN_END);
    assert_int_equal(f.machine.reason, END_RESET);
}

static void triple_fault_ends(void **state)
{
    (void)state;
    assert_int_equal(play(START, EXIT_TRIPLE_FAULT, 0, 0), RUN_END);
    assert_int_equal(f.machine.reason, END_CRASH);
    assert_non_null(strstr(f.log, "rip 0x1000"));
}

static void bad_entry_ends(void **state)
{
    (void)state;
    assert_int_equal(play(START, EXIT_ENTRY_FAILED, 33, 0), RUN_END);
    assert_int_equal(f.machine.reason, END_REFUSED);
    assert_non_null(strstr(f.log, "0x21"));
}

static void hidden_instructions_are_undefined(void **state)
{
    (void)state;
    assert_int_equal(play(START, EXIT_PRIVILEGED, 18, 0), VS_EVENT);
    assert_int_equal(f.state.event, VEVENT_VALID | VEVENT_EXCEPTION | 6);
}

static void input_reaches_the_port(void **state)
{
    char text[40] = "";

    (void)state;
    out_byte(START, COM1 + 2, 0x01); /* FIFO on */
    f.input = "0123456789abcdefghijklmnopqrst";
    notice(START, NOTICE_INPUT);
    for (unsigned i = 0; i < 30; i++) {
        play(START, EXIT_IO, VIO_IN | COM1 | 1u << 16, 0);
        text[i] = (char)f.state.gpr[VGPR_RAX];
    }
    assert_string_equal(text, "0123456789abcdefghijklmnopqrst");
}

static void xcr0_is_checked(void **state)
{
    (void)state;
    f.state.gpr[VGPR_RAX] = 7;
    assert_int_equal(play(START, EXIT_XSETBV, 0, 0), VS_ADVANCE | VS_XCR0);
    assert_int_equal(f.state.xcr0, 7);
    f.state.gpr[VGPR_RAX] = 5; /* AVX without SSE */
    assert_int_equal(play(START, EXIT_XSETBV, 0, 0), VS_EVENT);
    assert_int_equal(f.state.event, GP_EVENT);
    assert_int_equal(f.state.xcr0, 7);
}

int main(void)
{
#define TEST(name, function) {name, function, set_up, tear_down, NULL}
    const struct CMUnitTest tests[] = {
        TEST("RUN-01: CPUID is answered twice alike, without a system call", cpuid_is_cheap),
        TEST("RUN-02: CPUID leaf 1 asks for CR4 first, and follows it", cpuid_follows_cr4),
        TEST("RUN-03: serial output goes out by lines", serial_goes_out_by_lines),
        TEST("RUN-04: a line that does not end goes out in 10 ms", prompt_goes_out_in_time),
        TEST("RUN-05: a line that does not end goes out at HLT", prompt_goes_out_at_halt),
        TEST("RUN-06: IN changes as much of RAX as a CPU would", in_keeps_the_rest_of_rax),
        TEST("RUN-07: the timer is set only for what comes earlier", timer_is_set_once),
        TEST("RUN-08: HLT waits for the timer and gets its vector", halt_ends_with_the_timer),
        TEST("RUN-09: HLT with a timer that is due goes on", halt_with_something_due_goes_on),
        TEST("RUN-10: HLT with interrupts off ends the guest", halt_for_ever_ends_the_guest),
        TEST("RUN-11: a running guest is kicked once, then interrupted",
             a_running_guest_is_kicked_once),
        TEST("RUN-12: with IF = 0 a window is asked for, and used",
             interrupts_off_asks_for_a_window),
        TEST("RUN-13: an interrupt shadow holds, but ends behind an emulated instruction",
             a_shadow_is_kept_but_at_instructions),
        TEST("RUN-14: a pending event is not overwritten", a_pending_event_is_kept),
        TEST("RUN-15: an unknown MSR is #GP(0), and the log is not flooded", unknown_msr_faults),
        TEST("RUN-16: the guest's TSC is the host's, and stays it", tsc_is_the_hosts),
        TEST("RUN-17: a write to port 0xf4 ends the guest with its value", ends_are_told_apart),
        TEST("RUN-18: S5 ends the guest by power-off", power_off_ends),
        TEST("RUN-19: the keyboard controller's pulse ends the guest by reset", reset_ends),
        TEST("RUN-20: a triple fault ends the guest and shows its state", triple_fault_ends),
        TEST("RUN-21: a state that the CPU refuses ends the guest with its error", bad_entry_ends),
        TEST("RUN-22: what no guest has is #UD", hidden_instructions_are_undefined),
        TEST("RUN-23: no input is lost, however full the FIFO is", input_reaches_the_port),
        TEST("RUN-24: XSETBV sets what is allowed, else #GP", xcr0_is_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
