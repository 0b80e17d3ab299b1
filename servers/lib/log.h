/* log.h: one-line messages to the kernel's log, each beginning with the program's name. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_LIB_LOG_H
#define SERVERS_LIB_LOG_H

#include <stdint.h>

#define LOG_LINE_MAX 240 /* bytes; the rest of a longer line is cut off */

/*
 * Sets the name and the Platform capability (PL_LOG) that log_line uses. `name` must stay; at most
 * 31 bytes.
 */
void log_init(const char *name, uint32_t platform);

/*
 * Writes "NAME: text" and a line end. Conversions as in servers/lib/format.h. Bytes that are not
 * printable ASCII become '?': what a guest or a file says can't forge a second line. Callable from
 * several threads.
 */
__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

/* The same without the name: for the few lines whose exact text is a contract. */
__attribute__((format(printf, 1, 2))) void log_bare(const char *format, ...);

/* The words for a status (kernel/abi/error.h); "unknown status" if it is none. */
const char *status_words(uint64_t status);

#endif
