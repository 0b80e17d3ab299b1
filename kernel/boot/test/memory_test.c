/* memory_test.c: free memory against a page-by-page oracle, and words of the command line. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: kernel/boot/memory.c kernel/boot/flags.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/boot/boot.h"
#include "kernel/boot/memory.h"
#include "kernel/lib/panic.h"

enum { PAGE = 4096, PAGES = 2048, FIRST_PAGE = 256 };

char kernel_start[1], kernel_end[1];

noreturn void panic(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    abort();
}

static void reset(void)
{
    memset(&boot_memory, 0, sizeof(boot_memory));
    boot_memory.command_line = "";
}

static uint64_t random_below(uint64_t limit)
{
    return (uint64_t)rand() % limit;
}

/* Mostly on a page, as firmware does it, and sometimes not. */
static uint64_t random_address(void)
{
    uint64_t address = random_below(PAGES) * PAGE;

    return random_below(4) == 0 ? address + random_below(PAGE) : address;
}

static void random_machine(void)
{
    unsigned regions = 1 + (unsigned)random_below(12);
    unsigned reserved = (unsigned)random_below(8);

    reset();
    for (unsigned i = 0; i < regions; i++) {
        uint64_t length = random_below(400 * PAGE);

        memory_add_region(random_address(), length, random_below(3) == 0 ? 2 : BOOT_REGION_RAM);
    }
    for (unsigned i = 0; i < reserved; i++) {
        uint64_t start = random_address();

        memory_reserve(start, start + 1 + random_below(100 * PAGE));
    }
}

/* A page is free if it is wholly in RAM, touches nothing else, and nobody uses it. */
static bool oracle_free(uint64_t page)
{
    uint64_t start = page * PAGE, end = start + PAGE;
    bool in_ram = false;

    for (unsigned i = 0; i < boot_memory.region_count; i++) {
        const struct boot_region *region = &boot_memory.regions[i];

        if (region->type == BOOT_REGION_RAM) {
            in_ram |= region->range.start <= start && region->range.end >= end;
        } else if (region->range.start < end && region->range.end > start) {
            return false;
        }
    }
    for (unsigned i = 0; i < boot_memory.reserved_count; i++) {
        if (boot_memory.reserved[i].start < end && boot_memory.reserved[i].end > start) {
            return false;
        }
    }
    return in_ram && page >= FIRST_PAGE;
}

static void compare_with_oracle(void)
{
    static struct boot_range ranges[BOOT_MAX_FREE];
    unsigned count = boot_free_regions(ranges);
    unsigned next = 0;

    for (unsigned i = 1; i < count; i++) {
        assert_true(ranges[i].start > ranges[i - 1].end);
    }
    for (uint64_t page = 0; page < PAGES + 400; page++) {
        bool listed;

        while (next < count && ranges[next].end <= page * PAGE) {
            next++;
        }
        listed = next < count && ranges[next].start <= page * PAGE;
        assert_int_equal(listed, oracle_free(page));
    }
}

static void free_regions_match_oracle(void **state)
{
    (void)state;
    srand(1);
    for (unsigned round = 0; round < 3000; round++) {
        random_machine();
        compare_with_oracle();
    }
}

static void reserved_ranges_merge(void **state)
{
    (void)state;
    reset();
    memory_reserve(0x5000, 0x6000);
    memory_reserve(0x4000, 0x5000);
    memory_reserve(0x6001, 0x6002);
    assert_int_equal(boot_memory.reserved_count, 1);
    assert_int_equal(boot_memory.reserved[0].start, 0x4000);
    assert_int_equal(boot_memory.reserved[0].end, 0x7000);
}

static void low_page_avoids_modules(void **state)
{
    (void)state;
    reset();
    memory_add_region(0, 0x9fc00, BOOT_REGION_RAM);
    memory_add_region(0x9fc00, 0x400, BOOT_REGION_RESERVED);
    assert_int_equal(memory_low_page(), 0x1000);
    memory_reserve(0x1000, 0x3001);
    assert_int_equal(memory_low_page(), 0x4000);
}

static void flags_are_whole_words(void **state)
{
    (void)state;
    reset();
    assert_false(boot_flag("a"));
    boot_memory.command_line = " novmx verbose2 last";
    assert_true(boot_flag("novmx"));
    assert_true(boot_flag("last"));
    assert_false(boot_flag("verbose"));
    assert_false(boot_flag("vmx"));
    assert_false(boot_flag("las"));
    assert_false(boot_flag("lastly"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"BOOT-01: the free regions are what a page-by-page oracle says", free_regions_match_oracle,
         NULL, NULL, NULL},
        {"BOOT-02: reserved ranges that touch become one", reserved_ranges_merge, NULL, NULL, NULL},
        {"BOOT-03: the page for starting CPUs is no module's", low_page_avoids_modules, NULL, NULL,
         NULL},
        {"BOOT-04: a flag is a whole word of the command line", flags_are_whole_words, NULL, NULL,
         NULL},
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
