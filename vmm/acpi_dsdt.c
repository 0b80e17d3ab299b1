/* acpi_dsdt.c: holds the DSDT that iasl compiled. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/acpi.h"

#include "build/vmm/dsdt.hex"
#include "vmm/boot_layout.h"

/* All other tables together are far smaller than a page. */
_Static_assert(sizeof dsdt_aml_code + BOOT_PAGE_SIZE <= BOOT_ACPI_END - BOOT_ACPI_BASE,
               "the ACPI tables fit into their place");

struct byte_span acpi_dsdt(void)
{
    return (struct byte_span){dsdt_aml_code, sizeof dsdt_aml_code};
}
