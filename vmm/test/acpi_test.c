/* acpi_test.c: reads a guest's ACPI tables as an operating system would, by the specification. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/acpi.c vmm/acpi_dsdt.c vmm/guest_ram.c vmm/guest_memory.c */
#include "vmm/test/boot_fixture.h"

#include "vmm/acpi.h"
#include "vmm/platform.h"

static uint64_t rsdp;

/* Writes the tables for CPU_COUNT vCPUs over a first megabyte full of junk. */
static void write_tables(unsigned cpu_count)
{
    fixture_init(2 * MIB);
    memset(guest_bytes(0, 1 * MIB), 0xCC, 1 * MIB);
    assert_int_equal(acpi_write(&fixture_memory, cpu_count, &rsdp), ACPI_OK);
}

static unsigned sum(uint64_t gpa, uint64_t length)
{
    const uint8_t *bytes = guest_bytes(gpa, length);
    unsigned total = 0;

    for (uint64_t i = 0; i < length; i++) {
        total += bytes[i];
    }
    return total & 0xFF;
}

static bool has_signature(uint64_t gpa, const char *signature)
{
    return memcmp(guest_bytes(gpa, strlen(signature)), signature, strlen(signature)) == 0;
}

/* The table that the XSDT lists under SIGNATURE, its checksum checked. */
static uint64_t find_table(const char *signature)
{
    uint64_t xsdt = guest_get(rsdp + 24, 8);

    for (uint64_t at = xsdt + 36; at < xsdt + guest_get(xsdt + 4, 4); at += 8) {
        uint64_t table = guest_get(at, 8);
        if (has_signature(table, signature)) {
            assert_int_equal(sum(table, guest_get(table + 4, 4)), 0);
            return table;
        }
    }
    fail_msg("no table %s", signature);
    return 0;
}

static void rsdp_is_found_by_search(void **state)
{
    uint64_t found = 0;

    (void)state;
    write_tables(1);
    for (uint64_t gpa = 0xE0000; gpa < 0x100000 && found == 0; gpa += 16) {
        found = has_signature(gpa, "RSD PTR ") ? gpa : 0;
    }
    assert_int_equal(found, rsdp);
    assert_int_equal(guest_get(rsdp + 15, 1), 2);
    assert_int_equal(guest_get(rsdp + 20, 4), 36);
    assert_int_equal(sum(rsdp, 20), 0);
    assert_int_equal(sum(rsdp, 36), 0);
    fixture_end();
}

static void both_roots_agree(void **state)
{
    (void)state;
    write_tables(1);
    uint64_t rsdt = guest_get(rsdp + 16, 4);
    uint64_t xsdt = guest_get(rsdp + 24, 8);
    assert_true(has_signature(rsdt, "RSDT"));
    assert_true(has_signature(xsdt, "XSDT"));
    assert_int_equal(sum(rsdt, guest_get(rsdt + 4, 4)), 0);
    assert_int_equal(sum(xsdt, guest_get(xsdt + 4, 4)), 0);
    uint64_t count = (guest_get(rsdt + 4, 4) - 36) / 4;
    assert_int_equal((guest_get(xsdt + 4, 4) - 36) / 8, count);
    for (uint64_t i = 0; i < count; i++) {
        assert_int_equal(guest_get(rsdt + 36 + i * 4, 4), guest_get(xsdt + 36 + i * 8, 8));
    }
    fixture_end();
}

/* A register block: its old field, its length, and the generic address that repeats it. */
static void check_block(uint64_t fadt, unsigned block, unsigned length, unsigned generic,
                        uint64_t port, uint64_t bytes)
{
    assert_int_equal(guest_get(fadt + block, 4), port);
    assert_int_equal(guest_get(fadt + length, 1), bytes);
    assert_int_equal(guest_get(fadt + generic, 1), 1); /* system I/O */
    assert_int_equal(guest_get(fadt + generic + 1, 1), bytes * 8);
    assert_int_equal(guest_get(fadt + generic + 4, 8), port);
}

