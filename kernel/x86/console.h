/* console.h: start-up of the log's ports; the log itself is kernel/lib/log.h. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_X86_CONSOLE_H
#define KERNEL_X86_CONSOLE_H

/* Finds out where the log can go. The first thing that boot does. */
void console_init(void);

#endif
