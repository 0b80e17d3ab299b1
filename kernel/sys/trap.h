/* trap.h: interrupts that came while a guest ran. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_SYS_TRAP_H
#define KERNEL_SYS_TRAP_H

#include "kernel/obj/core.h"

/* Handles an interrupt that made a guest exit. The kernel lock is held for reading. */
void trap_guest(struct core *core, unsigned vector);

#endif
