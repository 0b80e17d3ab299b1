/* boot_layout.h: what the boot code puts into the first megabyte of a guest. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_BOOT_LAYOUT_H
#define VMM_BOOT_LAYOUT_H

/*
 *   0x000000  free for the guest's image
 *   0x090000  boot information: Linux' zero page, or Multiboot's structure    4 KiB
 *   0x091000  GDT                                                             4 KiB
 *   0x092000  identity-mapped page tables for 64-bit entries                 24 KiB
 *   0x098000  stack, growing down from 0x99000                                4 KiB
 *   0x099000  command line and other strings                                 16 KiB
 *   0x09d000  free: Linux looks for room for its mode switch just here        8 KiB
 *   0x09f000  reserved: firmware data, video memory and option ROMs of a PC
 *   0x0e0000  reserved: ACPI tables                                         128 KiB
 *   0x100000  the guest's image, then its initrd
 *
 * From 0x9f000 to 1 MiB the memory map says "reserved". An image may not overlap anything from
 * 0x90000 to 1 MiB.
 */
#define BOOT_INFO_BASE        0x90000u
#define BOOT_GDT_BASE         0x91000u
#define BOOT_TABLES_BASE      0x92000u
#define BOOT_TABLES_END       0x98000u
#define BOOT_STACK_TOP        0x99000u
#define BOOT_STRINGS_BASE     0x99000u
#define BOOT_STRINGS_END      0x9D000u
#define BOOT_CONVENTIONAL_END 0x9F000u
#define BOOT_ACPI_BASE        0xE0000u
#define BOOT_ACPI_END         0x100000u
#define BOOT_EXTENDED_BASE    0x100000u

#define BOOT_PAGE_SIZE 4096u

#endif