static void fadt_describes_the_platform(void **state)
{
    (void)state;
    write_tables(1);
    uint64_t fadt = find_table("FACP");
    assert_int_equal(guest_get(fadt + 46, 2), PLAT_SCI_IRQ);
    assert_int_equal(guest_get(fadt + 48, 4), 0); /* SMI_CMD */
    check_block(fadt, 56, 88, 148, PLAT_PM1_EVT_PORT, PLAT_PM1_EVT_LEN);
    check_block(fadt, 64, 89, 172, PLAT_PM1_CNT_PORT, PLAT_PM1_CNT_LEN);
    check_block(fadt, 76, 91, 208, PLAT_PM_TMR_PORT, PLAT_PM_TMR_LEN);
    assert_int_equal(guest_get(fadt + 80, 8), 0);    /* no GPE blocks */
    assert_int_equal(guest_get(fadt + 108, 1), PLAT_RTC_CENTURY);
    assert_int_equal(guest_get(fadt + 109, 2), 0x5); /* legacy devices, no VGA; no 8042 */
    assert_int_equal(guest_get(fadt + 112, 4), 0x1575);
    assert_int_equal(guest_get(fadt + 117, 1), 8);   /* the reset register */
    assert_int_equal(guest_get(fadt + 120, 8), PLAT_RESET_PORT);
    assert_int_equal(guest_get(fadt + 128, 1), PLAT_RESET_VALUE);
    fixture_end();
}

static void fadt_leads_to_dsdt_and_facs(void **state)
{
    (void)state;
    write_tables(1);
    uint64_t fadt = find_table("FACP");
    uint64_t facs = guest_get(fadt + 36, 4);
    uint64_t dsdt = guest_get(fadt + 40, 4);
    assert_int_equal(guest_get(fadt + 140, 8), dsdt);
    assert_true(has_signature(dsdt, "DSDT"));
    assert_int_equal(sum(dsdt, guest_get(dsdt + 4, 4)), 0);
    assert_true(has_signature(facs, "FACS"));
    assert_int_equal(facs % 64, 0);
    assert_int_equal(guest_get(facs + 4, 4), 64);
    assert_int_equal(guest_get(facs + 16, 4), 0); /* nobody holds the global lock */
    fixture_end();
}

/* What the entries of a MADT said. */
struct madt_seen {
    unsigned cpus, ioapics, overrides;
    uint64_t gsi_of[16]; /* GSI | flags << 32 of ISA lines that are overridden */
};

static struct madt_seen read_madt(uint64_t madt)
{
    struct madt_seen seen = {0};
    uint64_t end = madt + guest_get(madt + 4, 4);
    uint64_t at = madt + 44;

    for (; at < end; at += guest_get(at + 1, 1)) {
        switch (guest_get(at, 1)) {
        case 0:
            assert_int_equal(guest_get(at + 2, 1), seen.cpus);
            assert_int_equal(guest_get(at + 3, 1), seen.cpus);
            assert_int_equal(guest_get(at + 4, 4), 1);
            seen.cpus++;
            break;
        case 1:
            assert_int_equal(guest_get(at + 2, 1), PLAT_IOAPIC_ID);
            assert_int_equal(guest_get(at + 4, 4), PLAT_IOAPIC_BASE);
            assert_int_equal(guest_get(at + 8, 4), PLAT_GSI_BASE);
            seen.ioapics++;
            break;
        case 2:
            assert_int_equal(guest_get(at + 2, 1), 0);
            seen.gsi_of[guest_get(at + 3, 1)] =
                guest_get(at + 4, 4) | guest_get(at + 8, 2) << 32;
            seen.overrides++;
            break;
        default:
            fail_msg("unknown MADT entry");
        }
        assert_true(guest_get(at + 1, 1) > 0);
    }
    assert_int_equal(at, end);
    return seen;
}

static void madt_has_each_cpu(void **state)
{
    (void)state;
    for (unsigned cpu_count = 1; cpu_count <= PLAT_MAX_CPUS; cpu_count++) {
        write_tables(cpu_count);
        uint64_t madt = find_table("APIC");
        assert_int_equal(guest_get(madt + 36, 4), PLAT_LAPIC_BASE);
        assert_int_equal(guest_get(madt + 40, 4), 1);
        struct madt_seen seen = read_madt(madt);
        assert_int_equal(seen.cpus, cpu_count);
        assert_int_equal(seen.ioapics, 1);
        assert_int_equal(seen.overrides, 2);
        assert_int_equal(seen.gsi_of[PLAT_PIT_IRQ], PLAT_PIT_GSI);
        assert_int_equal(seen.gsi_of[PLAT_SCI_IRQ], PLAT_SCI_IRQ | 0xDull << 32);
        fixture_end();
    }
}

/* True if the DSDT contains these LENGTH bytes. */
static bool dsdt_has(const void *bytes, size_t length)
{
    struct byte_span dsdt = acpi_dsdt();

    for (uint64_t at = 0; span_holds(dsdt, at, length); at++) {
        if (memcmp(dsdt.data + at, bytes, length) == 0) {
            return true;
        }
    }
    return false;
}

/* ACPI 6.4.2.5: a fixed range of ports, as a device's resource. */
static bool dsdt_has_ports(uint16_t port, uint8_t count)
{
    uint8_t descriptor[8] = {0x47, 1, 0, 0, 0, 0, 1, count};

    put(descriptor + 2, 2, port);
    put(descriptor + 4, 2, port);
    return dsdt_has(descriptor, sizeof descriptor);
}

