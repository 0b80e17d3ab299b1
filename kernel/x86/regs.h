/* regs.h: the registers of an interrupted thread, as the trap stubs store them. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_X86_REGS_H
#define KERNEL_X86_REGS_H

#include <stddef.h>
#include <stdint.h>

/*
 * The CPU pushes the last five, the stubs (traps.asm) the rest, in this order. In 64-bit mode the
 * CPU rounds the stack pointer down to 16 before it pushes (SDM 3A 6.14.2), and TSS.RSP0 is the
 * end of a thread's struct regs: hence the alignment. Offsets for NASM are in regs.inc.
 */
struct regs {
    uint64_t r15, r14, r13, r12, rbp, rbx;
    uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
} __attribute__((aligned(16)));

_Static_assert(sizeof(struct regs) == 176, "struct regs: as in regs.inc");
_Static_assert(offsetof(struct regs, rbx) == 40, "struct regs: as in regs.inc");
_Static_assert(offsetof(struct regs, rax) == 80, "struct regs: as in regs.inc");
_Static_assert(offsetof(struct regs, rdi) == 112, "struct regs: as in regs.inc");
_Static_assert(offsetof(struct regs, vector) == 120, "struct regs: as in regs.inc");
_Static_assert(offsetof(struct regs, rip) == 136, "struct regs: as in regs.inc");
_Static_assert(offsetof(struct regs, ss) == 168, "struct regs: as in regs.inc");

/* RFLAGS bits, SDM 1 3.4.3. */
#define RFLAGS_CF (1ull << 0)
#define RFLAGS_FIXED (1ull << 1)
#define RFLAGS_TF (1ull << 8)
#define RFLAGS_IF (1ull << 9)
#define RFLAGS_DF (1ull << 10)
#define RFLAGS_IOPL (3ull << 12)
#define RFLAGS_NT (1ull << 14)
#define RFLAGS_RF (1ull << 16)
#define RFLAGS_AC (1ull << 18)

#endif
