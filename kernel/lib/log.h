/* log.h: the kernel's log, one line at a time, to COM1 and port 0xE9. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_LIB_LOG_H
#define KERNEL_LIB_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Writes one formatted message; the text of two CPUs never mixes within a message.
 * Known conversions: %s %c %u %d %x %p %%, with 'l' (64 bits) before u, d, x, and a width that
 * pads with spaces or, after a leading 0, with zeros (%02x, %016lx). A conversion that is not
 * known is printed as it stands. Lock: takes the log's own; so never call it from nmi_handle().
 */
void klog(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for an argument list. */
void klog_v(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

/*
 * From now on the log takes no lock: for panic(), which stops the other CPUs wherever they are,
 * perhaps inside klog().
 */
void log_break_lock(void);

/*
 * Turns the copy of the log on COM1 off or on: off once a user-level driver owns the port.
 * Port 0xE9 is always written.
 */
void log_serial_enable(bool enable);

/*
 * Where the log's characters go; called with the log's lock held. The platform provides it
 * (kernel/x86/console.c), and a host test its own.
 */
void console_write(const char *text, size_t length);

#endif
