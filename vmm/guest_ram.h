/* guest_ram.h: where a guest's RAM lies in its physical address space, and in its VMM's. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_GUEST_RAM_H
#define VMM_GUEST_RAM_H

#include <stdint.h>

#include "vmm/guest_memory.h"

/*
 * RAM, mapped by the VMM from HOST on without a hole: low_size bytes for the guest-physical
 * addresses from 0 on, then high_size bytes for those from PLAT_HIGH_RAM_BASE on. platform.h has
 * the picture.
 */
struct guest_ram {
    uint8_t *host;
    uint64_t low_size;
    uint64_t high_size;
};

/* Splits SIZE bytes of RAM, mapped at HOST, into the low and the high part. */
void guest_ram_init(struct guest_ram *ram, void *host, uint64_t size);

/* The guest_memory that reaches RAM; valid as long as RAM is. */
struct guest_memory guest_ram_memory(struct guest_ram *ram);

/* The end of the RAM below 4 GiB in a guest that has SIZE bytes of RAM. */
uint64_t guest_ram_low_end(uint64_t size);

/* Kinds of range, numbered as in ACPI 6.4 section 15 (the e820 types). */
enum guest_range_type {
    GUEST_RANGE_RAM = 1,
    GUEST_RANGE_RESERVED = 2,
};

struct guest_range {
    uint64_t base;
    uint64_t size;
    enum guest_range_type type;
};

#define GUEST_RANGES_MAX 4

/*
 * The memory map that firmware would report for SIZE bytes of RAM, at least 1 MiB: conventional
 * memory, the BIOS area, RAM above 1 MiB, RAM above 4 GiB. In ascending order without overlaps.
 * Returns how many of the ranges there are; those that would be empty are left out.
 */
unsigned guest_ram_map(uint64_t size, struct guest_range ranges[GUEST_RANGES_MAX]);

#endif
