/* multiboot1_info.c: fills the Multiboot information structure and what it points to. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/multiboot1_info.h"

#include "vmm/boot_layout.h"
#include "vmm/guest_ram.h"

/* Multiboot specification 0.6.96, section 3.3. */
#define INFO_MEMORY      (1u << 0)
#define INFO_COMMAND     (1u << 2)
#define INFO_MODULES     (1u << 3)
#define INFO_MAP         (1u << 6)
#define INFO_LOADER_NAME (1u << 9)

/* All addresses are physical, all sizes in bytes, but mem_lower and mem_upper in KiB. */
struct multiboot_info {
    uint32_t flags;
    uint32_t mem_lower;
    uint32_t mem_upper;
    uint32_t boot_device;
    uint32_t cmdline;
    uint32_t mods_count;
    uint32_t mods_addr;
    uint32_t syms[4];
    uint32_t mmap_length;
    uint32_t mmap_addr;
    uint32_t drives_length;
    uint32_t drives_addr;
    uint32_t config_table;
    uint32_t boot_loader_name;
    uint32_t apm_table;
    uint32_t video[11]; /* VBE and frame buffer fields */
};

_Static_assert(sizeof(struct multiboot_info) == 116, "Multiboot 3.3");
_Static_assert(offsetof(struct multiboot_info, mmap_length) == 44, "Multiboot 3.3");
_Static_assert(offsetof(struct multiboot_info, boot_loader_name) == 64, "Multiboot 3.3");

struct multiboot_module {
    uint32_t mod_start;
    uint32_t mod_end; /* the first byte behind it */
    uint32_t string;
    uint32_t reserved;
};

_Static_assert(sizeof(struct multiboot_module) == 16, "Multiboot 3.3");

/* SIZE does not count itself; it stands 4 bytes before the address to which it belongs. */
struct multiboot_map_entry {
    uint32_t size;
    uint64_t base_addr;
    uint64_t length;
    uint32_t type;
} __attribute__((packed));

_Static_assert(sizeof(struct multiboot_map_entry) == 24, "Multiboot 3.3");

/* Everything but the strings, in one page of the guest's. */
struct info_page {
    struct multiboot_info info;
    struct multiboot_module module;
    struct multiboot_map_entry map[GUEST_RANGES_MAX];
};

_Static_assert(sizeof(struct info_page) <= BOOT_PAGE_SIZE, "the information fits into its page");

#define INFO_PAGE_GPA(member) ((uint32_t)(BOOT_INFO_BASE + offsetof(struct info_page, member)))

/* Appends TEXT at *END, which moves on. Returns its gpa, or 0 if the room is used up. */
static uint32_t put_string(const struct guest_memory *memory, const char *text, uint64_t *end)
{
    uint64_t gpa = *end;
    uint64_t size = strlen(text) + 1;

    if (size > BOOT_STRINGS_END - gpa || !guest_memory_write(memory, gpa, text, size)) {
        return 0;
    }
    *end = gpa + size;
    return (uint32_t)gpa;
}

static void fill_memory(struct info_page *page, uint64_t memory_size)
{
    struct guest_range ranges[GUEST_RANGES_MAX];
    unsigned count = guest_ram_map(memory_size, ranges);

    for (unsigned i = 0; i < count; i++) {
        page->map[i] = (struct multiboot_map_entry){
            sizeof page->map[i] - sizeof page->map[i].size,
            ranges[i].base,
            ranges[i].size,
            ranges[i].type,
        };
    }
    page->info.mmap_addr = INFO_PAGE_GPA(map);
    page->info.mmap_length = count * (uint32_t)sizeof page->map[0];
    page->info.mem_lower = BOOT_CONVENTIONAL_END / 1024;
    page->info.mem_upper = (uint32_t)((guest_ram_low_end(memory_size) - BOOT_EXTENDED_BASE) / 1024);
    page->info.flags |= INFO_MEMORY | INFO_MAP;
}

enum image_error multiboot1_info_write(const struct guest_image_request *request,
                                       uint64_t module_gpa, const struct guest_memory *memory)
{
    struct info_page page = {0};
    uint64_t strings_end = BOOT_STRINGS_BASE;

    fill_memory(&page, memory->size);

    page.info.boot_loader_name = put_string(memory, "Quire", &strings_end);
    page.info.cmdline = put_string(memory, request->command_line, &strings_end);
    page.info.flags |= INFO_LOADER_NAME | INFO_COMMAND;
    if (page.info.boot_loader_name == 0 || page.info.cmdline == 0) {
        return IMAGE_COMMAND_LINE_TOO_LONG;
    }
    page.info.flags |= INFO_MODULES;
    page.info.mods_addr = INFO_PAGE_GPA(module);
    if (request->initrd.size > 0) {
        page.info.mods_count = 1;
        page.module.mod_start = (uint32_t)module_gpa;
        page.module.mod_end = (uint32_t)(module_gpa + request->initrd.size);
        page.module.string = put_string(memory, request->initrd_name, &strings_end);
        if (page.module.string == 0) {
            return IMAGE_COMMAND_LINE_TOO_LONG;
        }
    }
    bool written = guest_memory_write(memory, BOOT_INFO_BASE, &page, sizeof page);
    return written ? IMAGE_OK : IMAGE_NO_LOW_MEMORY;
}
