/* report.h: what the log says about a virtual CPU. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_REPORT_H
#define VMM_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/vcpu.h"

/* A guest can do odd things for ever: so many of them are reported. */
#define REPORTS_MAX 16u

/* One line on something odd that the guest goes on after, with its RIP, unless there were many. */
__attribute__((format(printf, 2, 3))) void report_few(struct vcpu *vcpu, const char *format, ...);

/*
 * Why the guest cannot go on, and its state: two lines. The exit at hand came with VS_CR. Ends the
 * guest (END_REFUSED); the value is RUN_END.
 */
__attribute__((format(printf, 2, 3))) uint64_t report_fatal(struct vcpu *vcpu, const char *format,
                                                            ...);

/* `count` bytes (at most 15) as hexadecimal digits, with spaces between them. */
#define REPORT_BYTES_SIZE 48u
void report_bytes(char text[REPORT_BYTES_SIZE], const uint8_t *bytes, size_t count);

#endif
