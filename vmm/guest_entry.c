/* guest_entry.c: makes the first vCPU's state, its GDT and its identity-mapped page tables. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/guest_entry.h"

#include <stddef.h>

#include "vmm/boot_layout.h"

/* SDM volume 3: 2.5 for CR0 and CR4, 2.2.1 for EFER, 4.5.4 for paging entries. */
#define CR0_PE   (1u << 0)
#define CR0_ET   (1u << 4)
#define CR0_PG   (1u << 31)
#define CR4_PAE  (1u << 5)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)
#define RFLAGS_ALWAYS_1 (1u << 1)

#define PTE_PRESENT  (1u << 0)
#define PTE_WRITABLE (1u << 1)
#define PTE_LARGE    (1u << 7)

#define ENTRIES_PER_TABLE 512u
#define LARGE_PAGE_SIZE   0x200000ull
#define DIRECTORIES       4u /* of 1 GiB each: the IOAPIC and local APICs are mapped too */

/* The selectors that the Linux 64-bit entry asks for: __BOOT_CS and __BOOT_DS. */
#define CODE_SELECTOR 0x10u
#define DATA_SELECTOR 0x18u
#define GDT_ENTRIES   4u

/* Present, 4 GiB, accessed; SDM volume 3, 3.4.5. */
#define CODE_32_ATTRIBUTES 0xC09Bu
#define CODE_64_ATTRIBUTES 0xA09Bu
#define DATA_ATTRIBUTES    0xC093u
#define BUSY_TSS_ATTRIBUTES 0x008Bu
#define LDT_ATTRIBUTES      0x0082u

_Static_assert(BOOT_TABLES_BASE + (2 + DIRECTORIES) * BOOT_PAGE_SIZE <= BOOT_TABLES_END,
               "the page tables fit into their place");

/* A flat descriptor: base 0, limit 0xFFFFF in units of 4 KiB. */
static uint64_t flat_descriptor(uint16_t attributes)
{
    return 0xFFFFull | (uint64_t)(attributes | 0x0F00u) << 40;
}

static bool write_gdt(const struct guest_memory *memory, uint16_t code_attributes)
{
    uint64_t gdt[GDT_ENTRIES] = {
        [CODE_SELECTOR / 8] = flat_descriptor(code_attributes),
        [DATA_SELECTOR / 8] = flat_descriptor(DATA_ATTRIBUTES),
    };
    return guest_memory_write(memory, BOOT_GDT_BASE, gdt, sizeof gdt);
}

static bool write_page_tables(const struct guest_memory *memory)
{
    uint64_t *root = memory->at(memory->ctx, BOOT_TABLES_BASE, BOOT_TABLES_END - BOOT_TABLES_BASE);
    if (root == NULL) {
        return false;
    }
    uint64_t *pointers = root + ENTRIES_PER_TABLE;
    uint64_t *directories = pointers + ENTRIES_PER_TABLE;
    uint64_t pointers_gpa = BOOT_TABLES_BASE + BOOT_PAGE_SIZE;
    uint64_t directories_gpa = pointers_gpa + BOOT_PAGE_SIZE;

    guest_memory_clear(memory, BOOT_TABLES_BASE, BOOT_TABLES_END - BOOT_TABLES_BASE);
    root[0] = pointers_gpa | PTE_PRESENT | PTE_WRITABLE;
    for (uint64_t i = 0; i < DIRECTORIES; i++) {
        pointers[i] = (directories_gpa + i * BOOT_PAGE_SIZE) | PTE_PRESENT | PTE_WRITABLE;
    }
    for (uint64_t i = 0; i < DIRECTORIES * ENTRIES_PER_TABLE; i++) {
        directories[i] = i * LARGE_PAGE_SIZE | PTE_PRESENT | PTE_WRITABLE | PTE_LARGE;
    }
    return true;
}

bool guest_entry_init(struct guest_entry *entry, enum guest_mode mode, uint64_t rip,
                      const struct guest_memory *memory)
{
    bool is_long = mode == GUEST_MODE_LONG;
    uint16_t code_attributes = is_long ? CODE_64_ATTRIBUTES : CODE_32_ATTRIBUTES;

    if (!write_gdt(memory, code_attributes) || (is_long && !write_page_tables(memory))) {
        return false;
    }
    *entry = (struct guest_entry){
        .mode = mode,
        .rip = rip,
        .rsp = BOOT_STACK_TOP,
        .rflags = RFLAGS_ALWAYS_1,
        .cr0 = CR0_PE | CR0_ET | (is_long ? CR0_PG : 0),
        .cr3 = is_long ? BOOT_TABLES_BASE : 0,
        .cr4 = is_long ? CR4_PAE : 0,
        .efer = is_long ? EFER_LME | EFER_LMA : 0,
        .gdt_base = BOOT_GDT_BASE,
        .gdt_limit = GDT_ENTRIES * sizeof(uint64_t) - 1,
        .code = {CODE_SELECTOR, code_attributes, UINT32_MAX, 0},
        .data = {DATA_SELECTOR, DATA_ATTRIBUTES, UINT32_MAX, 0},
        .task = {0, BUSY_TSS_ATTRIBUTES, 0xFFFF, 0},
        .local = {0, LDT_ATTRIBUTES, 0xFFFF, 0},
    };
    return true;
}
