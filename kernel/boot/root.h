/* root.h: the root task: the first thread, which owns all that the kernel does not need. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_BOOT_ROOT_H
#define KERNEL_BOOT_ROOT_H

/*
 * Makes the root task from the first boot module (an ELF file) with the capabilities of
 * kernel/abi/boot.h, and makes it ready on the calling CPU. Panics if there is no such module or it is unusable.
 */
void root_start(void);

#endif
