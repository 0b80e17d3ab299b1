/* acpi.c: builds a guest's ACPI tables and writes them to its memory. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/acpi.h"

#include "vmm/acpi_tables.h"
#include "vmm/boot_layout.h"
#include "vmm/platform.h"

#define OEM_ID       "QUIRE "
#define OEM_TABLE_ID "QUIREVMM"
#define CREATOR_ID   "QUIR"

#define RSDP_REVISION 2
#define RSDT_REVISION 1
#define XSDT_REVISION 1
#define FADT_REVISION 6
#define MADT_REVISION 5
#define FACS_VERSION  2

/* Latencies that mean "this C-state is not there" (ACPI 5.2.9, P_LVL2_LAT and P_LVL3_LAT). */
#define NO_C2_LATENCY 101
#define NO_C3_LATENCY 1001

#define FACS_ALIGN  64u
#define TABLE_ALIGN 16u
#define OVERRIDES   2u

/* What RSDT and XSDT point to. */
#define ROOT_ENTRIES 2u

struct rsdt {
    struct acpi_header header;
    uint32_t entries[ROOT_ENTRIES];
} __attribute__((packed));

struct xsdt {
    struct acpi_header header;
    uint64_t entries[ROOT_ENTRIES];
} __attribute__((packed));

struct madt {
    struct acpi_madt header;
    struct acpi_madt_ioapic ioapic;
    struct acpi_madt_override overrides[OVERRIDES];
    struct acpi_madt_local_apic cpus[PLAT_MAX_CPUS]; /* as many as there are vCPUs */
} __attribute__((packed));

/* Where each table goes. That there is room for all of them is asserted in acpi_dsdt.c. */
struct acpi_layout {
    uint64_t rsdp;
    uint64_t facs;
    uint64_t dsdt;
    uint64_t fadt;
    uint64_t madt;
    uint64_t rsdt;
    uint64_t xsdt;
};

const char *acpi_error_text(enum acpi_error error)
{
    switch (error) {
    case ACPI_OK:
        return "the ACPI tables are written";
    case ACPI_BAD_CPU_COUNT:
        return "the number of vCPUs is 0 or more than a guest can have";
    case ACPI_NO_MEMORY:
        return "the guest has no room for ACPI tables below 1 MiB";
    }
    return "the ACPI tables failed in an unknown way";
}

/* The number that makes the sum of the LENGTH bytes at DATA zero, their checksum byte being 0. */
static uint8_t checksum(const void *data, size_t length)
{
    const uint8_t *bytes = data;
    uint8_t sum = 0;

    for (size_t i = 0; i < length; i++) {
        sum = (uint8_t)(sum + bytes[i]);
    }
    return (uint8_t)(0u - sum);
}

static struct acpi_header make_header(const char signature[4], size_t length, uint8_t revision)
{
    struct acpi_header header = {
        .length = (uint32_t)length,
        .revision = revision,
        .oem_revision = 1,
        .creator_revision = 1,
    };
    memcpy(header.signature, signature, sizeof header.signature);
    memcpy(header.oem_id, OEM_ID, sizeof header.oem_id);
    memcpy(header.oem_table_id, OEM_TABLE_ID, sizeof header.oem_table_id);
    memcpy(header.creator_id, CREATOR_ID, sizeof header.creator_id);
    return header;
}

/* Puts the checksum into the finished table at HEADER and writes it all. */
static bool write_table(const struct guest_memory *memory, uint64_t gpa,
                        struct acpi_header *header)
{
    header->checksum = checksum(header, header->length);
    return guest_memory_write(memory, gpa, header, header->length);
}

static struct acpi_address io_address(uint16_t port, unsigned bytes)
{
    return (struct acpi_address){
        .space = ACPI_SPACE_IO, .bit_width = (uint8_t)(bytes * 8), .address = port};
}

static size_t madt_size(unsigned cpu_count)
{
    return offsetof(struct madt, cpus) + cpu_count * sizeof(struct acpi_madt_local_apic);
}

/* Reserves SIZE bytes at *END, aligned, and returns their address. */
static uint64_t take(uint64_t *end, uint64_t size, uint64_t align)
{
    uint64_t gpa = (*end + align - 1) & ~(align - 1);

    *end = gpa + size;
    return gpa;
}

static struct acpi_layout plan(unsigned cpu_count)
{
    uint64_t end = BOOT_ACPI_BASE;
    struct acpi_layout at;

    at.rsdp = take(&end, sizeof(struct acpi_rsdp), TABLE_ALIGN);
    at.facs = take(&end, sizeof(struct acpi_facs), FACS_ALIGN);
    at.dsdt = take(&end, acpi_dsdt().size, TABLE_ALIGN);
    at.fadt = take(&end, sizeof(struct acpi_fadt), TABLE_ALIGN);
    at.madt = take(&end, madt_size(cpu_count), TABLE_ALIGN);
    at.rsdt = take(&end, sizeof(struct rsdt), TABLE_ALIGN);
    at.xsdt = take(&end, sizeof(struct xsdt), TABLE_ALIGN);
    return at;
}

static bool write_rsdp(const struct guest_memory *memory, const struct acpi_layout *at)
{
    struct acpi_rsdp rsdp = {
        .revision = RSDP_REVISION,
        .rsdt_address = (uint32_t)at->rsdt,
        .length = sizeof rsdp,
        .xsdt_address = at->xsdt,
    };
    memcpy(rsdp.signature, "RSD PTR ", sizeof rsdp.signature);
    memcpy(rsdp.oem_id, OEM_ID, sizeof rsdp.oem_id);
    rsdp.checksum = checksum(&rsdp, offsetof(struct acpi_rsdp, length));
    rsdp.extended_checksum = checksum(&rsdp, sizeof rsdp);
    return guest_memory_write(memory, at->rsdp, &rsdp, sizeof rsdp);
}