/* ACPI 6.4.2.1: an ISA interrupt, edge-triggered. */
static bool dsdt_has_irq(unsigned irq)
{
    uint8_t descriptor[3] = {0x22};

    put(descriptor + 1, 2, 1u << irq);
    return dsdt_has(descriptor, sizeof descriptor);
}

static void dsdt_names_the_devices(void **state)
{
    static const uint8_t com1[] = {0x0C, 0x41, 0xD0, 0x05, 0x01}; /* EISA id PNP0501 */
    static const uint8_t bridge[] = {0x0C, 0x41, 0xD0, 0x0A, 0x03};
    static const uint8_t s5[] = {'_', 'S', '5', '_', 0x12, 0x08, 4, 0x0A, PLAT_PM_SLP_TYP_S5,
                                 0x0A, PLAT_PM_SLP_TYP_S5, 0, 0};
    (void)state;
    assert_true(dsdt_has(com1, sizeof com1));
    assert_true(dsdt_has(bridge, sizeof bridge));
    assert_true(dsdt_has(s5, sizeof s5));
    assert_true(dsdt_has_ports(PLAT_COM1_PORT, 8));
    assert_true(dsdt_has_ports(PLAT_RTC_PORT, 2));
    assert_true(dsdt_has_ports(PLAT_PIT_PORT, 4));
    assert_true(dsdt_has_ports(PLAT_PIC1_PORT, 2));
    assert_true(dsdt_has_ports(PLAT_PIC2_PORT, 2));
    assert_true(dsdt_has_ports(PLAT_PM_BASE, 12));
    assert_true(dsdt_has_ports(PLAT_PCI_ADDR_PORT, 8));
    assert_true(dsdt_has_irq(PLAT_COM1_IRQ));
    assert_true(dsdt_has_irq(PLAT_RTC_IRQ));
    assert_true(dsdt_has_irq(PLAT_PIT_IRQ));
    assert_false(dsdt_has_ports(0x2F8, 8));
}

/* ACPI 6.4.3.5: minimum, maximum, translation, length of an address space descriptor. */
static void dsdt_windows_are_the_platforms(void **state)
{
    uint8_t ports[8];
    uint8_t memory[16];

    (void)state;
    put(ports, 2, PLAT_PCI_IO_BASE);
    put(ports + 2, 2, PLAT_PCI_IO_BASE + PLAT_PCI_IO_SIZE - 1);
    put(ports + 4, 2, 0);
    put(ports + 6, 2, PLAT_PCI_IO_SIZE);
    assert_true(dsdt_has(ports, sizeof ports));
    put(memory, 4, PLAT_PCI_MMIO_BASE);
    put(memory + 4, 4, PLAT_PCI_MMIO_BASE + (uint64_t)PLAT_PCI_MMIO_SIZE - 1);
    put(memory + 8, 4, 0);
    put(memory + 12, 4, PLAT_PCI_MMIO_SIZE);
    assert_true(dsdt_has(memory, sizeof memory));
}

static void bad_requests_are_refused(void **state)
{
    (void)state;
    fixture_init(2 * MIB);
    assert_int_equal(acpi_write(&fixture_memory, 0, &rsdp), ACPI_BAD_CPU_COUNT);
    assert_int_equal(acpi_write(&fixture_memory, PLAT_MAX_CPUS + 1, &rsdp), ACPI_BAD_CPU_COUNT);
    fixture_end();
    fixture_init(0xE0100);
    assert_int_equal(acpi_write(&fixture_memory, 1, &rsdp), ACPI_NO_MEMORY);
    fixture_end();
    assert_string_not_equal(acpi_error_text(ACPI_NO_MEMORY), acpi_error_text(ACPI_BAD_CPU_COUNT));
}

#define TEST(name, function) {name, function, NULL, NULL, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("ACPI-01: a search finds the RSDP and its checksums hold", rsdp_is_found_by_search),
        TEST("ACPI-02: RSDT and XSDT list the same tables", both_roots_agree),
        TEST("ACPI-03: the FADT describes the platform's registers", fadt_describes_the_platform),
        TEST("ACPI-04: the FADT leads to DSDT and FACS", fadt_leads_to_dsdt_and_facs),
        TEST("ACPI-05: the MADT has each vCPU, the IOAPIC and two overrides", madt_has_each_cpu),
        TEST("ACPI-06: the DSDT names the platform's devices", dsdt_names_the_devices),
        TEST("ACPI-07: the DSDT's PCI windows are the platform's", dsdt_windows_are_the_platforms),
        TEST("ACPI-08: a bad request is refused", bad_requests_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
