/* direct_map.c: the kernel's own page tables: its image, and all physical memory. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/boot/direct_map.h"

#include <stddef.h>

#include "kernel/boot/boot.h"
#include "kernel/boot/memory.h"
#include "kernel/lib/bits.h"
#include "kernel/x86/asm.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/layout.h"

/* Page-table entries, SDM 3A 4.5. PCD and PWT together select uncacheable in the reset PAT. */
#define PTE_P (1ull << 0)
#define PTE_RW (1ull << 1)
#define PTE_PWT (1ull << 3)
#define PTE_PCD (1ull << 4)
#define PTE_A (1ull << 5)
#define PTE_D (1ull << 6)
#define PTE_PS (1ull << 7)
#define PTE_G (1ull << 8)
#define PTE_NX (1ull << 63)
#define PTE_TABLE (PTE_P | PTE_RW)
#define PTE_LEAF (PTE_P | PTE_A | PTE_D | PTE_G)
#define PTE_LARGE_RAM (PTE_LEAF | PTE_RW | PTE_PS | PTE_NX)
#define PTE_LARGE_DEVICE (PTE_LARGE_RAM | PTE_PCD | PTE_PWT)
#define PTE_ADDRESS 0x000ffffffffff000ull

#define LOW_LIMIT (1ull << 32)
#define ENTRIES 512

/* In boot.asm; all in the image. */
extern uint64_t boot_direct_pdpt[ENTRIES];
extern uint64_t boot_direct_pd[4 * ENTRIES];
extern uint64_t boot_image_pd[ENTRIES];
extern uint64_t boot_image_pt[ENTRIES];

/* The 2 MiB from CPU_BASE. */
static uint64_t cpu_pt[ENTRIES] __attribute__((aligned(PAGE_SIZE)));

_Static_assert(MAX_CPUS * CPU_AREA_SIZE <= LARGE_PAGE_SIZE, "one page table maps all CPU areas");

/* Firmware's tables are read as RAM is. */
static bool is_memory(const struct boot_region *region)
{
    return region->type == BOOT_REGION_RAM || region->type == BOOT_REGION_ACPI ||
           region->type == BOOT_REGION_NVS;
}

static uint64_t image_rights(uint64_t address)
{
    if (address < (uint64_t)kernel_text_end) {
        return PTE_LEAF;
    }
    return address < (uint64_t)kernel_rodata_end ? PTE_LEAF | PTE_NX : PTE_LEAF | PTE_RW | PTE_NX;
}

static void map_image(void)
{
    uint64_t start = (uint64_t)kernel_start;
    uint64_t end = (uint64_t)kernel_end;
    const struct cpu_area *boot = (const struct cpu_area *)cpus[0];

    for (uint64_t address = start; address < end; address += PAGE_SIZE) {
        boot_image_pt[IMAGE_TO_PHYS(address) / PAGE_SIZE] =
            IMAGE_TO_PHYS(address) | image_rights(address);
    }
    boot_image_pt[IMAGE_TO_PHYS(boot->guard) / PAGE_SIZE] = 0;
    boot_image_pd[0] = IMAGE_TO_PHYS(boot_image_pt) | PTE_TABLE;
    boot_image_pd[1] = IMAGE_TO_PHYS(cpu_pt) | PTE_TABLE;
}

struct cpu_area *direct_map_cpu_area(unsigned id)
{
    struct cpu_area *area = (struct cpu_area *)(CPU_BASE + id * CPU_AREA_SIZE);
    uint64_t memory = VIRT_TO_PHYS(early_alloc(sizeof(*area), PAGE_SIZE));
    uint64_t guard = offsetof(struct cpu_area, guard);

    for (uint64_t at = 0; at < sizeof(*area); at += PAGE_SIZE) {
        if (at != guard) {
            cpu_pt[(id * CPU_AREA_SIZE + at) / PAGE_SIZE] =
                (memory + at) | PTE_LEAF | PTE_RW | PTE_NX;
        }
    }
    return area;
}

/*
 * Below 4 GiB everything is mapped, in 2 MiB pages: cached where there is any memory, for MTRRs
 * keep what is not RAM in such a page uncached (the first MiB), and uncached where there is none.
 */
static void map_low(void)
{
    for (uint64_t i = 0; i < 4 * ENTRIES; i++) {
        boot_direct_pd[i] = i * LARGE_PAGE_SIZE | PTE_LARGE_DEVICE;
    }
    for (unsigned i = 0; i < boot_memory.region_count; i++) {
        const struct boot_region *region = &boot_memory.regions[i];
        uint64_t address = align_down(region->range.start, LARGE_PAGE_SIZE);

        for (; is_memory(region) && address < region->range.end && address < LOW_LIMIT;
             address += LARGE_PAGE_SIZE) {
            boot_direct_pd[address / LARGE_PAGE_SIZE] = address | PTE_LARGE_RAM;
        }
    }
}

/* Maps the part of one GiB that the range has; its page directory is made when it is needed. */
static void map_part_of_gib(uint64_t *entry, uint64_t start, uint64_t end)
{
    uint64_t *directory;

    if (*entry == 0) {
        *entry = VIRT_TO_PHYS(early_alloc(PAGE_SIZE, PAGE_SIZE)) | PTE_TABLE;
    }
    directory = PHYS_TO_VIRT(*entry & PTE_ADDRESS);
    for (uint64_t address = start; address < end; address += LARGE_PAGE_SIZE) {
        directory[address / LARGE_PAGE_SIZE % ENTRIES] = address | PTE_LARGE_RAM;
    }
}

static void map_high(uint64_t start, uint64_t end)
{
    while (start < end) {
        uint64_t *entry = &boot_direct_pdpt[start / HUGE_PAGE_SIZE];
        uint64_t next = align_down(start, HUGE_PAGE_SIZE) + HUGE_PAGE_SIZE;

        next = next < end ? next : end;
        if (next - start == HUGE_PAGE_SIZE && *entry == 0 && cpu_features.huge_pages) {
            *entry = start | PTE_LARGE_RAM;
        } else {
            map_part_of_gib(entry, start, next);
        }
        start = next;
    }
}

void direct_map_build(void)
{
    map_image();
    map_low();
    write_cr3(IMAGE_TO_PHYS(kernel_pml4));
    memory_set_limit(LOW_LIMIT);
    for (unsigned i = 0; i < boot_memory.region_count; i++) {
        const struct boot_region *region = &boot_memory.regions[i];
        uint64_t start = region->range.start > LOW_LIMIT ? region->range.start : LOW_LIMIT;
        uint64_t end = region->range.end < DIRECT_SIZE ? region->range.end : DIRECT_SIZE;

        if (is_memory(region) && start < end) {
            map_high(align_down(start, LARGE_PAGE_SIZE), align_up(end, LARGE_PAGE_SIZE));
        }
    }
    memory_set_limit(DIRECT_SIZE);
}

bool direct_map_covers(uint64_t physical, uint64_t size)
{
    uint64_t end = physical + size;

    if (end < physical) {
        return false;
    }
    if (end <= LOW_LIMIT) {
        return true;
    }
    for (unsigned i = 0; i < boot_memory.region_count; i++) {
        const struct boot_region *region = &boot_memory.regions[i];

        if (is_memory(region) && physical >= region->range.start && end <= region->range.end &&
            end <= DIRECT_SIZE) {
            return true;
        }
    }
    return false;
}

void direct_map_drop_low(void)
{
    kernel_pml4[0] = 0;
    write_cr3(IMAGE_TO_PHYS(kernel_pml4));
}
