/* tables_test.c: boot information and ACPI tables, good and damaged. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: kernel/boot/multiboot2.c kernel/boot/memory.c kernel/boot/acpi.c kernel/boot/madt.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/boot/acpi.h"
#include "kernel/boot/boot.h"
#include "kernel/boot/direct_map.h"
#include "kernel/boot/multiboot2.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/x86/ioapic.h"
#include "kernel/x86/layout.h"
#include "kernel/x86/symbols.h"

char kernel_start[1], kernel_end[1];

/* "Physical" memory: its direct map is this array. */
static _Alignas(16) uint8_t memory[8192];

static jmp_buf panicked;
static char panic_text[200];
static struct ioapic_isa overrides[16];
static uint64_t ioapic_address;

noreturn void panic(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(panic_text, sizeof(panic_text), format, arguments);
    va_end(arguments);
    longjmp(panicked, 1);
}

void klog(const char *format, ...)
{
    (void)format;
}

void symbols_set(const void *table, size_t table_size, const char *strings, size_t strings_size)
{
    (void)table, (void)table_size, (void)strings, (void)strings_size;
}

bool ioapic_add(uint64_t physical, uint32_t first_gsi)
{
    ioapic_address = physical + first_gsi;
    return true;
}

void ioapic_isa_override(unsigned irq, struct ioapic_isa how)
{
    overrides[irq & 15] = how;
}

static uint64_t physical(const void *pointer)
{
    return (uint64_t)pointer - DIRECT_BASE;
}

bool direct_map_covers(uint64_t start, uint64_t size)
{
    uint64_t offset = start - physical(memory);

    return offset <= sizeof(memory) && size <= sizeof(memory) - offset;
}

static void put(size_t at, const void *bytes, size_t size)
{
    memcpy(memory + at, bytes, size);
}

static void put32(size_t at, uint32_t value)
{
    put(at, &value, sizeof(value));
}

static void put64(size_t at, uint64_t value)
{
    put(at, &value, sizeof(value));
}

static int reset(void **state)
{
    (void)state;
    memset(memory, 0, sizeof(memory));
    memset(&boot_memory, 0, sizeof(boot_memory));
    panic_text[0] = '\0';
    return 0;
}

/* Boot information: command line at 8, module at 32, memory map at 56, end at 120. */
static void put_information(void)
{
    const uint32_t words[] = {
        128, 0,                                   /* total size */
        1, 20, 0x6c6c6568, 0x61206f, 0, 0,        /* "hello a" */
        3, 18, 0x200000, 0x200123, 'm', 0,        /* module */
        6, 64, 24, 0,                             /* memory map, two entries */
        0, 0, 0x9fc00, 0, 1, 0,                   /* */
        0x100000, 0, 0x7f00000, 0, 1, 0,          /* */
        0, 8,                                     /* end */
    };

    put(0, words, sizeof(words));
}

static void set_checksum(size_t at, size_t size, size_t field)
{
    uint8_t sum = 0;

    memory[at + field] = 0;
    for (size_t i = 0; i < size; i++) {
        sum = (uint8_t)(sum + memory[at + i]);
    }
    memory[at + field] = (uint8_t)-sum;
}

static void put_table(size_t at, const char *signature, uint32_t length)
{
    put(at, signature, 4);
    put32(at + 4, length);
    set_checksum(at, length, 9);
}

/* The MADT ends where memory does, so that the sanitizers see a step out of it. */
enum { MADT_LENGTH = 44 + 8 + 8 + 12 + 10 + 16 };
enum { RSDP_AT = 0x40, XSDT_AT = 0x100, FADT_AT = 0x400, MADT_AT = sizeof(memory) - MADT_LENGTH };

/* An ACPI 2.0 set: a FADT of revision 1, and a MADT with three CPUs, one of them disabled. */
static void put_acpi(void)
{
    const uint8_t madt[] = {
        0, 8,  0, 0,    1, 0, 0, 0,                          /* CPU 0 */
        0, 8,  1, 1,    0, 0, 0, 0,                          /* CPU 1, disabled */
        1, 12, 9, 0,    0, 0, 0xc0, 0xfe, 16, 0, 0, 0,       /* I/O APIC, GSI 16 */
        2, 10, 0, 9,    20, 0, 0, 0, 0xf, 0,                 /* IRQ 9: GSI 20, level, low */
        9, 16, 0, 0,    2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, /* x2APIC 0x102 */
    };

    put(RSDP_AT, "RSD PTR ", 8);
    memory[RSDP_AT + 15] = 2;
    put64(RSDP_AT + 24, physical(memory + XSDT_AT));
    set_checksum(RSDP_AT, 20, 8);
    put64(XSDT_AT + 36, physical(memory + FADT_AT));
    put64(XSDT_AT + 44, physical(memory + MADT_AT));
    put_table(XSDT_AT, "XSDT", 52);
    put(MADT_AT + 44, madt, sizeof(madt));
    put_table(MADT_AT, "APIC", MADT_LENGTH);
    put32(FADT_AT + 76, 0xb008);
    memory[FADT_AT + 91] = 4;
    put_table(FADT_AT, "FACP", 116);
    boot_memory.rsdp = physical(memory + RSDP_AT);
}

