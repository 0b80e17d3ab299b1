/* multiboot2.c: reads the boot information of a Multiboot2 loader. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/boot/multiboot2.h"

#include "kernel/boot/boot.h"
#include "kernel/boot/memory.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/panic.h"
#include "kernel/x86/layout.h"
#include "kernel/x86/symbols.h"

/* Multiboot2 3.6. */
struct mb2_information {
    uint32_t total_size;
    uint32_t reserved;
};

struct mb2_tag {
    uint32_t type;
    uint32_t size; /* without the padding to 8 bytes */
};

enum mb2_tag_type {
    MB2_END = 0,
    MB2_COMMAND_LINE = 1,
    MB2_MODULE = 3,
    MB2_MEMORY_MAP = 6,
    MB2_ELF_SECTIONS = 9,
    MB2_RSDP_OLD = 14,
    MB2_RSDP_NEW = 15,
};

struct mb2_module {
    struct mb2_tag tag;
    uint32_t start;
    uint32_t end;
};

struct mb2_memory_map {
    struct mb2_tag tag;
    uint32_t entry_size;
    uint32_t entry_version;
};

struct mb2_memory_entry {
    uint64_t base;
    uint64_t length;
    uint32_t type;
    uint32_t reserved;
};

_Static_assert(sizeof(struct mb2_memory_entry) == 24, "Multiboot2 3.6.8");

struct mb2_elf_sections {
    struct mb2_tag tag;
    uint32_t count;
    uint32_t entry_size;
    uint32_t names_index;
};

_Static_assert(sizeof(struct mb2_elf_sections) == 20, "Multiboot2 3.6.7");

/* ELF-64 object file format, "Sections"; packed, as it follows a header of 20 bytes. */
struct elf64_section {
    uint32_t name;
    uint32_t type;
    uint64_t flags;
    uint64_t address;
    uint64_t offset;
    uint64_t size;
    uint32_t link;
    uint32_t info;
    uint64_t alignment;
    uint64_t entry_size;
} __attribute__((packed));

_Static_assert(sizeof(struct elf64_section) == 64, "Elf64_Shdr");

enum { ELF_SECTION_SYMBOLS = 2 };

static void read_command_line(const struct mb2_tag *tag)
{
    const char *text = (const char *)(tag + 1);

    if (tag->size > sizeof(*tag) && ((const char *)tag)[tag->size - 1] == '\0') {
        boot_memory.command_line = text;
    }
}

static void read_module(const struct mb2_tag *tag)
{
    const struct mb2_module *module = (const struct mb2_module *)tag;

    if (tag->size < sizeof(*module) || module->end < module->start) {
        panic("boot: a module's tag is damaged");
    }
    if (boot_memory.module_count == BOOT_MAX_MODULES) {
        panic("boot: more than %d modules", BOOT_MAX_MODULES);
    }
    if (!is_aligned(module->start, PAGE_SIZE)) {
        panic("boot: the loader put a module at %x, not on a page", module->start);
    }
    boot_memory.modules[boot_memory.module_count++] =
        (struct boot_range){module->start, module->end};
    memory_reserve(module->start, module->end);
}

static void read_memory_map(const struct mb2_tag *tag)
{
    const struct mb2_memory_map *map = (const struct mb2_memory_map *)tag;
    uint32_t size = map->entry_size;
    uint32_t at = sizeof(*map);

    if (tag->size < sizeof(*map) || size < sizeof(struct mb2_memory_entry)) {
        panic("boot: the memory map's tag is damaged");
    }
    for (; at + size <= tag->size; at += size) {
        const struct mb2_memory_entry *entry =
            (const struct mb2_memory_entry *)((const char *)tag + at);

        memory_add_region(entry->base, entry->length, entry->type);
    }
}

/*
 * Symbols are not part of the loaded image; the loader puts them where there is room and writes
 * that address into the section's header.
 */
static void read_elf_sections(const struct mb2_tag *tag)
{
    const struct mb2_elf_sections *elf = (const struct mb2_elf_sections *)tag;
    const struct elf64_section *sections = (const struct elf64_section *)(elf + 1);

    if (tag->size < sizeof(*elf) || elf->entry_size != sizeof(*sections) ||
        (tag->size - sizeof(*elf)) / sizeof(*sections) < elf->count) {
        return;
    }
    for (uint32_t i = 0; i < elf->count; i++) {
        const struct elf64_section *symbols = &sections[i];

        if (symbols->type == ELF_SECTION_SYMBOLS && symbols->link < elf->count) {
            const struct elf64_section *names = &sections[symbols->link];

            memory_reserve(symbols->address, symbols->address + symbols->size);
            memory_reserve(names->address, names->address + names->size);
            symbols_set(PHYS_TO_VIRT(symbols->address), symbols->size,
                        PHYS_TO_VIRT(names->address), names->size);
        }
    }
}

/* The tag has a copy of the RSDP, which is all that is needed: its address in the direct map. */
static void read_rsdp(const struct mb2_tag *tag)
{
    boot_memory.rsdp = VIRT_TO_PHYS(tag + 1);
}

static void read_tag(const struct mb2_tag *tag)
{
    switch (tag->type) {
    case MB2_COMMAND_LINE:
        read_command_line(tag);
        break;
    case MB2_MODULE:
        read_module(tag);
        break;
    case MB2_MEMORY_MAP:
        read_memory_map(tag);
        break;
    case MB2_ELF_SECTIONS:
        read_elf_sections(tag);
        break;
    case MB2_RSDP_OLD:
        /* The newer one leads to more, whichever comes first. */
        if (boot_memory.rsdp == 0) {
            read_rsdp(tag);
        }
        break;
    case MB2_RSDP_NEW:
        read_rsdp(tag);
        break;
    default:
        break;
    }
}

void multiboot2_read(uint64_t information)
{
    const char *start = PHYS_TO_VIRT(information);
    uint32_t total = ((const struct mb2_information *)start)->total_size;
    uint64_t at = sizeof(struct mb2_information);

    memory_reserve(information, information + total);
    while (at + sizeof(struct mb2_tag) <= total) {
        const struct mb2_tag *tag = (const struct mb2_tag *)(start + at);

        if (tag->type == MB2_END) {
            break;
        }
        if (tag->size < sizeof(*tag) || tag->size > total - at) {
            panic("boot: the boot information is damaged at byte %lu", at);
        }
        read_tag(tag);
        at = align_up(at + tag->size, 8);
    }
    if (boot_memory.region_count == 0) {
        panic("boot: the loader gave no memory map");
    }
}
