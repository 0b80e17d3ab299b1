/* memory.c: keeps account of physical memory, and gives the kernel its own, while booting. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/boot/memory.h"

#include "kernel/boot/boot.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/string.h"
#include "kernel/x86/layout.h"

#define LOW_MEMORY_END 0x100000ull
#define LOW_PAGES_END 0xa0000ull

struct boot_memory boot_memory = {.command_line = ""};

static uint64_t early_limit;

void memory_add_region(uint64_t base, uint64_t length, uint32_t type)
{
    if (length == 0 || base + length < base) {
        return;
    }
    REQUIRE(boot_memory.region_count < BOOT_MAX_REGIONS);
    boot_memory.regions[boot_memory.region_count++] =
        (struct boot_region){{base, base + length}, type};
}

void memory_reserve(uint64_t start, uint64_t end)
{
    start = align_down(start, PAGE_SIZE);
    end = align_up(end, PAGE_SIZE);
    for (unsigned i = 0; i < boot_memory.reserved_count; i++) {
        struct boot_range *range = &boot_memory.reserved[i];

        if (start <= range->end && end >= range->start) {
            range->start = start < range->start ? start : range->start;
            range->end = end > range->end ? end : range->end;
            return;
        }
    }
    REQUIRE(boot_memory.reserved_count < BOOT_MAX_RESERVED);
    boot_memory.reserved[boot_memory.reserved_count++] = (struct boot_range){start, end};
}

void memory_reserve_image(void)
{
    memory_reserve(IMAGE_TO_PHYS(kernel_start), IMAGE_TO_PHYS(kernel_end));
}

void memory_set_limit(uint64_t limit)
{
    early_limit = limit;
}

/* Leaves of 'range' its part before a hole, or the part behind where the hole covers its start. */
static void cut(struct boot_range *range, struct boot_range hole)
{
    if (hole.start >= range->end || hole.end <= range->start) {
        return;
    }
    if (hole.start <= range->start) {
        range->start = hole.end;
    } else {
        range->end = hole.start;
    }
}

/* The part of 'range' from its first usable page to the next hole; empty if all is in use. */
static struct boot_range first_part(struct boot_range range)
{
    struct boot_range before;

    /* A hole may begin where another one ends, in any order: repeat until nothing changes. */
    do {
        before = range;
        for (unsigned i = 0; i < boot_memory.region_count; i++) {
            const struct boot_region *region = &boot_memory.regions[i];

            if (region->type != BOOT_REGION_RAM) {
                cut(&range, (struct boot_range){align_down(region->range.start, PAGE_SIZE),
                                                align_up(region->range.end, PAGE_SIZE)});
            }
        }
        for (unsigned i = 0; i < boot_memory.reserved_count; i++) {
            cut(&range, boot_memory.reserved[i]);
        }
    } while (range.start < range.end && range.start != before.start);
    return range;
}

/* The RAM region, in whole pages, that has 'from' or else begins next behind it. */
static bool next_ram(uint64_t from, struct boot_range *next)
{
    bool found = false;

    for (unsigned i = 0; i < boot_memory.region_count; i++) {
        const struct boot_region *region = &boot_memory.regions[i];
        uint64_t start = align_up(region->range.start, PAGE_SIZE);
        uint64_t end = align_down(region->range.end, PAGE_SIZE);

        start = start > from ? start : from;
        if (region->type == BOOT_REGION_RAM && start < end && (!found || start < next->start)) {
            *next = (struct boot_range){start, end};
            found = true;
        }
    }
    return found;
}

/* The first free range at or behind 'from' and below 'limit'. */
static bool next_free(uint64_t from, uint64_t limit, struct boot_range *range)
{
    while (from < limit && next_ram(from, range)) {
        *range = first_part(*range);
        range->end = range->end < limit ? range->end : limit;
        if (range->start < range->end) {
            return true;
        }
        from = range->start; /* behind the hole that took all */
    }
    return false;
}

/* The largest free range, counted in whole units of the alignment. */
static struct boot_range largest_free(uint64_t alignment)
{
    struct boot_range range, largest = {0, 0};

    for (uint64_t from = LOW_MEMORY_END; next_free(from, early_limit, &range); from = range.end) {
        uint64_t end = align_down(range.end, alignment);

        if (end > range.start && end - range.start > largest.end - largest.start) {
            largest = (struct boot_range){range.start, end};
        }
    }
    return largest;
}

void *early_alloc(uint64_t size, uint64_t alignment)
{
    struct boot_range range;
    uint64_t start;

    alignment = alignment > PAGE_SIZE ? alignment : PAGE_SIZE;
    REQUIRE(size != 0 && is_power_of_two(alignment));
    size = align_up(size, PAGE_SIZE);
    range = largest_free(alignment);
    if (range.end - range.start < size) {
        panic("boot: no %lu KiB of memory in one piece for the kernel", size / 1024);
    }
    start = align_down(range.end - size, alignment);
    REQUIRE(start >= range.start);
    memory_reserve(start, start + size);
    return memset(PHYS_TO_VIRT(start), 0, size);
}

unsigned boot_free_regions(struct boot_range *ranges)
{
    unsigned count = 0;
    struct boot_range range;

    for (uint64_t from = LOW_MEMORY_END; next_free(from, DIRECT_SIZE, &range); from = range.end) {
        if (count > 0 && ranges[count - 1].end == range.start) {
            ranges[count - 1].end = range.end;
            continue;
        }
        REQUIRE(count < BOOT_MAX_FREE);
        ranges[count++] = range;
    }
    return count;
}

uint64_t memory_low_page(void)
{
    struct boot_range range;

    /* Page 0 has the real-mode vectors, which firmware may still use. */
    if (!next_free(PAGE_SIZE, LOW_PAGES_END, &range)) {
        panic("boot: no page below 640 KiB to start the other CPUs");
    }
    return range.start;
}
