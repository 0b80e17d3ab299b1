/* acpi_tables.h: the layouts of the ACPI tables that a guest gets. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_ACPI_TABLES_H
#define VMM_ACPI_TABLES_H

#include <stddef.h>
#include <stdint.h>

/* ACPI specification 6.4; the section is named at each structure. All fields are little-endian. */

/* 5.2.5.3 Root System Description Pointer */
struct acpi_rsdp {
    char signature[8];
    uint8_t checksum; /* of the first 20 bytes */
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt_address;
    uint32_t length;
    uint64_t xsdt_address;
    uint8_t extended_checksum; /* of all bytes */
    uint8_t reserved[3];
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_rsdp) == 36, "ACPI 5.2.5.3");
_Static_assert(offsetof(struct acpi_rsdp, length) == 20, "ACPI 5.2.5.3");

/* 5.2.6 System Description Table Header */
struct acpi_header {
    char signature[4];
    uint32_t length; /* of the whole table */
    uint8_t revision;
    uint8_t checksum;
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    char creator_id[4];
    uint32_t creator_revision;
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 5.2.6");
_Static_assert(offsetof(struct acpi_header, checksum) == 9, "ACPI 5.2.6");

/* 5.2.3.2 Generic Address Structure */
struct acpi_address {
    uint8_t space;
    uint8_t bit_width;
    uint8_t bit_offset;
    uint8_t access_size;
    uint64_t address;
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_address) == 12, "ACPI 5.2.3.2");

#define ACPI_SPACE_IO 1

/* 5.2.9 Fixed ACPI Description Table. */
struct acpi_fadt {
    struct acpi_header header;
    uint32_t firmware_ctrl; /* FACS */
    uint32_t dsdt;
    uint8_t reserved_44;
    uint8_t preferred_pm_profile;
    uint16_t sci_int;
    uint32_t smi_cmd;
    uint8_t acpi_enable;
    uint8_t acpi_disable;
    uint8_t s4bios_req;
    uint8_t pstate_cnt;
    uint32_t pm1a_evt_blk;
    uint32_t pm1b_evt_blk;
    uint32_t pm1a_cnt_blk;
    uint32_t pm1b_cnt_blk;
    uint32_t pm2_cnt_blk;
    uint32_t pm_tmr_blk;
    uint32_t gpe0_blk;
    uint32_t gpe1_blk;
    uint8_t pm1_evt_len;
    uint8_t pm1_cnt_len;
    uint8_t pm2_cnt_len;
    uint8_t pm_tmr_len;
    uint8_t gpe0_blk_len;
    uint8_t gpe1_blk_len;
    uint8_t gpe1_base;
    uint8_t cst_cnt;
    uint16_t p_lvl2_lat;
    uint16_t p_lvl3_lat;
    uint16_t flush_size;
    uint16_t flush_stride;
    uint8_t duty_offset;
    uint8_t duty_width;
    uint8_t day_alrm;
    uint8_t mon_alrm;
    uint8_t century;
    uint16_t iapc_boot_arch;
    uint8_t reserved_111;
    uint32_t flags;
    struct acpi_address reset_reg;
    uint8_t reset_value;
    uint16_t arm_boot_arch;
    uint8_t minor_version;
    uint64_t x_firmware_ctrl;
    uint64_t x_dsdt;
    struct acpi_address x_pm1a_evt_blk;
    struct acpi_address x_pm1b_evt_blk;
    struct acpi_address x_pm1a_cnt_blk;
    struct acpi_address x_pm1b_cnt_blk;
    struct acpi_address x_pm2_cnt_blk;
    struct acpi_address x_pm_tmr_blk;
    struct acpi_address x_gpe0_blk;
    struct acpi_address x_gpe1_blk;
    struct acpi_address sleep_control_reg;
    struct acpi_address sleep_status_reg;
    char hypervisor_vendor[8];
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_fadt) == 276, "ACPI 5.2.9");
_Static_assert(offsetof(struct acpi_fadt, pm1a_evt_blk) == 56, "ACPI 5.2.9");
_Static_assert(offsetof(struct acpi_fadt, century) == 108, "ACPI 5.2.9");
_Static_assert(offsetof(struct acpi_fadt, flags) == 112, "ACPI 5.2.9");
_Static_assert(offsetof(struct acpi_fadt, x_pm1a_evt_blk) == 148, "ACPI 5.2.9");
_Static_assert(offsetof(struct acpi_fadt, hypervisor_vendor) == 268, "ACPI 5.2.9");

