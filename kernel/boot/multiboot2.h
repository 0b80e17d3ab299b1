/* multiboot2.h: reads the boot information of a Multiboot2 loader. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_BOOT_MULTIBOOT2_H
#define KERNEL_BOOT_MULTIBOOT2_H

#include <stdint.h>

/*
 * Fills boot_memory (regions, modules, command line, RSDP), reserves what lies in RAM, and gives
 * the kernel's symbol table to symbols.c. 'information' is a physical address below 4 GiB.
 */
void multiboot2_read(uint64_t information);

#endif
