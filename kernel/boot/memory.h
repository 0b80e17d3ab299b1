/* memory.h: collects what is known of physical memory while booting. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_BOOT_MEMORY_H
#define KERNEL_BOOT_MEMORY_H

#include <stdint.h>

/* Adds a line of the firmware's memory map; a length of 0 is left out. */
void memory_add_region(uint64_t base, uint64_t length, uint32_t type);

/* Notes that RAM is in use; rounded outwards to pages. Panics when there are too many. */
void memory_reserve(uint64_t start, uint64_t end);

/* Reserves the kernel's image. */
void memory_reserve_image(void);

/*
 * early_alloc() takes memory below this address only: the end of what the direct map has so far.
 */
void memory_set_limit(uint64_t limit);

/*
 * Physical address of a page of RAM between 4 KiB and 640 KiB that nothing uses; panics if there
 * is none. It is not reserved: memory below 1 MiB never is anyone else's.
 */
uint64_t memory_low_page(void);

#endif
