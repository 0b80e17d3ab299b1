/* exit_test.c: exits that need the guest's memory: devices in memory, and string I/O. */
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
#include "kernel/abi/message.h"
#include "vmm/test/machine_fixture.h"

#define PF_EVENT (VEVENT_VALID | VEVENT_EXCEPTION | VEVENT_ERROR | 14)
#define COM1 0x3F8

/* Puts code at 0x1000, where the guest is. */
static void code(const char *bytes, size_t count)
{
    memset(ram(0x1000), 0x90, 32);
    memcpy(ram(0x1000), bytes, count);
    f.state.rip = 0x1000;
}

static uint64_t access_memory(uint64_t gpa, unsigned access)
{
    f.state.event = 0;
    return play(START, EXIT_MEMORY, gpa, access);
}

static void reads_the_lapic(void **state)
{
    (void)state;
    code("\xA1\x30\x00\xE0\xFE", 5); /* mov eax, [0xfee00030] */
    f.state.interruptibility = VINT_STI;
    assert_int_equal(access_memory(0xFEE00030, FAULT_READ), VS_IP);
    assert_int_equal(f.state.rip, 0x1005);
    assert_int_equal(f.state.gpr[VGPR_RAX] & 0xFF, 0x14); /* version of an integrated APIC */
    assert_int_equal(f.state.interruptibility, 0);
}

static void changed_code_is_decoded_anew(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        code("\xA1\x30\x00\xE0\xFE", 5); /* mov eax, [0xfee00030] */
        f.state.gpr[VGPR_RAX] = 0;
        assert_int_equal(access_memory(0xFEE00030, FAULT_READ), VS_IP);
        assert_int_equal(f.state.gpr[VGPR_RAX] & 0xFF, 0x14);
        code("\x8B\x0D\x30\x00\xE0\xFE", 6); /* mov ecx, [0xfee00030] */
        f.state.gpr[VGPR_RCX] = 0;
        assert_int_equal(access_memory(0xFEE00030, FAULT_READ), VS_IP);
        assert_int_equal(f.state.gpr[VGPR_RCX] & 0xFF, 0x14);
        assert_int_equal(f.state.rip, 0x1006);
    }
}

static void reads_through_page_tables(void **state)
{
    (void)state;
    use_long_mode();
    code("\x45\x8B\x45\x30", 4); /* mov r8d, [r13 + 0x30] */
    f.state.gpr[8] = UINT64_MAX;
    f.state.gpr[13] = 0x600000;
    f.state.rip = 0x400000;
    assert_int_equal(access_memory(0xFEE00030, FAULT_READ), VS_IP);
    assert_int_equal(f.state.rip, 0x400004);
    assert_int_equal(f.state.gpr[8] & 0xFF, 0x14);
    assert_int_equal(f.state.gpr[8] >> 32, 0);
}

static void another_place_is_another_instruction(void **state)
{
    (void)state;
    code("\xA1\x30\x00\xE0\xFE", 5); /* mov eax, [0xfee00030] */
    memcpy(ram(0x1020), "\x8B\x0D\x30\x00\xE0\xFE", 6); /* mov ecx, [0xfee00030] */
    assert_int_equal(access_memory(0xFEE00030, FAULT_READ), VS_IP);
    f.state.rip = 0x1020;
    assert_int_equal(access_memory(0xFEE00030, FAULT_READ), VS_IP);
    assert_int_equal(f.state.gpr[VGPR_RCX] & 0xFF, 0x14);
}

static void remapped_code_is_fetched_anew(void **state)
{
    (void)state;
    use_long_mode();
    f.state.gpr[13] = 0x600000;
    code("\x45\x8B\x45\x30", 4); /* mov r8d, [r13 + 0x30] */
    memcpy(ram(0x3000), "\x45\x8B\x4D\x30", 4); /* mov r9d, [r13 + 0x30] */
    f.state.rip = 0x400000;
    assert_int_equal(access_memory(0xFEE00030, FAULT_READ), VS_IP);
    put_entry(TABLES + 0x3000, 0, 0x3000 | 3);
    f.state.rip = 0x400000;
    assert_int_equal(access_memory(0xFEE00030, FAULT_READ), VS_IP);
    assert_int_equal(f.state.gpr[9] & 0xFF, 0x14);
}

static void a_timer_in_memory_is_armed(void **state)
{
    (void)state;
    pc_mmio_write(&f.machine.pc, 0, 0xFEE000F0, 4, START, 0x1FF);
    pc_mmio_write(&f.machine.pc, 0, 0xFEE00320, 4, START, 0x40);
    pc_mmio_write(&f.machine.pc, 0, 0xFEE003E0, 4, START, 0xB); /* divide by 1: 100 MHz */
    code("\xA3\x80\x03\xE0\xFE", 5); /* mov [0xfee00380], eax */
    f.state.gpr[VGPR_RAX] = 100;
    assert_int_equal(access_memory(0xFEE00380, FAULT_WRITE), VS_IP);
    assert_int_equal(f.timer, START + TSC_HZ / 1000000);
}

