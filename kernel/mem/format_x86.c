/* format_x86.c: the CPU's own 4-level page tables (Intel SDM vol. 3, 4.5; AMD APM vol. 2, 5.3). */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mem/format.h"
#include "kernel/mem/phys.h"

/* Bits of an entry (SDM vol. 3, tables 4-15 to 4-20). */
#define X86_P   (1ull << 0)
#define X86_RW  (1ull << 1)
#define X86_US  (1ull << 2)
#define X86_PWT (1ull << 3)
#define X86_PCD (1ull << 4)
#define X86_A   (1ull << 5)
#define X86_D   (1ull << 6)
#define X86_PS  (1ull << 7)
#define X86_XD  (1ull << 63)

void pt_format_x86(struct pt_format *format, const struct pt_caps *caps)
{
    *format = (struct pt_format){
        .name = "x86",
        /*
         * The last page of the lower half stays empty: a SYSCALL at its end would make SYSRET
         * return to an address that is not canonical, and fault with the kernel's privilege.
         */
        .limit = USER_END,
        .address = ((1ull << caps->physical_bits) - 1) & ~(PAGE_SIZE - 1),
        .table = X86_P | X86_RW | X86_US | X86_A, /* A is set here so that the CPU need not */
        .present = X86_P,
        .size = X86_PS,
        .read = X86_P,
        .write = X86_RW,
        .exec = X86_P,
        .no_exec = caps->nx ? X86_XD : 0,
        .accessed = X86_A,
        .dirty = X86_D,
        .memory_type = X86_PWT | X86_PCD,
        .cached = 0,                              /* PAT entry 0: write-back after reset */
        .uncached = X86_PWT | X86_PCD,            /* PAT entry 3: uncacheable after reset */
        .always = X86_P | X86_US,
        .levels = 4,
        .leaf_levels = 1u << 0 | 1u << 1 | (caps->page_1g ? 1u << 2 : 0),
        .exec_only = false,
    };
    pt_format_finish(format);
}
