/* acpi.c: finds ACPI tables, and reads the FADT. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/boot/acpi.h"

#include <stdbool.h>
#include <stddef.h>

#include "kernel/boot/boot.h"
#include "kernel/boot/direct_map.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/x86/layout.h"

_Static_assert(sizeof(struct acpi_table) == 36, "ACPI 5.2.6");

/* Root system description pointer, ACPI 5.2.5.3. */
struct acpi_rsdp {
    char signature[8];
    uint8_t checksum; /* of the first 20 bytes, all that revision 0 has */
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
    uint8_t checksum_all;
    uint8_t reserved[3];
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_rsdp) == 36, "ACPI 5.2.5.3");

enum { RSDP_SIZE_REVISION_0 = 20 };

/* Where firmware without EFI puts the RSDP, at steps of 16 bytes: ACPI 5.2.5.1. */
enum { BIOS_START = 0xe0000, BIOS_END = 0x100000, EBDA_SEGMENT = 0x40e, EBDA_SIZE = 1024 };

/* Fixed ACPI description table, ACPI 5.2.9; all revisions have these. */
enum { FADT_PM_TIMER = 76, FADT_PM_TIMER_LENGTH = 91, FADT_SIZE_MIN = 116 };

/* The RSDT has addresses of 4 bytes, the XSDT of 8. */
static const struct acpi_table *root;
static size_t root_entry_size;

static bool sums_to_zero(const void *start, size_t size)
{
    const uint8_t *bytes = start;
    uint8_t sum = 0;

    for (size_t i = 0; i < size; i++) {
        sum = (uint8_t)(sum + bytes[i]);
    }
    return sum == 0;
}

static bool is_rsdp(uint64_t physical)
{
    const struct acpi_rsdp *rsdp = PHYS_TO_VIRT(physical);

    return memcmp(rsdp->signature, "RSD PTR ", 8) == 0 && sums_to_zero(rsdp, RSDP_SIZE_REVISION_0);
}

static uint64_t scan(uint64_t start, uint64_t end)
{
    for (uint64_t at = start; at + sizeof(struct acpi_rsdp) <= end; at += 16) {
        if (is_rsdp(at)) {
            return at;
        }
    }
    return 0;
}

static uint64_t find_rsdp(void)
{
    uint64_t ebda;
    uint64_t found = 0;

    if (boot_memory.rsdp != 0 && is_rsdp(boot_memory.rsdp)) {
        return boot_memory.rsdp;
    }
    ebda = (uint64_t)*(const uint16_t *)PHYS_TO_VIRT(EBDA_SEGMENT) << 4;
    if (ebda != 0) {
        found = scan(ebda, ebda + EBDA_SIZE);
    }
    return found != 0 ? found : scan(BIOS_START, BIOS_END);
}

/* A table that is where it claims to be, whole and right, or null. */
static const struct acpi_table *table_at(uint64_t physical)
{
    const struct acpi_table *table = PHYS_TO_VIRT(physical);

    if (physical == 0 || !direct_map_covers(physical, sizeof(*table)) ||
        table->length < sizeof(*table) || !direct_map_covers(physical, table->length) ||
        !sums_to_zero(table, table->length)) {
        return NULL;
    }
    return table;
}

void acpi_init(void)
{
    const struct acpi_rsdp *rsdp;

    boot_memory.rsdp = find_rsdp();
    if (boot_memory.rsdp == 0) {
        klog("acpi: no tables: one CPU, no device interrupts\n");
        return;
    }
    rsdp = PHYS_TO_VIRT(boot_memory.rsdp);
    if (rsdp->revision >= 2) {
        root = table_at(rsdp->xsdt);
        root_entry_size = 8;
    }
    if (root == NULL) {
        root = table_at(rsdp->rsdt);
        root_entry_size = 4;
    }
    if (root == NULL) {
        klog("acpi: the root table is damaged: one CPU, no device interrupts\n");
    }
}

const struct acpi_table *acpi_find(const char *signature)
{
    if (root == NULL) {
        return NULL;
    }
    for (size_t at = sizeof(*root); at + root_entry_size <= root->length; at += root_entry_size) {
        uint64_t address = 0;

        memcpy(&address, (const char *)root + at, root_entry_size);
        if (direct_map_covers(address, sizeof(*root)) &&
            memcmp(PHYS_TO_VIRT(address), signature, 4) == 0) {
            const struct acpi_table *table = table_at(address);

            if (table != NULL) {
                return table;
            }
            klog("acpi: table %s is damaged, left out\n", signature);
        }
    }
    return NULL;
}

uint16_t acpi_pm_timer(void)
{
    const uint8_t *fadt = (const uint8_t *)acpi_find("FACP");
    uint32_t port;

    if (fadt == NULL || ((const struct acpi_table *)fadt)->length < FADT_SIZE_MIN ||
        fadt[FADT_PM_TIMER_LENGTH] != 4) {
        return 0;
    }
    memcpy(&port, fadt + FADT_PM_TIMER, sizeof(port));
    return port <= UINT16_MAX ? (uint16_t)port : 0;
}
