/* guest_entry.h: the state in which the first vCPU of a guest starts. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_GUEST_ENTRY_H
#define VMM_GUEST_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/guest_memory.h"

enum guest_mode {
    GUEST_MODE_PROTECTED, /* 32 bit, paging off */
    GUEST_MODE_LONG,      /* 64 bit, the first 4 GiB mapped to themselves */
};

/* ATTRIBUTES are laid out as VMX access rights are (SDM volume 3, 25.4.1, table 25-2). */
struct guest_segment {
    uint16_t selector;
    uint16_t attributes;
    uint32_t limit;
    uint64_t base;
};

struct guest_entry {
    enum guest_mode mode;
    uint64_t rip;
    uint64_t rsp;
    uint64_t rax;
    uint64_t rbx;
    uint64_t rsi;
    uint64_t rflags; /* interrupts off */
    uint64_t cr0;
    uint64_t cr3;
    uint64_t cr4;
    uint64_t efer;
    uint64_t gdt_base;
    uint16_t gdt_limit;
    uint64_t idt_base;
    uint16_t idt_limit;
    struct guest_segment code;  /* CS */
    struct guest_segment data;  /* DS, ES, FS, GS and SS */
    struct guest_segment task;  /* TR, which a vCPU must have though the guest has loaded none */
    struct guest_segment local; /* LDTR, empty */
};

/*
 * Fills ENTRY for a start at RIP in MODE and writes to guest memory what that mode needs: the GDT
 * and, in long mode, the page tables (boot_layout.h). rax, rbx and rsi are left 0 for the loader.
 * False if the guest has no RAM there.
 */
bool guest_entry_init(struct guest_entry *entry, enum guest_mode mode, uint64_t rip,
                      const struct guest_memory *memory);

#endif
