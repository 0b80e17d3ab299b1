/* guest_ram_test.c: tests of the layout of guest RAM and of the first vCPU's tables. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/guest_ram.c vmm/guest_memory.c vmm/guest_entry.c */
#include "vmm/test/boot_fixture.h"

#include "vmm/guest_entry.h"

static void splits_at_three_gib(void **state)
{
    (void)state;
    fixture_init(5 * GIB);
    uint8_t *host = fixture_ram.host;

    assert_ptr_equal(fixture_memory.at(fixture_memory.ctx, 0, 1), host);
    assert_ptr_equal(fixture_memory.at(fixture_memory.ctx, 3 * GIB - 1, 1), host + 3 * GIB - 1);
    assert_ptr_equal(fixture_memory.at(fixture_memory.ctx, 4 * GIB, 2 * GIB), host + 3 * GIB);
    fixture_end();
}

static void refuses_what_is_no_ram(void **state)
{
    static const struct {
        uint64_t gpa, length;
    } cases[] = {
        {3 * GIB, 1},           {3 * GIB - 1, 2},     {4 * GIB - 1, 1},
        {4 * GIB - 1, 2},       {6 * GIB, 1},         {6 * GIB - 1, 2},
        {0, UINT64_MAX},        {UINT64_MAX, 1},      {UINT64_MAX, UINT64_MAX},
        {4 * GIB, 2 * GIB + 1}, {1, UINT64_MAX},      {0, 3 * GIB + 1},
    };
    (void)state;
    fixture_init(5 * GIB);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_null(fixture_memory.at(fixture_memory.ctx, cases[i].gpa, cases[i].length));
        assert_false(guest_memory_clear(&fixture_memory, cases[i].gpa, cases[i].length));
    }
    fixture_end();
}

static void small_guest_has_no_high_ram(void **state)
{
    (void)state;
    fixture_init(64 * MIB);
    assert_null(fixture_memory.at(fixture_memory.ctx, 4 * GIB, 1));
    assert_null(fixture_memory.at(fixture_memory.ctx, 64 * MIB, 1));
    assert_int_equal(fixture_memory.size, 64 * MIB);
    fixture_end();
}

/* Checks the promises of guest_ram_map: order, no overlap, RAM adding up. */
static void check_map(uint64_t size, unsigned expected_count)
{
    struct guest_range ranges[GUEST_RANGES_MAX];
    unsigned count = guest_ram_map(size, ranges);
    uint64_t end = 0;
    uint64_t ram = 0;

    assert_int_equal(count, expected_count);
    for (unsigned i = 0; i < count; i++) {
        assert_true(ranges[i].size > 0);
        assert_true(ranges[i].base >= end);
        end = ranges[i].base + ranges[i].size;
        ram += ranges[i].type == GUEST_RANGE_RAM ? ranges[i].size : 0;
        assert_false(ranges[i].base < 4 * GIB && end > 3 * GIB);
    }
    assert_int_equal(ram, size - (0x100000 - 0x9F000));
}

static void map_adds_up(void **state)
{
    (void)state;
    check_map(1 * MIB, 2);
    check_map(2 * MIB, 3);
    check_map(3 * GIB, 3);
    check_map(3 * GIB + 4096, 4);
    check_map(64 * GIB, 4);
}

/* What a CPU would translate ADDRESS to, by SDM volume 3, figure 4-9; large pages only. */
static uint64_t walk(uint64_t cr3, uint64_t address)
{
    uint64_t table = cr3;

    for (unsigned shift = 39; shift > 21; shift -= 9) {
        uint64_t entry = guest_get(table + (address >> shift & 511) * 8, 8);
        assert_int_equal(entry & 0x83, 0x03);
        table = entry & 0x000FFFFFFFFFF000;
    }
    uint64_t leaf = guest_get(table + (address >> 21 & 511) * 8, 8);
    assert_int_equal(leaf & 0x83, 0x83);
    return (leaf & 0x000FFFFFFFE00000) | (address & 0x1FFFFF);
}

