/* acpi.h: what the kernel takes from the ACPI tables: CPUs, I/O APICs and a timer. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_BOOT_ACPI_H
#define KERNEL_BOOT_ACPI_H

#include <stdint.h>

#include "kernel/x86/cpu.h"

/* An ACPI table; all begin like this (ACPI 5.2.6). Firmware does not always align them: packed. */
struct acpi_table {
    char signature[4];
    uint32_t length;
    uint8_t revision;
    uint8_t checksum;
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    uint32_t creator_id;
    uint32_t creator_revision;
} __attribute__((packed));

/*
 * Finds the RSDP, if the loader gave none, and the table of tables. Without ACPI the kernel has
 * one CPU and no device interrupts, and says so.
 */
void acpi_init(void);

/* The first table with that signature, its length and checksum proven right; null if none. */
const struct acpi_table *acpi_find(const char *signature);

/* I/O port of the power-management timer, from the FADT; 0 if there is none. */
uint16_t acpi_pm_timer(void);

/* APIC numbers of the CPUs that the MADT has enabled. */
struct acpi_cpus {
    uint32_t lapic_ids[MAX_CPUS];
    unsigned count;
};

/* Reads the MADT: lists the CPUs, and tells ioapic.h of the I/O APICs and ISA overrides. */
void madt_read(struct acpi_cpus *found);

#endif