static bool write_roots(const struct guest_memory *memory, const struct acpi_layout *at)
{
    struct rsdt rsdt = {
        .header = make_header("RSDT", sizeof rsdt, RSDT_REVISION),
        .entries = {(uint32_t)at->fadt, (uint32_t)at->madt},
    };
    struct xsdt xsdt = {
        .header = make_header("XSDT", sizeof xsdt, XSDT_REVISION),
        .entries = {at->fadt, at->madt},
    };
    return write_table(memory, at->rsdt, &rsdt.header) &&
           write_table(memory, at->xsdt, &xsdt.header);
}

static bool write_facs(const struct guest_memory *memory, const struct acpi_layout *at)
{
    struct acpi_facs facs = {.length = sizeof facs, .version = FACS_VERSION};

    memcpy(facs.signature, "FACS", sizeof facs.signature);
    return guest_memory_write(memory, at->facs, &facs, sizeof facs);
}

/*
 * SMI_CMD stays 0: ACPI mode cannot be left. GPE blocks, PM1b and PM2 stay 0: not there. Of
 * firmware_ctrl and x_firmware_ctrl only one may be set; DSDT and the blocks are given in both.
 */
static bool write_fadt(const struct guest_memory *memory, const struct acpi_layout *at)
{
    struct acpi_fadt fadt = {
        .header = make_header("FACP", sizeof fadt, FADT_REVISION),
        .firmware_ctrl = (uint32_t)at->facs,
        .dsdt = (uint32_t)at->dsdt,
        .x_dsdt = at->dsdt,
        .sci_int = PLAT_SCI_IRQ,
        .pm1a_evt_blk = PLAT_PM1_EVT_PORT,
        .pm1_evt_len = PLAT_PM1_EVT_LEN,
        .x_pm1a_evt_blk = io_address(PLAT_PM1_EVT_PORT, PLAT_PM1_EVT_LEN),
        .pm1a_cnt_blk = PLAT_PM1_CNT_PORT,
        .pm1_cnt_len = PLAT_PM1_CNT_LEN,
        .x_pm1a_cnt_blk = io_address(PLAT_PM1_CNT_PORT, PLAT_PM1_CNT_LEN),
        .pm_tmr_blk = PLAT_PM_TMR_PORT,
        .pm_tmr_len = PLAT_PM_TMR_LEN,
        .x_pm_tmr_blk = io_address(PLAT_PM_TMR_PORT, PLAT_PM_TMR_LEN),
        .p_lvl2_lat = NO_C2_LATENCY,
        .p_lvl3_lat = NO_C3_LATENCY,
        .century = PLAT_RTC_CENTURY,
        .iapc_boot_arch = FADT_BOOT_LEGACY_DEVICES | FADT_BOOT_NO_VGA,
        .flags = FADT_WBINVD | FADT_PROC_C1 | FADT_PWR_BUTTON | FADT_SLP_BUTTON | FADT_FIX_RTC |
                 FADT_TMR_VAL_EXT | FADT_RESET_REG_SUP | FADT_HEADLESS,
        .reset_reg = io_address(PLAT_RESET_PORT, 1),
        .reset_value = PLAT_RESET_VALUE,
    };
    memcpy(fadt.hypervisor_vendor, OEM_TABLE_ID, sizeof fadt.hypervisor_vendor);
    return write_table(memory, at->fadt, &fadt.header);
}

static bool write_madt(const struct guest_memory *memory, const struct acpi_layout *at,
                       unsigned cpu_count)
{
    struct madt madt = {
        .header = {make_header("APIC", madt_size(cpu_count), MADT_REVISION), PLAT_LAPIC_BASE,
                   MADT_PCAT_COMPAT},
        .ioapic = {MADT_IOAPIC, sizeof madt.ioapic, PLAT_IOAPIC_ID, 0, PLAT_IOAPIC_BASE,
                   PLAT_GSI_BASE},
        .overrides = {{MADT_OVERRIDE, sizeof madt.overrides[0], 0, PLAT_PIT_IRQ, PLAT_PIT_GSI,
                       MADT_BUS_DEFAULT},
                      {MADT_OVERRIDE, sizeof madt.overrides[1], 0, PLAT_SCI_IRQ, PLAT_SCI_IRQ,
                       MADT_ACTIVE_HIGH | MADT_LEVEL}},
    };
    for (unsigned i = 0; i < cpu_count; i++) {
        madt.cpus[i] = (struct acpi_madt_local_apic){
            MADT_LOCAL_APIC, sizeof madt.cpus[i], (uint8_t)i, (uint8_t)i, MADT_LOCAL_APIC_ENABLED};
    }
    return write_table(memory, at->madt, &madt.header.header);
}

enum acpi_error acpi_write(const struct guest_memory *memory, unsigned cpu_count, uint64_t *rsdp)
{
    if (cpu_count == 0 || cpu_count > PLAT_MAX_CPUS) {
        return ACPI_BAD_CPU_COUNT;
    }
    struct byte_span dsdt = acpi_dsdt();
    struct acpi_layout at = plan(cpu_count);

    if (!guest_memory_write(memory, at.dsdt, dsdt.data, dsdt.size) || !write_facs(memory, &at) ||
        !write_fadt(memory, &at) || !write_madt(memory, &at, cpu_count) ||
        !write_roots(memory, &at) || !write_rsdp(memory, &at)) {
        return ACPI_NO_MEMORY;
    }
    *rsdp = at.rsdp;
    return ACPI_OK;
}