static void maps_four_gib_to_themselves(void **state)
{
    static const uint64_t addresses[] = {
        0,          0x90000,    0x100000,   0x1FFFFF,   0x200000,
        0x3FFFFFFF, 0x40000000, 0xBFFFFFFF, 0xFEE00000, 0xFFFFFFFF,
    };
    struct guest_entry entry;

    (void)state;
    fixture_init(2 * MIB);
    assert_true(guest_entry_init(&entry, GUEST_MODE_LONG, 0x1000200, &fixture_memory));
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        assert_int_equal(walk(entry.cr3, addresses[i]), addresses[i]);
    }
    assert_int_equal(guest_get(entry.cr3 + 8, 8), 0);
    fixture_end();
}

static void long_mode_state_is_consistent(void **state)
{
    struct guest_entry entry;

    (void)state;
    fixture_init(2 * MIB);
    assert_true(guest_entry_init(&entry, GUEST_MODE_LONG, 0x1000200, &fixture_memory));
    assert_int_equal(entry.rip, 0x1000200);
    assert_int_equal(entry.cr0, 0x80000011); /* PG, ET, PE */
    assert_int_equal(entry.cr4, 0x20);       /* PAE */
    assert_int_equal(entry.efer, 0x500);     /* LMA, LME */
    assert_int_equal(entry.rflags, 2);
    assert_int_equal(entry.code.selector, 0x10);
    assert_int_equal(entry.data.selector, 0x18);
    assert_int_equal(entry.gdt_limit, 0x1F);
    /* The descriptors in memory say what the hidden parts say. */
    assert_int_equal(guest_get(entry.gdt_base + 0x10, 8), 0x00AF9B000000FFFF);
    assert_int_equal(guest_get(entry.gdt_base + 0x18, 8), 0x00CF93000000FFFF);
    assert_int_equal(entry.code.attributes, 0xA09B);
    assert_int_equal(entry.data.attributes, 0xC093);
    fixture_end();
}

static void protected_mode_has_no_paging(void **state)
{
    struct guest_entry entry;

    (void)state;
    fixture_init(2 * MIB);
    assert_true(guest_entry_init(&entry, GUEST_MODE_PROTECTED, 0x100000, &fixture_memory));
    assert_int_equal(entry.cr0, 0x11);
    assert_int_equal(entry.cr3 | entry.cr4 | entry.efer, 0);
    assert_int_equal(guest_get(entry.gdt_base + 0x10, 8), 0x00CF9B000000FFFF);
    assert_int_equal(entry.code.attributes, 0xC09B);
    fixture_end();
}

static void entry_needs_ram(void **state)
{
    struct guest_entry entry;

    (void)state;
    fixture_init(0x90000);
    assert_false(guest_entry_init(&entry, GUEST_MODE_PROTECTED, 0, &fixture_memory));
    fixture_end();
    fixture_init(0x94000);
    assert_false(guest_entry_init(&entry, GUEST_MODE_LONG, 0, &fixture_memory));
    fixture_end();
}

#define TEST(name, function) {name, function, NULL, NULL, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("RAM-01: RAM is split at 3 GiB and goes on at 4 GiB", splits_at_three_gib),
        TEST("RAM-02: ranges that are not all RAM are refused", refuses_what_is_no_ram),
        TEST("RAM-03: a small guest has no RAM above 4 GiB", small_guest_has_no_high_ram),
        TEST("RAM-04: the memory map adds up to the RAM", map_adds_up),
        TEST("ENTRY-01: the page tables map 4 GiB to themselves", maps_four_gib_to_themselves),
        TEST("ENTRY-02: the 64-bit state agrees with its tables", long_mode_state_is_consistent),
        TEST("ENTRY-03: the 32-bit state has paging off", protected_mode_has_no_paging),
        TEST("ENTRY-04: a guest without RAM for the tables is refused", entry_needs_ram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