static void code_at_the_end_of_memory_counts(void **state)
{
    (void)state;
    f.state.rip = RAM_SIZE - 5;
    memcpy(ram(f.state.rip), "\xA1\x30\x00\xE0\xFE", 5);
    assert_int_equal(access_memory(0xFEE00030, FAULT_READ), VS_IP);
    assert_int_equal(f.state.rip, RAM_SIZE);
    assert_int_equal(f.state.gpr[VGPR_RAX] & 0xFF, 0x14);
}

static void moves_from_a_device_to_memory(void **state)
{
    (void)state;
    use_long_mode();
    code("\xF3\xA5", 2); /* rep movsd */
    f.state.gpr[VGPR_RSI] = 0x600030;
    f.state.gpr[VGPR_RDI] = 0x800010;
    f.state.gpr[VGPR_RCX] = 1;
    f.state.rip = 0x400000;
    assert_int_equal(access_memory(0xFEE00030, FAULT_READ), VS_IP);
    assert_int_equal(*ram(0x2010), 0x14);
    assert_int_equal(f.state.gpr[VGPR_RCX], 0);
    /* The copy's target is dirty in the guest's page tables now. */
    assert_int_equal(*ram(TABLES + 0x5000) & 0x60, 0x60);
}

static void the_other_operand_may_fault(void **state)
{
    (void)state;
    use_long_mode();
    code("\xF3\xA5", 2); /* rep movsd */
    f.state.gpr[VGPR_RSI] = 0x600030;
    f.state.gpr[VGPR_RDI] = 0x801000;
    f.state.gpr[VGPR_RCX] = 1;
    f.state.rip = 0x400000;
    assert_int_equal(access_memory(0xFEE00030, FAULT_READ), VS_CR | VS_EVENT);
    assert_int_equal(f.state.event, PF_EVENT);
    assert_int_equal(f.state.event_error, 2);
    assert_int_equal(f.state.cr2, 0x801000);
    assert_int_equal(f.state.rip, 0x400000);
}

static void nothing_reads_all_ones(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        code("\xA1\x00\x00\x00\xD0", 5); /* mov eax, [0xd0000000] */
        f.state.gpr[VGPR_RAX] = 0;
        assert_int_equal(access_memory(0xD0000000, FAULT_READ), VS_IP);
        assert_int_equal(f.state.gpr[VGPR_RAX], 0xFFFFFFFF);
    }
    code("\xA3\x00\x00\x00\xD0", 5); /* mov [0xd0000000], eax */
    assert_int_equal(access_memory(0xD0000000, FAULT_WRITE), VS_IP);
    assert_non_null(strstr(f.log, "0xd0000000"));
    assert_true(strlen(f.log) < 2048);
}

static void unknown_instructions_end_the_guest(void **state)
{
    (void)state;
    code("\x0F\x11\x05\x00\x00\xE0\xFE", 7); /* movups [0xfee00000], xmm0 */
    assert_int_equal(access_memory(0xFEE00000, FAULT_WRITE), RUN_END);
    assert_int_equal(f.machine.reason, END_REFUSED);
    assert_non_null(strstr(f.log, "0xfee00000"));
    assert_non_null(strstr(f.log, "rip 0x1000"));
    assert_non_null(strstr(f.log, "0f 11 05 00 00 e0 fe"));
}

static void code_outside_memory_ends_the_guest(void **state)
{
    (void)state;
    assert_int_equal(access_memory(0xD0000000, FAULT_EXEC), RUN_END);
    assert_non_null(strstr(f.log, "instruction fetch from 0xd0000000"));
}

static void delivery_into_nothing_ends_the_guest(void **state)
{
    (void)state;
    f.state.event = PF_EVENT;
    assert_int_equal(play(START, EXIT_MEMORY, 0xD0000000, FAULT_WRITE), RUN_END);
    assert_non_null(strstr(f.log, "delivery"));
}

static uint64_t string_io(uint64_t flags)
{
    assert_int_equal(play(START, EXIT_IO, COM1 | 1u << 16 | VIO_STRING | flags, 0), 0);
    assert_int_equal(f.groups[EXIT_IO], VS_IP | VS_CR | VS_SEGMENT);
    return play(START, EXIT_IO, COM1 | 1u << 16 | VIO_STRING | flags, 0);
}

