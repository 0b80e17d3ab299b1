/* madt.c: reads the CPUs and the interrupt wiring from the ACPI multiple APIC description table. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdbool.h>
#include <stddef.h>

#include "kernel/boot/acpi.h"
#include "kernel/lib/log.h"
#include "kernel/x86/ioapic.h"

/* ACPI 5.2.12; the entries follow a table header and 8 bytes, and may lie anywhere: packed. */
enum { MADT_ENTRIES = 44 };

enum madt_type {
    MADT_LAPIC = 0,
    MADT_IOAPIC = 1,
    MADT_OVERRIDE = 2,
    MADT_X2APIC = 9,
};

struct madt_entry {
    uint8_t type;
    uint8_t length;
} __attribute__((packed));

struct madt_lapic {
    struct madt_entry entry;
    uint8_t processor;
    uint8_t id;
    uint32_t flags;
} __attribute__((packed));

struct madt_ioapic {
    struct madt_entry entry;
    uint8_t id;
    uint8_t reserved;
    uint32_t address;
    uint32_t first_gsi;
} __attribute__((packed));

struct madt_override {
    struct madt_entry entry;
    uint8_t bus;
    uint8_t irq;
    uint32_t gsi;
    uint16_t flags;
} __attribute__((packed));

struct madt_x2apic {
    struct madt_entry entry;
    uint16_t reserved;
    uint32_t id;
    uint32_t flags;
    uint32_t processor;
} __attribute__((packed));

_Static_assert(sizeof(struct madt_lapic) == 8, "ACPI 5.2.12.2");
_Static_assert(sizeof(struct madt_ioapic) == 12, "ACPI 5.2.12.3");
_Static_assert(sizeof(struct madt_override) == 10, "ACPI 5.2.12.5");
_Static_assert(sizeof(struct madt_x2apic) == 16, "ACPI 5.2.12.12");

enum { LAPIC_ENABLED = 1 };

/* MPS INTI flags, ACPI table 5.26: the other values mean "as the bus has it", ISA's default. */
enum {
    INTI_POLARITY_MASK = 3,
    INTI_POLARITY_LOW = 3,
    INTI_TRIGGER_MASK = 0xc,
    INTI_TRIGGER_LEVEL = 0xc,
};

/* Length that an entry of each type must have at least. */
static const uint8_t length_min[] = {
    [MADT_LAPIC] = sizeof(struct madt_lapic),
    [MADT_IOAPIC] = sizeof(struct madt_ioapic),
    [MADT_OVERRIDE] = sizeof(struct madt_override),
    [MADT_X2APIC] = sizeof(struct madt_x2apic),
};

static void add_cpu(struct acpi_cpus *found, uint32_t id, uint32_t flags)
{
    if ((flags & LAPIC_ENABLED) == 0) {
        return;
    }
    for (unsigned i = 0; i < found->count; i++) {
        if (found->lapic_ids[i] == id) {
            return; /* some firmware lists a CPU as both types */
        }
    }
    if (found->count == MAX_CPUS) {
        klog("acpi: more than %d CPUs: APIC %u is left out\n", MAX_CPUS, id);
        return;
    }
    found->lapic_ids[found->count++] = id;
}

static void read_override(const struct madt_override *override)
{
    struct ioapic_isa how = {
        .gsi = override->gsi,
        .level = (override->flags & INTI_TRIGGER_MASK) == INTI_TRIGGER_LEVEL,
        .low = (override->flags & INTI_POLARITY_MASK) == INTI_POLARITY_LOW,
    };

    ioapic_isa_override(override->irq, how);
}

static void read_entry(const struct madt_entry *entry, struct acpi_cpus *found)
{
    const struct madt_lapic *lapic = (const struct madt_lapic *)entry;
    const struct madt_ioapic *ioapic = (const struct madt_ioapic *)entry;
    const struct madt_x2apic *x2apic = (const struct madt_x2apic *)entry;

    if (entry->type >= sizeof(length_min) || entry->length < length_min[entry->type]) {
        return;
    }
    switch (entry->type) {
    case MADT_LAPIC:
        add_cpu(found, lapic->id, lapic->flags);
        break;
    case MADT_IOAPIC:
        ioapic_add(ioapic->address, ioapic->first_gsi);
        break;
    case MADT_OVERRIDE:
        read_override((const struct madt_override *)entry);
        break;
    case MADT_X2APIC:
        add_cpu(found, x2apic->id, x2apic->flags);
        break;
    default:
        break;
    }
}

void madt_read(struct acpi_cpus *found)
{
    const struct acpi_table *madt = acpi_find("APIC");
    uint32_t at = MADT_ENTRIES;

    if (madt == NULL) {
        return;
    }
    while (at + sizeof(struct madt_entry) <= madt->length) {
        const struct madt_entry *entry = (const struct madt_entry *)((const char *)madt + at);

        if (entry->length < sizeof(*entry) || entry->length > madt->length - at) {
            klog("acpi: the MADT is damaged at byte %u\n", at);
            return;
        }
        read_entry(entry, found);
        at += entry->length;
    }
}