/* 5.2.9, table 5.10: fixed feature flags */
#define FADT_WBINVD        (1u << 0)
#define FADT_PROC_C1       (1u << 2)
#define FADT_PWR_BUTTON    (1u << 4) /* no power button in the fixed registers */
#define FADT_SLP_BUTTON    (1u << 5) /* no sleep button in the fixed registers */
#define FADT_FIX_RTC       (1u << 6) /* no RTC wake-up status in the fixed registers */
#define FADT_TMR_VAL_EXT   (1u << 8) /* the PM timer has 32 bits, not 24 */
#define FADT_RESET_REG_SUP (1u << 10)
#define FADT_HEADLESS      (1u << 12)

/* 5.2.9.3, table 5.11: IA-PC boot architecture flags. 8042 (bit 1) and CMOS RTC absent (bit 5)
 * stay clear: there is no keyboard controller, there is a CMOS RTC. */
#define FADT_BOOT_LEGACY_DEVICES (1u << 0)
#define FADT_BOOT_NO_VGA         (1u << 2)

/* 5.2.10 Firmware ACPI Control Structure; it has no checksum. */
struct acpi_facs {
    char signature[4];
    uint32_t length;
    uint32_t hardware_signature;
    uint32_t waking_vector;
    uint32_t global_lock;
    uint32_t flags;
    uint64_t x_waking_vector;
    uint8_t version;
    uint8_t reserved_33[3];
    uint32_t ospm_flags;
    uint8_t reserved_40[24];
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_facs) == 64, "ACPI 5.2.10");

/* 5.2.12 Multiple APIC Description Table, without the entries that follow. */
struct acpi_madt {
    struct acpi_header header;
    uint32_t local_apic_address;
    uint32_t flags;
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_madt) == 44, "ACPI 5.2.12");

#define MADT_PCAT_COMPAT (1u << 0) /* there is a pair of i8259 too */

enum acpi_madt_type {
    MADT_LOCAL_APIC = 0,
    MADT_IOAPIC = 1,
    MADT_OVERRIDE = 2,
};

/* 5.2.12.2 Processor Local APIC */
struct acpi_madt_local_apic {
    uint8_t type;
    uint8_t length;
    uint8_t processor_uid;
    uint8_t apic_id;
    uint32_t flags;
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_madt_local_apic) == 8, "ACPI 5.2.12.2");

#define MADT_LOCAL_APIC_ENABLED (1u << 0)

/* 5.2.12.3 I/O APIC */
struct acpi_madt_ioapic {
    uint8_t type;
    uint8_t length;
    uint8_t id;
    uint8_t reserved;
    uint32_t address;
    uint32_t gsi_base;
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_madt_ioapic) == 12, "ACPI 5.2.12.3");

/* 5.2.12.5 Interrupt Source Override */
struct acpi_madt_override {
    uint8_t type;
    uint8_t length;
    uint8_t bus; /* 0: ISA */
    uint8_t source;
    uint32_t gsi;
    uint16_t flags;
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_madt_override) == 10, "ACPI 5.2.12.5");

/* 5.2.12.5, table 5.26: MPS INTI flags */
#define MADT_BUS_DEFAULT 0x0000
#define MADT_ACTIVE_HIGH 0x0001
#define MADT_LEVEL       0x000C

#endif
