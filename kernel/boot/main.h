/* main.h: the first C function. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_BOOT_MAIN_H
#define KERNEL_BOOT_MAIN_H

#include <stdint.h>
#include <stdnoreturn.h>

/* The end of the boot CPU's stack. */
extern void *const boot_stack_top;

/*
 * Called by boot.asm on the boot CPU, with interrupts off; 'information' is the physical address
 * of the Multiboot2 information.
 */
noreturn void boot_main(uint64_t information);

#endif
