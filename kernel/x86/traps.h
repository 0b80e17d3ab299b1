/* traps.h: exceptions and interrupts, from the stubs of traps.asm to those who handle them. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_X86_TRAPS_H
#define KERNEL_X86_TRAPS_H

#include <stdnoreturn.h>

#include "kernel/x86/regs.h"

/*
 * Who calls whom (SDM 3A chapter 6):
 *
 *   user mode, any vector       regs in the current thread -> trap_user() -> return_to_current
 *   idle CPU, vector >= 32      interrupt_handle() -> return_to_current
 *   kernel, exception           trap_kernel(): resumes at an extable fix-up, or panics
 *   any, NMI                    trap_nmi() -> nmi_handle(), then back to what was interrupted
 *   any, #DF and #MC            trap_fatal(): panics
 *
 * All of them run with interrupts off and with this CPU's GS base. For the first two the stack is
 * the CPU's kernel stack, empty; return_to_current is a label to jump to, not a function.
 */

/* Provided by the upper layers. */
void trap_user(struct regs *regs);
void interrupt_handle(unsigned vector);

/*
 * Must not fault, take a lock or log: the code it interrupts is any code. It may change 'regs'
 * with care, as it returns to them.
 */
void nmi_handle(struct regs *regs);

/* Called by the stubs only. */
void trap_kernel(struct regs *regs);
void trap_nmi(struct regs *regs);
noreturn void trap_fatal(struct regs *regs);

/* Builds the interrupt descriptor table; boot CPU, once. */
void traps_init(void);

/* Loads it into the calling CPU. */
void traps_load(void);

/* As panic(), with the registers of the trap instead of the caller's. */
noreturn void panic_regs(const struct regs *regs, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold));

/* Stops this CPU for good if another one panicked; trap_nmi() calls it first. */
void panic_stop_if_asked(void);

#endif
