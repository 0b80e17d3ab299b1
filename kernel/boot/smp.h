/* smp.h: starts the other CPUs. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_BOOT_SMP_H
#define KERNEL_BOOT_SMP_H

#include <stdnoreturn.h>

#include "kernel/boot/acpi.h"

/*
 * Starts each CPU of the list but the caller, one after the other (SDM 3A 8.4.4), and adds those
 * that come up to cpus[], in the list's order. One that does not is reported and left out.
 */
void smp_start(const struct acpi_cpus *found);

/* Where trampoline.asm leads, on the CPU's own stack. */
noreturn void smp_enter(void);

#endif
