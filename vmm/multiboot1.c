/* multiboot1.c: finds the Multiboot-1 header of an image and loads the image as it says. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/multiboot1.h"

#include "vmm/boot_layout.h"
#include "vmm/elf.h"
#include "vmm/image_segment.h"
#include "vmm/multiboot1_info.h"

/* Multiboot specification 0.6.96, sections 3.1 and 3.2. */
#define SEARCH_END      8192u
#define HEADER_ALIGN    4u
#define HEADER_MAGIC    0x1BADB002u
#define ENTRY_MAGIC     0x2BADB002u
#define FLAG_ALIGN      (1u << 0) /* modules on page boundaries: always so */
#define FLAG_MEMORY     (1u << 1) /* memory information: always there */
#define FLAG_VIDEO      (1u << 2)
#define FLAGS_MANDATORY 0xFFFFu
#define FLAG_ADDRESSES  (1u << 16)

/* The three words that every header has. */
struct header_base {
    uint32_t magic;
    uint32_t flags;
    uint32_t checksum;
};

/* The words that FLAG_ADDRESSES makes valid, behind the base. */
struct header_addresses {
    uint32_t header_addr;
    uint32_t load_addr;
    uint32_t load_end_addr; /* 0: up to the file's end */
    uint32_t bss_end_addr;  /* 0: nothing to be zeroed */
    uint32_t entry_addr;
};

_Static_assert(sizeof(struct header_base) == 12, "Multiboot 3.1.1");
_Static_assert(sizeof(struct header_addresses) == 20, "Multiboot 3.1.1");

/* Where an image went: the first gpa behind it, and its entry point. */
struct placement {
    uint64_t end;
    uint64_t entry;
};

/* Finds the header in IMAGE, and its OFFSET there. */
static bool find_header(struct byte_span image, struct header_base *base, uint64_t *offset)
{
    for (uint64_t at = 0; at + sizeof *base <= SEARCH_END; at += HEADER_ALIGN) {
        if (!span_read(image, at, base, sizeof *base)) {
            return false;
        }
        if (base->magic == HEADER_MAGIC && base->magic + base->flags + base->checksum == 0) {
            *offset = at;
            return true;
        }
    }
    return false;
}

bool multiboot1_is_multiboot1(struct byte_span image)
{
    struct header_base base;
    uint64_t offset;

    return find_header(image, &base, &offset);
}

static enum image_error check_flags(uint32_t flags)
{
    if (flags & FLAG_VIDEO) {
        return MULTIBOOT_WANTS_VIDEO;
    }
    if (flags & FLAGS_MANDATORY & ~(FLAG_ALIGN | FLAG_MEMORY)) {
        return MULTIBOOT_UNKNOWN_FLAG;
    }
    return IMAGE_OK;
}

/* Loads what the address fields of the header at OFFSET describe; the file's format is ignored. */
static enum image_error load_by_addresses(struct byte_span image, uint64_t offset,
                                          const struct guest_memory *memory,
                                          struct placement *placement)
{
    struct header_addresses fields;

    if (!span_read(image, offset + sizeof(struct header_base), &fields, sizeof fields)) {
        return IMAGE_TRUNCATED;
    }
    uint64_t lead = (uint64_t)fields.header_addr - fields.load_addr;
    if (fields.header_addr < fields.load_addr || lead > offset) {
        return MULTIBOOT_BAD_ADDRESSES;
    }
    uint64_t start = offset - lead;
    uint64_t load_end = fields.load_end_addr;
    if (load_end == 0) {
        load_end = fields.load_addr + (image.size - start);
    }
    uint64_t end = fields.bss_end_addr == 0 ? load_end : fields.bss_end_addr;
    if (load_end <= fields.load_addr || end < load_end) {
        return MULTIBOOT_BAD_ADDRESSES;
    }
    if (!span_holds(image, start, load_end - fields.load_addr)) {
        return IMAGE_TRUNCATED;
    }
    if (fields.entry_addr < fields.load_addr || fields.entry_addr >= end) {
        return ELF_BAD_ENTRY;
    }
    *placement = (struct placement){end, fields.entry_addr};
    struct byte_span content = span_part(image, start, load_end - fields.load_addr);
    return image_segment_load(memory, content, fields.load_addr, end - fields.load_addr);
}

static enum image_error load_elf(struct byte_span image, const struct guest_memory *memory,
                                 struct placement *placement)
{
    struct elf_file file;
    struct elf_loaded loaded;

    if (!elf_is_elf(image)) {
        return MULTIBOOT_NOT_ELF;
    }
    enum image_error error = elf_open(image, &file);
    if (error == IMAGE_OK) {
        error = elf_load(&file, memory, &loaded);
    }
    if (error == IMAGE_OK) {
        *placement = (struct placement){loaded.end, loaded.entry};
    }
    return error;
}

/* Puts the initrd on the first page behind the image; *GPA is 0 if there is none. */
static enum image_error load_module(struct byte_span initrd, uint64_t image_end,
                                    const struct guest_memory *memory, uint64_t *gpa)
{
    *gpa = 0;
    if (initrd.size == 0) {
        return IMAGE_OK;
    }
    uint64_t floor = image_end > BOOT_EXTENDED_BASE ? image_end : BOOT_EXTENDED_BASE;
    *gpa = (floor + BOOT_PAGE_SIZE - 1) & ~(uint64_t)(BOOT_PAGE_SIZE - 1);
    enum image_error error = image_segment_load(memory, initrd, *gpa, initrd.size);
    return error == IMAGE_OK ? IMAGE_OK : IMAGE_INITRD_DOES_NOT_FIT;
}

static enum image_error load_image(struct byte_span image, const struct guest_memory *memory,
                                   struct placement *placement)
{
    struct header_base base;
    uint64_t offset;

    if (!find_header(image, &base, &offset)) {
        return IMAGE_UNKNOWN;
    }
    enum image_error error = check_flags(base.flags);
    if (error != IMAGE_OK) {
        return error;
    }
    if (base.flags & FLAG_ADDRESSES) {
        return load_by_addresses(image, offset, memory, placement);
    }
    return load_elf(image, memory, placement);
}

enum image_error multiboot1_load(const struct guest_image_request *request,
                                 const struct guest_memory *memory, struct guest_entry *entry)
{
    struct placement placement;
    uint64_t module_gpa;

    enum image_error error = load_image(request->image, memory, &placement);
    if (error == IMAGE_OK) {
        error = load_module(request->initrd, placement.end, memory, &module_gpa);
    }
    if (error == IMAGE_OK) {
        error = multiboot1_info_write(request, module_gpa, memory);
    }
    if (error != IMAGE_OK) {
        return error;
    }
    if (!guest_entry_init(entry, GUEST_MODE_PROTECTED, placement.entry, memory)) {
        return IMAGE_NO_LOW_MEMORY;
    }
    entry->rax = ENTRY_MAGIC;
    entry->rbx = BOOT_INFO_BASE;
    return IMAGE_OK;
}
