/* panic.c: stops all CPUs, and shows where the kernel was. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/panic.h"

#include <stdarg.h>

#include "kernel/lib/bits.h"
#include "kernel/lib/log.h"
#include "kernel/x86/asm.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/lapic.h"
#include "kernel/x86/layout.h"
#include "kernel/x86/symbols.h"
#include "kernel/x86/traps.h"

enum { BACKTRACE_LINES = 24 };

/* The CPU that panics, + 1; 0 while none does. */
static uint32_t panic_owner;

static noreturn void stop(void)
{
    for (;;) {
        interrupts_disable();
        halt();
    }
}

void panic_stop_if_asked(void)
{
    if (__atomic_load_n(&panic_owner, __ATOMIC_ACQUIRE) != 0) {
        stop();
    }
}

static bool in_text(uint64_t address)
{
    return address >= (uint64_t)kernel_start && address < (uint64_t)kernel_text_end;
}

/* 'back': 1 for return addresses, as the call may be the last instruction of its function. */
static void show_address(const char *what, uint64_t address, uint64_t back)
{
    uint64_t offset;
    const char *name = in_text(address) ? symbols_find(address - back, &offset) : NULL;

    if (name != NULL) {
        klog("%s %016lx %s+0x%lx\n", what, address, name, offset + back);
    } else {
        klog("%s %016lx\n", what, address);
    }
}

/*
 * Whether the bytes before an address in the text are a call: E8 with 32 bits, or FF /2 through a
 * register or memory, which has 2 to 7 bytes.
 */
static bool follows_call(uint64_t address)
{
    const uint8_t *code = (const uint8_t *)address;

    if (address < (uint64_t)kernel_start + 7) {
        return false;
    }
    if (code[-5] == 0xe8) {
        return true;
    }
    for (int length = 2; length <= 7; length++) {
        if (code[-length] == 0xff && (code[-length + 1] & 0x38) == 0x10) {
            return true;
        }
    }
    return false;
}

/* The part of a stack in use. */
struct stack_part {
    uint64_t start, end;
};

/* What is in use of the stack that a stack pointer belongs to; empty if it is none of this CPU. */
static struct stack_part stack_part(uint64_t pointer)
{
    const struct cpu_area *area = (const struct cpu_area *)cpu_this();
    uint64_t guard = (uint64_t)area->guard;
    uint64_t stack = (uint64_t)area->stack;

    if (pointer >= guard && pointer < (uint64_t)(area + 1)) {
        return (struct stack_part){pointer > stack ? pointer : stack, (uint64_t)(area + 1)};
    }
    if (pointer >= (uint64_t)&area->nmi && pointer < guard) {
        return (struct stack_part){pointer, align_up(pointer + 1, IST_STACK_SIZE)};
    }
    return (struct stack_part){0, 0};
}

/*
 * The kernel keeps no frame pointers: every word of the stack that could be a return address is
 * shown, so some lines may be left over from earlier calls.
 */
static void show_backtrace(uint64_t pointer)
{
    struct stack_part part = stack_part(align_up(pointer, 8));
    unsigned lines = 0;

    klog("backtrace, perhaps with older calls:\n");
    for (uint64_t at = part.start; at < part.end && lines < BACKTRACE_LINES; at += 8) {
        uint64_t word = *(const uint64_t *)at;

        if (in_text(word) && follows_call(word)) {
            show_address("   ", word, 1);
            lines++;
        }
    }
}

static void show_control_registers(void)
{
    klog("cr0 %016lx cr2 %016lx cr3 %016lx cr4 %016lx\n", read_cr0(), read_cr2(), read_cr3(),
         read_cr4());
}

static void show_registers(const struct regs *r)
{
    klog("vector %lu error 0x%lx\n", r->vector, r->error);
    show_address("rip", r->rip, 0);
    klog("cs %04lx ss %04lx rflags %08lx\n", r->cs, r->ss, r->rflags);
    klog("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", r->rax, r->rbx, r->rcx, r->rdx);
    klog("rsi %016lx rdi %016lx rbp %016lx rsp %016lx\n", r->rsi, r->rdi, r->rbp, r->rsp);
    klog("r8  %016lx r9  %016lx r10 %016lx r11 %016lx\n", r->r8, r->r9, r->r10, r->r11);
    klog("r12 %016lx r13 %016lx r14 %016lx r15 %016lx\n", r->r12, r->r13, r->r14, r->r15);
}

/* Lets one CPU pass, once; the rest stops here. */
static void claim(void)
{
    uint32_t self = cpu_this()->id + 1;
    uint32_t none = 0;

    interrupts_disable();
    if (!__atomic_compare_exchange_n(&panic_owner, &none, self, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        if (none == self) {
            klog("panic: another fault while reporting the first\n");
        }
        stop();
    }
    lapic_send_nmi_others();
    log_break_lock();
    log_serial_enable(true);
}

void panic(const char *format, ...)
{
    va_list arguments;

    claim();
    klog("\npanic on CPU %u: ", cpu_this()->id);
    va_start(arguments, format);
    klog_v(format, arguments);
    va_end(arguments);
    klog("\n");
    show_control_registers();
    show_backtrace((uint64_t)__builtin_frame_address(0));
    stop();
}

void panic_regs(const struct regs *regs, const char *format, ...)
{
    va_list arguments;

    claim();
    klog("\npanic on CPU %u: ", cpu_this()->id);
    va_start(arguments, format);
    klog_v(format, arguments);
    va_end(arguments);
    klog("\n");
    show_registers(regs);
    show_control_registers();
    show_backtrace(regs->rsp);
    stop();
}
