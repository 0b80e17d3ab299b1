/* acpi.h: the ACPI tables of a guest. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_ACPI_H
#define VMM_ACPI_H

#include <stdint.h>

#include "vmm/byte_span.h"
#include "vmm/guest_memory.h"

enum acpi_error {
    ACPI_OK,
    ACPI_BAD_CPU_COUNT, /* none, or more than PLAT_MAX_CPUS */
    ACPI_NO_MEMORY,     /* no RAM where the tables go */
};

/* One line for a person, without a full stop or a newline. Never NULL. */
const char *acpi_error_text(enum acpi_error error);

/*
 * Writes RSDP, RSDT, XSDT, FADT, FACS, MADT and DSDT (ACPI 6.4, chapter 5) for a guest with
 * CPU_COUNT vCPUs between BOOT_ACPI_BASE and BOOT_ACPI_END, where a guest also finds them by
 * searching. *RSDP becomes the RSDP's gpa. The devices are those of platform.h.
 */
enum acpi_error acpi_write(const struct guest_memory *memory, unsigned cpu_count, uint64_t *rsdp);

/* The DSDT, compiled from vmm/acpi/dsdt.asl. */
struct byte_span acpi_dsdt(void);

#endif
