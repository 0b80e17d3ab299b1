/* boot.h: what the boot loader left, and the memory that the kernel takes for itself. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_BOOT_BOOT_H
#define KERNEL_BOOT_BOOT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdnoreturn.h>

#define BOOT_MAX_REGIONS 128
#define BOOT_MAX_MODULES 4
#define BOOT_MAX_RESERVED 32
#define BOOT_MAX_FREE (BOOT_MAX_REGIONS + BOOT_MAX_RESERVED)

/* Physical memory, in bytes; 'end' is the first byte behind. */
struct boot_range {
    uint64_t start, end;
};

/* Kinds of memory, with Multiboot2's numbers (Multiboot2 3.6.8). */
enum boot_region_type {
    BOOT_REGION_RAM = 1,
    BOOT_REGION_RESERVED = 2,
    BOOT_REGION_ACPI = 3,
    BOOT_REGION_NVS = 4,
    BOOT_REGION_BAD = 5,
};

struct boot_region {
    struct boot_range range;
    uint32_t type;
};

/*
 * All that is kept of the boot information. Addresses are physical. Written while one CPU runs,
 * constant from kernel_main() on.
 */
struct boot_memory {
    struct boot_region regions[BOOT_MAX_REGIONS];
    unsigned region_count;
    struct boot_range modules[BOOT_MAX_MODULES]; /* start is page-aligned; end is as loaded */
    unsigned module_count;
    struct boot_range reserved[BOOT_MAX_RESERVED]; /* RAM that is in use, page-aligned */
    unsigned reserved_count;
    const char *command_line; /* in the direct map, never null */
    uint64_t rsdp;            /* 0: neither told nor found */
    uint64_t entry_tsc;       /* TSC at the kernel's first instruction */
};

extern struct boot_memory boot_memory;

/* Whether that word stands in the kernel's command line, between spaces. */
bool boot_flag(const char *word);

/*
 * Memory for good, in the direct map and zeroed. The alignment is a power of two; size and
 * alignment are rounded up to pages. Only before smp_release(). Panics when memory is short.
 */
void *early_alloc(uint64_t size, uint64_t alignment);

/*
 * Lists the RAM that the kernel does not use: whole pages from 1 MiB up to the direct map's end,
 * in ascending order, without the kernel image, the modules, the boot information and all that
 * early_alloc() gave. 'ranges' has room for BOOT_MAX_FREE. Returns how many there are.
 */
unsigned boot_free_regions(struct boot_range *ranges);

/*
 * Lets the other CPUs go on to kernel_main_ap(); they wait until then. Also takes away what is
 * left of boot in the lower half of kernel_pml4. Boot CPU, once, also when there is no other CPU.
 */
void smp_release(void);

/* Provided by the upper layers: where each CPU ends up, on its kernel stack, interrupts off. */
noreturn void kernel_main(void);
noreturn void kernel_main_ap(void);

#endif
