/* direct_map.h: the kernel's own page tables. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_BOOT_DIRECT_MAP_H
#define KERNEL_BOOT_DIRECT_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/x86/cpu.h"

/*
 * Completes what boot.asm began, as the picture in layout.h has it: the image in 4 KiB pages with
 * their rights, the direct map with its attributes, and RAM above 4 GiB. Needs boot_memory.
 */
void direct_map_build(void);

/*
 * Memory, zeroed, for the record and stacks of the CPU with that number, at its place in
 * layout.h. Once per number.
 */
struct cpu_area *direct_map_cpu_area(unsigned id);

/* Whether all of a physical range can be read through the direct map. */
bool direct_map_covers(uint64_t physical, uint64_t size);

/* Takes away the mapping of the first 2 MiB at their physical address; all CPUs are up. */
void direct_map_drop_low(void);

#endif