static void information_is_read(void **state)
{
    (void)state;
    put_information();
    multiboot2_read(physical(memory));
    assert_string_equal(boot_memory.command_line, "hello a");
    assert_int_equal(boot_memory.module_count, 1);
    assert_int_equal(boot_memory.modules[0].start, 0x200000);
    assert_int_equal(boot_memory.modules[0].end, 0x200123);
    assert_int_equal(boot_memory.region_count, 2);
    assert_int_equal(boot_memory.regions[1].range.end, 0x8000000);
    assert_int_equal(boot_memory.reserved_count, 2);
}

/* Reads boot information that must be refused with words that contain 'words'. */
static void refused(const char *words)
{
    if (setjmp(panicked) == 0) {
        multiboot2_read(physical(memory));
        fail_msg("accepted");
    }
    assert_non_null(strstr(panic_text, words));
}

static void damaged_information_is_refused(void **state)
{
    put_information();
    put32(36, 4000); /* the module's tag goes past the end */
    refused("damaged at byte 32");
    reset(state);
    put_information();
    put32(12, 0); /* a tag of no size would be read for ever */
    refused("damaged at byte 8");
    reset(state);
    put_information();
    put32(40, 0x200010);
    refused("200010");
    reset(state);
    put_information();
    put32(56, 99);
    refused("no memory map");
}

static void acpi_is_read(void **state)
{
    struct acpi_cpus found = {.count = 0};

    (void)state;
    put_acpi();
    acpi_init();
    madt_read(&found);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.lapic_ids[0], 0);
    assert_int_equal(found.lapic_ids[1], 0x102);
    assert_int_equal(ioapic_address, 0xfec00000 + 16);
    assert_int_equal(overrides[9].gsi, 20);
    assert_true(overrides[9].level && overrides[9].low);
    assert_int_equal(acpi_pm_timer(), 0xb008);
}

static void damaged_tables_are_left_out(void **state)
{
    struct acpi_cpus found = {.count = 0};

    (void)state;
    put_acpi();
    memory[MADT_AT + 50] ^= 1; /* checksum wrong */
    put32(FADT_AT + 4, 0x7fffffff);
    acpi_init();
    madt_read(&found);
    assert_int_equal(found.count, 0);
    assert_int_equal(acpi_pm_timer(), 0);
}

/* Small values, of which lengths and types are made, and now and then any. */
static uint8_t random_byte(void)
{
    return (uint8_t)(rand() % 8 == 0 ? rand() : rand() % 18);
}

static void madt_entries_stay_in_bounds(void **state)
{
    (void)state;
    srand(1);
    put_acpi();
    acpi_init();
    for (unsigned round = 0; round < 50000; round++) {
        struct acpi_cpus found = {.count = 0};

        for (size_t at = MADT_AT + 44; at < MADT_AT + MADT_LENGTH; at++) {
            memory[at] = random_byte();
        }
        put_table(MADT_AT, "APIC", MADT_LENGTH);
        madt_read(&found);
        assert_true(found.count <= (MADT_LENGTH - 44) / 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"BOOT-10: boot information gives modules, memory and command line", information_is_read,
         reset, NULL, NULL},
        {"BOOT-11: damaged boot information is refused by name", damaged_information_is_refused,
         reset, NULL, NULL},
        {"BOOT-12: ACPI gives CPUs, I/O APICs, overrides and the timer", acpi_is_read, reset, NULL,
         NULL},
        {"BOOT-13: a table with a wrong checksum or length is left out",
         damaged_tables_are_left_out, reset, NULL, NULL},
        {"BOOT-14: no content of a MADT leads out of it", madt_entries_stay_in_bounds, reset, NULL,
         NULL},
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
