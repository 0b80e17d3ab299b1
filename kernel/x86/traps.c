/* traps.c: the interrupt descriptor table, and what traps inside the kernel mean. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/x86/traps.h"

#include <stdbool.h>

#include "kernel/x86/asm.h"
#include "kernel/x86/cpu.h"

/* Interrupt gate in 64-bit mode, SDM 3A 6.14.1. */
struct idt_gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t ist;
    uint8_t attributes;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};

_Static_assert(sizeof(struct idt_gate) == 16, "gate: SDM 3A 6.14.1");

enum {
    GATE_INTERRUPT = 0x8e,      /* present, clears IF, for the kernel and hardware only */
    GATE_INTERRUPT_USER = 0xee, /* also for INT3 and INTO of user level */
};

/* Entries of the interrupt stack table, as cpu_adopt() fills them. */
enum { IST_NONE = 0, IST_NMI = 1, IST_DOUBLE_FAULT = 2, IST_MACHINE_CHECK = 3, IST_DEBUG = 4 };

enum { TRAP_STUB_SIZE = 12 }; /* traps.asm knows it too */

/* An instruction that may fault, and where to go on if it does; collected by kernel.ld. */
struct extable_entry {
    uint64_t instruction;
    uint64_t resume;
};

extern const struct extable_entry extable_start[], extable_end[];

extern const char trap_stubs[], trap_nmi_entry[], trap_double_fault_entry[],
    trap_machine_check_entry[], trap_debug_entry[];

static struct idt_gate idt[256] __attribute__((aligned(16)));

static const char *const exception_names[32] = {
    [0] = "division error",
    [1] = "debug exception",
    [2] = "NMI",
    [3] = "breakpoint",
    [4] = "overflow",
    [5] = "bound range exceeded",
    [6] = "invalid opcode",
    [7] = "no FPU",
    [8] = "double fault",
    [10] = "invalid TSS",
    [11] = "segment not present",
    [12] = "stack fault",
    [13] = "general protection",
    [14] = "page fault",
    [16] = "FPU error",
    [17] = "alignment check",
    [18] = "machine check",
    [19] = "SIMD error",
    [20] = "virtualization exception",
    [21] = "control protection",
};

static void set_gate(unsigned vector, const char *entry, uint8_t ist, uint8_t attributes)
{
    uint64_t offset = (uint64_t)entry;

    idt[vector] = (struct idt_gate){
        .offset_low = (uint16_t)offset,
        .selector = SEL_KERNEL_CODE,
        .ist = ist,
        .attributes = attributes,
        .offset_middle = (uint16_t)(offset >> 16),
        .offset_high = (uint32_t)(offset >> 32),
    };
}

void traps_init(void)
{
    for (unsigned vector = 0; vector < 256; vector++) {
        set_gate(vector, trap_stubs + vector * TRAP_STUB_SIZE, IST_NONE, GATE_INTERRUPT);
    }
    set_gate(VECTOR_BREAKPOINT, trap_stubs + VECTOR_BREAKPOINT * TRAP_STUB_SIZE, IST_NONE,
             GATE_INTERRUPT_USER);
    set_gate(VECTOR_OVERFLOW, trap_stubs + VECTOR_OVERFLOW * TRAP_STUB_SIZE, IST_NONE,
             GATE_INTERRUPT_USER);
    set_gate(VECTOR_NMI, trap_nmi_entry, IST_NMI, GATE_INTERRUPT);
    set_gate(VECTOR_DOUBLE_FAULT, trap_double_fault_entry, IST_DOUBLE_FAULT, GATE_INTERRUPT);
    set_gate(VECTOR_DEBUG, trap_debug_entry, IST_DEBUG, GATE_INTERRUPT);
    set_gate(VECTOR_MACHINE_CHECK, trap_machine_check_entry, IST_MACHINE_CHECK, GATE_INTERRUPT);
}

void traps_load(void)
{
    const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) idtr = {sizeof(idt) - 1, (uint64_t)idt};

    __asm__ volatile("lidt %0" : : "m"(idtr));
}

static const char *exception_name(uint64_t vector)
{
    const char *name = vector < 32 ? exception_names[vector] : NULL;

    return name != NULL ? name : "unknown exception";
}

static bool resume_at_fixup(struct regs *regs)
{
    if (regs->vector != VECTOR_GENERAL_PROTECTION && regs->vector != VECTOR_PAGE_FAULT) {
        return false;
    }
    for (const struct extable_entry *entry = extable_start; entry < extable_end; entry++) {
        if (entry->instruction == regs->rip) {
            regs->rip = entry->resume;
            return true;
        }
    }
    return false;
}

void trap_kernel(struct regs *regs)
{
    if (!resume_at_fixup(regs)) {
        panic_regs(regs, "%s in the kernel", exception_name(regs->vector));
    }
}

void trap_nmi(struct regs *regs)
{
    panic_stop_if_asked();
    nmi_handle(regs);
}

void trap_fatal(struct regs *regs)
{
    panic_stop_if_asked();
    panic_regs(regs, "%s", exception_name(regs->vector));
}
