/* boot.h: what the kernel tells the root task: its first capabilities and the boot information page. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef QUIRE_ABI_BOOT_H
#define QUIRE_ABI_BOOT_H

#include <stdint.h>

/* Slots of the root task's CNode (BOOT_CNODE_BITS). */
enum boot_slot {
    BOOT_NULL = 0,
    BOOT_CNODE,        /* its own CNode */
    BOOT_THREAD,       /* its own thread */
    BOOT_SPACE,        /* its own Space (PT_X86) */
    BOOT_SCHED,        /* its own SchedContext, without limit */
    BOOT_PLATFORM,     /* Platform with all rights */
    BOOT_PORTS,        /* I/O ports 0 to 0xffff */
    BOOT_FREE = 16     /* untyped_count Untypeds from here, then nothing */
};
#define BOOT_CNODE_BITS   12
#define BOOT_UNTYPED_MAX  96
#define BOOT_MODULE_MAX   3

/* Where the root task finds things in its Space. Its image is linked elsewhere, below BOOT_INFO_VA. */
#define BOOT_INFO_VA      0x10000000ull  /* struct boot_info, read-only, one page */
#define BOOT_BUFFER_VA    0x10001000ull  /* its IPC buffer */
#define BOOT_STACK_TOP    0x10100000ull  /* 64 KiB of stack below */
#define BOOT_STACK_SIZE   0x10000ull
#define BOOT_MODULE_VA    0x20000000ull  /* the modules, read-only, one after the other */

#define BOOT_MAGIC        0x5155495245303031ull /* "QUIRE001" */

enum { BOOT_HAS_VMX = 1, BOOT_HAS_SVM = 2, BOOT_HAS_IOMMU = 4 };

struct boot_untyped {
    uint64_t physical;
    uint8_t bits;
    uint8_t device;        /* not RAM: frames of it are not cleared, and are mapped uncached */
    uint8_t reserved[6];
};

struct boot_module {
    uint64_t address;      /* in the root task's Space */
    uint64_t size;         /* bytes */
};

struct boot_info {
    uint64_t magic;
    uint64_t tsc_hz;
    uint32_t cpu_count;
    uint32_t features;                 /* BOOT_HAS_ */
    uint32_t untyped_count;
    uint32_t module_count;             /* module 0 is the boot file system (newc cpio) */
    uint64_t rsdp;                     /* physical address of the ACPI root pointer, or 0 */
    uint64_t entry_tsc;                /* TSC when the kernel was entered */
    struct boot_module module[BOOT_MODULE_MAX];
    char command_line[256];
    struct boot_untyped untyped[BOOT_UNTYPED_MAX];
};
_Static_assert(sizeof(struct boot_info) <= 4096, "boot information fits a page");

#endif
