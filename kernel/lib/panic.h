/* panic.h: the end of the kernel when one of its own rules is broken. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_LIB_PANIC_H
#define KERNEL_LIB_PANIC_H

#include <stdnoreturn.h>

/*
 * Stops all other CPUs by NMI, prints the message, the registers and a backtrace with symbols,
 * and halts for good. Only for broken rules of the kernel itself and for broken hardware, never
 * for what user level does. Callable anywhere, with any lock held, also from nmi_handle().
 */
noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2), cold));

#endif
