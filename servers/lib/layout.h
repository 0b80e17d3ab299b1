/* layout.h: where things are in the address space of a process that init starts. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_LIB_LAYOUT_H
#define SERVERS_LIB_LAYOUT_H

/*
 *   0x000000000000 +------------------------+  never mapped: a null pointer faults
 *   0x000000400000 | the program            |  as its ELF file says, below LAYOUT_IMAGE_END
 *   0x000010000000 | struct start_info      |  one page, read-only
 *   0x000010001000 | IPC buffer             |  of the first thread; one page
 *   0x0000100F0000 | stack                  |  64 KiB, nothing mapped below
 *   0x000010100000 +------------------------+  stack top
 *   0x000011000000 | heap                   |  as large as the manifest says
 *   0x000020000000 | files                  |  read-only, each from a 2 MiB boundary
 *   0x004000000000 | the process's own      |  for whatever it maps itself
 *   0x100000000000 | guest memory           |  a VMM's window on its guest, filled on demand by
 * vmspace 0x7FFFFFFFF000 +------------------------+
 *
 * The first four are where the kernel puts the root task's (kernel/abi/boot.h): one start-up code
 * serves all.
 */
#define LAYOUT_IMAGE        0x400000ull
#define LAYOUT_IMAGE_END    0x10000000ull
#define LAYOUT_START_INFO   0x10000000ull
#define LAYOUT_IPC_BUFFER   0x10001000ull
#define LAYOUT_STACK_TOP    0x10100000ull
#define LAYOUT_STACK_SIZE   0x10000ull
#define LAYOUT_HEAP         0x11000000ull
#define LAYOUT_HEAP_MAX     0x0F000000ull
#define LAYOUT_FILES        0x20000000ull
#define LAYOUT_FILES_END    0x4000000000ull
#define LAYOUT_PRIVATE      0x4000000000ull
#define LAYOUT_GUEST_WINDOW 0x100000000000ull

#define PAGE_SIZE       0x1000ull
#define LARGE_PAGE_SIZE 0x200000ull

#endif
