/* layout.h: the kernel's map of virtual addresses. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_X86_LAYOUT_H
#define KERNEL_X86_LAYOUT_H

#include <stdint.h>

/*
 *  ffff'ffff'ffff'ffff  +-------------------------------------------+
 *                       | nothing                                   |
 *  ffff'ffff'8040'0000  +-------------------------------------------+
 *                       | record and stacks of each CPU but the     |
 *                       | boot CPU, whose are in the image; RW      |
 *  ffff'ffff'8020'0000  +-------------------------------------------+ CPU_BASE
 *                       | nothing                                   |
 *                       +-------------------------------------------+ kernel_end
 *                       | kernel image: text RX, rodata R, data RW, |
 *                       | in 4 KiB pages, global                    |
 *  ffff'ffff'8010'0000  +-------------------------------------------+ KERNEL_BASE + 1 MiB
 *                       | nothing                                   |
 *  ffff'8010'0000'0000  +-------------------------------------------+ DIRECT_BASE + DIRECT_SIZE
 *                       | direct map of physical memory, RW, never  |
 *                       | executable, global: all RAM below 64 GiB, |
 *                       | and below 4 GiB also all else, uncached   |
 *  ffff'8000'0000'0000  +-------------------------------------------+ DIRECT_BASE
 *                       | not canonical                             |
 *  0000'7fff'ffff'f000  +-------------------------------------------+ USER_END
 *                       | user level                                |
 *  0000'0000'0000'0000  +-------------------------------------------+
 *
 * The upper half (entries 256 to 511 of kernel_pml4) is the same in every Space of type PT_X86
 * and never changes once kernel_main() has been called.
 */
#define KERNEL_BASE 0xffffffff80000000ull
#define CPU_BASE (KERNEL_BASE + LARGE_PAGE_SIZE)
#define CPU_AREA_SIZE 0x8000ull /* CPU number n has its struct cpu_area at CPU_BASE + n * that */
#define DIRECT_BASE 0xffff800000000000ull
#define DIRECT_SIZE 0x1000000000ull
#define USER_END 0x00007ffffffff000ull

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096ull
#define LARGE_PAGE_SIZE 0x200000ull
#define HUGE_PAGE_SIZE 0x40000000ull

/* Address in the direct map of a physical address below DIRECT_SIZE, and back. */
#define PHYS_TO_VIRT(physical) ((void *)((uint64_t)(physical) + DIRECT_BASE))
#define VIRT_TO_PHYS(pointer) ((uint64_t)(pointer) - DIRECT_BASE)

/* Physical address of something in the kernel image (a symbol). */
#define IMAGE_TO_PHYS(pointer) ((uint64_t)(pointer) - KERNEL_BASE)

/* From kernel.ld. Bounds of the image and of its parts, each page-aligned. */
extern char kernel_start[], kernel_text_end[], kernel_rodata_end[], kernel_end[];

/* The kernel's own root table; in the image, so use IMAGE_TO_PHYS for CR3. */
extern uint64_t kernel_pml4[512];

#endif