static void outs_writes_a_string(void **state)
{
    (void)state;
    code("\xF3\x6E", 2); /* rep outsb */
    memcpy(ram(0x2FFD), "string\n", 7);
    f.state.gpr[VGPR_RSI] = 0x2FFD;
    f.state.gpr[VGPR_RCX] = 7;
    assert_int_equal(string_io(VIO_REP), VS_IP);
    assert_string_equal(f.output, "string\n");
    assert_int_equal(f.state.rip, 0x1002);
    assert_int_equal(f.state.gpr[VGPR_RCX], 0);
    assert_int_equal(f.state.gpr[VGPR_RSI], 0x3004);
}

static void outs_takes_an_element_from_two_pages(void **state)
{
    const uint64_t what = 0x604 | 2u << 16 | VIO_STRING;

    (void)state;
    use_long_mode();
    put_entry(TABLES + 0x5000, 1, 0x5000 | 3);
    code("\x66\x6F", 2); /* outsw */
    *ram(0x5000) = 5 << 2 | 1 << 5; /* the upper half of S5's value; the lower is 0 */
    f.state.gpr[VGPR_RSI] = 0x800FFF;
    f.state.rip = 0x400000;
    assert_int_equal(play(START, EXIT_IO, what, 0), 0);
    assert_int_equal(play(START, EXIT_IO, what, 0), RUN_END);
    assert_int_equal(f.machine.reason, END_POWER_OFF);
}

static void ins_reads_backwards(void **state)
{
    (void)state;
    code("\x6C", 1); /* insb */
    f.state.rflags |= 1 << 10;
    out_byte(START, COM1 + 2, 0x01);
    f.input = "x";
    notice(START, NOTICE_INPUT);
    f.state.gpr[VGPR_RDI] = 0x2000;
    assert_int_equal(string_io(VIO_IN), VS_IP);
    assert_int_equal(*ram(0x2000), 'x');
    assert_int_equal(f.state.gpr[VGPR_RDI], 0x1FFF);
    assert_int_equal(f.state.rip, 0x1001);
}

static void strings_fault_between_elements(void **state)
{
    (void)state;
    use_long_mode();
    code("\xF3\x6E", 2); /* rep outsb */
    memcpy(ram(0x2FFD), "abc", 3);
    f.state.gpr[VGPR_RSI] = 0x800FFD;
    f.state.gpr[VGPR_RCX] = 10;
    f.state.rip = 0x400000;
    assert_int_equal(string_io(VIO_REP), VS_CR | VS_EVENT);
    assert_int_equal(f.state.event, PF_EVENT);
    assert_int_equal(f.state.event_error, 0);
    assert_int_equal(f.state.cr2, 0x801000);
    assert_int_equal(f.state.gpr[VGPR_RCX], 7);
    assert_int_equal(f.state.gpr[VGPR_RSI], 0x801000);
    assert_int_equal(f.state.rip, 0x400000);
}

int main(void)
{
#define TEST(name, function) {name, function, set_up, tear_down, NULL}
    const struct CMUnitTest tests[] = {
        TEST("EXIT-01: the local APIC is read in protected mode", reads_the_lapic),
        TEST("EXIT-02: code that changed in place is decoded anew", changed_code_is_decoded_anew),
        TEST("EXIT-03: the local APIC is read through the guest's page tables",
             reads_through_page_tables),
        TEST("EXIT-04: an instruction may end where memory ends",
             code_at_the_end_of_memory_counts),
        TEST("EXIT-05: MOVS copies from a device to memory", moves_from_a_device_to_memory),
        TEST("EXIT-06: a page fault of the other operand is the guest's",
             the_other_operand_may_fault),
        TEST("EXIT-07: memory that nobody decodes reads all ones, and the log is not flooded",
             nothing_reads_all_ones),
        TEST("EXIT-08: an unknown instruction ends the guest and is shown",
             unknown_instructions_end_the_guest),
        TEST("EXIT-09: code where no memory is ends the guest",
             code_outside_memory_ends_the_guest),
        TEST("EXIT-10: an event delivered to where no memory is ends the guest",
             delivery_into_nothing_ends_the_guest),
        TEST("EXIT-11: REP OUTS writes a string across pages", outs_writes_a_string),
        TEST("EXIT-12: INS goes backwards with DF", ins_reads_backwards),
        TEST("EXIT-13: REP OUTS stops at a page fault, with its registers right",
             strings_fault_between_elements),
        TEST("EXIT-14: another place in memory is another instruction",
             another_place_is_another_instruction),
        TEST("EXIT-15: code at an address that is mapped elsewhere now is fetched anew",
             remapped_code_is_fetched_anew),
        TEST("EXIT-16: a timer that is started through memory is armed",
             a_timer_in_memory_is_armed),
        TEST("EXIT-17: OUTS takes an element that lies in two pages",
             outs_takes_an_element_from_two_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
