/* entry.h: what entry.asm calls and provides. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_SYS_ENTRY_H
#define KERNEL_SYS_ENTRY_H

#include <stdnoreturn.h>

#include "kernel/obj/thread.h"

/* By system-call number; the last entry's number + 1 is known to entry.asm. */
extern void (*const sys_handlers[SYS_COUNT])(struct thread *self);
void sys_unknown(struct thread *self);

/* Goes on with the current thread, or idles. Gives up the kernel stack. The kernel lock is not held. */
noreturn void return_to_current(void);

#endif
