/* bzimage.c: places a Linux kernel, its initrd, its zero page and its command line. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/bzimage.h"

#include <asm/bootparam.h>

#include "vmm/boot_layout.h"
#include "vmm/guest_ram.h"
#include "vmm/image_segment.h"

/* Linux/x86 boot protocol; offsets are those in the image file. */
#define BOOT_FLAG_OFFSET     0x1FE
#define BOOT_FLAG            0xAA55
#define HEADER_OFFSET        0x1F1
#define HEADER_MAGIC_OFFSET  0x202
#define HEADER_MAGIC         0x53726448 /* "HdrS" */
#define PROTOCOL_2_12        0x020C
#define SECTOR_SIZE          512
#define DEFAULT_SETUP_SECTS  4
#define SYSSIZE_UNIT         16
#define ENTRY_64_OFFSET      0x200
#define LOADER_UNDEFINED     0xFF
#define VIDEO_MODE_NORMAL    0xFFFF

/* Where a kernel without a preferred address goes: clear of ISA DMA memory. */
#define FALLBACK_ADDRESS 0x1000000ull /* 16 MiB */

_Static_assert(sizeof(struct boot_params) == BOOT_PAGE_SIZE, "the zero page is a page");
_Static_assert(offsetof(struct boot_params, acpi_rsdp_addr) == 0x070, "boot protocol");
_Static_assert(offsetof(struct boot_params, e820_entries) == 0x1E8, "boot protocol");
_Static_assert(offsetof(struct boot_params, hdr) == HEADER_OFFSET, "boot protocol");
_Static_assert(offsetof(struct boot_params, hdr.header) == HEADER_MAGIC_OFFSET, "boot protocol");
_Static_assert(offsetof(struct boot_params, hdr.init_size) == 0x260, "boot protocol");
_Static_assert(offsetof(struct boot_params, e820_table) == 0x2D0, "boot protocol");
_Static_assert(GUEST_RANGES_MAX <= E820_MAX_ENTRIES_ZEROPAGE, "the memory map fits");

/* What was read from the image, and where its parts go. */
struct bzimage {
    struct setup_header header;
    struct byte_span kernel; /* the protected-mode code */
    uint64_t kernel_gpa;
    uint64_t initrd_gpa; /* 0: none */
};

bool bzimage_is_bzimage(struct byte_span image)
{
    uint16_t flag = 0;
    uint32_t magic = 0;

    return span_read(image, BOOT_FLAG_OFFSET, &flag, sizeof flag) && flag == BOOT_FLAG &&
           span_read(image, HEADER_MAGIC_OFFSET, &magic, sizeof magic) && magic == HEADER_MAGIC;
}

static bool is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* The rules that a header must keep whatever memory the guest has. */
static enum image_error check_header(const struct setup_header *header)
{
    if (header->version < PROTOCOL_2_12) {
        return BZIMAGE_OLD_PROTOCOL;
    }
    if (!(header->loadflags & LOADED_HIGH)) {
        return BZIMAGE_LOW_IMAGE;
    }
    if (!(header->xloadflags & XLF_KERNEL_64)) {
        return BZIMAGE_NO_64BIT_ENTRY;
    }
    if (header->pref_address != 0) {
        return IMAGE_OK;
    }
    /* Without a preferred address there must be a choice. */
    bool is_placeable = header->relocatable_kernel && is_power_of_two(header->kernel_alignment);
    return is_placeable ? IMAGE_OK : BZIMAGE_BAD_HEADER;
}

/*
 * The header ends where the jump at its start goes to. A kernel of an older protocol has code
 * behind, which must not pass for fields.
 */
static void clear_behind_end(struct setup_header *header)
{
    size_t end = HEADER_MAGIC_OFFSET - HEADER_OFFSET + (header->jump >> 8);

    if (end < sizeof *header) {
        memset((uint8_t *)header + end, 0, sizeof *header - end);
    }
}

/* Finds the protected-mode code, which follows the sectors of real-mode code. */
static enum image_error find_kernel(struct byte_span image, struct bzimage *linux_image)
{
    const struct setup_header *header = &linux_image->header;
    uint64_t setup_sects = header->setup_sects == 0 ? DEFAULT_SETUP_SECTS : header->setup_sects;
    uint64_t offset = (setup_sects + 1) * SECTOR_SIZE;
    uint64_t size = (uint64_t)header->syssize * SYSSIZE_UNIT;
    uint64_t available = image.size > offset ? image.size - offset : 0;

    /* The file need not be padded to the unit in which its size is given. */
    if (available + SYSSIZE_UNIT <= size) {
        return IMAGE_TRUNCATED;
    }
    size = size < available ? size : available;
    if (size <= ENTRY_64_OFFSET || size > header->init_size) {
        return BZIMAGE_BAD_HEADER;
    }
    linux_image->kernel = span_part(image, offset, size);
    return IMAGE_OK;
}

static enum image_error read_header(struct byte_span image, struct bzimage *linux_image)
{
    struct setup_header *header = &linux_image->header;

    if (!span_read(image, HEADER_OFFSET, header, sizeof *header)) {
        return IMAGE_TRUNCATED;
    }
    clear_behind_end(header);
    enum image_error error = check_header(header);
    if (error != IMAGE_OK) {
        return error;
    }
    return find_kernel(image, linux_image);
}

/*
 * The protocol wants pref_address; a relocatable kernel that was loaded below it would move itself
 * there, and above it needs even more memory. So there is a choice only where none is preferred.
 */
static enum image_error place_kernel(struct bzimage *linux_image,
                                     const struct guest_memory *memory)
{
    const struct setup_header *header = &linux_image->header;
    uint64_t low_end = guest_ram_low_end(memory->size);

    if (header->init_size > low_end) {
        return IMAGE_DOES_NOT_FIT;
    }
    uint64_t last = low_end - header->init_size;
    uint64_t gpa = header->pref_address;
    if (gpa == 0) {
        uint64_t mask = header->kernel_alignment - 1;
        gpa = (FALLBACK_ADDRESS + mask) & ~mask;
        if (gpa > last) {
            gpa = (BOOT_EXTENDED_BASE + mask) & ~mask;
        }
    }
    if (gpa > last) {
        return IMAGE_DOES_NOT_FIT;
    }
    if (gpa < BOOT_EXTENDED_BASE) {
        return IMAGE_OVERLAPS_BOOT_AREA;
    }
    linux_image->kernel_gpa = gpa;
    return IMAGE_OK;
}

/*
 * Finds room for LENGTH bytes, page aligned and as high as possible, below LIMIT and in low RAM.
 * Returns its address, or 0 if it would lie below FLOOR.
 */
static uint64_t find_room_below(const struct guest_memory *memory, uint64_t length,
                                uint64_t floor, uint64_t limit)
{
    uint64_t low_end = guest_ram_low_end(memory->size);
    uint64_t end = limit < low_end ? limit : low_end;

    if (length > end) {
        return 0;
    }
    uint64_t gpa = (end - length) & ~(uint64_t)(BOOT_PAGE_SIZE - 1);
    return gpa >= floor ? gpa : 0;
}

/* Puts the initrd above all that the kernel uses before it reads the memory map. */
static enum image_error load_initrd(struct bzimage *linux_image, struct byte_span initrd,
                                    const struct guest_memory *memory)
{
    const struct setup_header *header = &linux_image->header;
    uint64_t floor = linux_image->kernel_gpa + header->init_size;

    linux_image->initrd_gpa = 0;
    if (initrd.size == 0) {
        return IMAGE_OK;
    }
    uint64_t gpa = find_room_below(memory, initrd.size, floor, header->initrd_addr_max + 1ull);
    if (gpa == 0 || image_segment_load(memory, initrd, gpa, initrd.size) != IMAGE_OK) {
        return IMAGE_INITRD_DOES_NOT_FIT;
    }
    linux_image->initrd_gpa = gpa;
    return IMAGE_OK;
}

static enum image_error load_command_line(const struct bzimage *linux_image, const char *line,
                                          const struct guest_memory *memory)
{
    uint64_t length = strlen(line); /* cmdline_size does not count the final zero either */

    if (length > linux_image->header.cmdline_size ||
        length >= BOOT_STRINGS_END - BOOT_STRINGS_BASE) {
        return IMAGE_COMMAND_LINE_TOO_LONG;
    }
    bool written = guest_memory_write(memory, BOOT_STRINGS_BASE, line, length + 1);
    return written ? IMAGE_OK : IMAGE_NO_LOW_MEMORY;
}

static void fill_memory_map(struct boot_params *params, uint64_t memory_size)
{
    struct guest_range ranges[GUEST_RANGES_MAX];
    unsigned count = guest_ram_map(memory_size, ranges);

    for (unsigned i = 0; i < count; i++) {
        params->e820_table[i] =
            (struct boot_e820_entry){ranges[i].base, ranges[i].size, ranges[i].type};
    }
    params->e820_entries = (uint8_t)count;
}

/* Only the header that the image brought goes into the zero page; all else there stays zero. */
static enum image_error write_zero_page(const struct bzimage *linux_image,
                                        const struct guest_image_request *request,
                                        const struct guest_memory *memory)
{
    struct boot_params *params =
        memory->at(memory->ctx, BOOT_INFO_BASE, sizeof(struct boot_params));
    if (params == NULL) {
        return IMAGE_NO_LOW_MEMORY;
    }
    memset(params, 0, sizeof *params);
    params->hdr = linux_image->header;
    params->hdr.type_of_loader = LOADER_UNDEFINED;
    params->hdr.vid_mode = VIDEO_MODE_NORMAL;
    params->hdr.code32_start = (uint32_t)linux_image->kernel_gpa;
    params->hdr.cmd_line_ptr = BOOT_STRINGS_BASE;
    params->hdr.ramdisk_image = (uint32_t)linux_image->initrd_gpa;
    params->hdr.ramdisk_size = (uint32_t)request->initrd.size;
    params->hdr.setup_data = 0;
    params->acpi_rsdp_addr = request->rsdp;
    fill_memory_map(params, memory->size);
    return IMAGE_OK;
}

enum image_error bzimage_load(const struct guest_image_request *request,
                              const struct guest_memory *memory, struct guest_entry *entry)
{
    struct bzimage linux_image;

    enum image_error error = read_header(request->image, &linux_image);
    if (error == IMAGE_OK) {
        error = place_kernel(&linux_image, memory);
    }
    if (error == IMAGE_OK) {
        error = image_segment_load(memory, linux_image.kernel, linux_image.kernel_gpa,
                                   linux_image.kernel.size);
    }
    if (error == IMAGE_OK) {
        error = load_initrd(&linux_image, request->initrd, memory);
    }
    if (error == IMAGE_OK) {
        error = load_command_line(&linux_image, request->command_line, memory);
    }
    if (error == IMAGE_OK) {
        error = write_zero_page(&linux_image, request, memory);
    }
    if (error != IMAGE_OK) {
        return error;
    }
    uint64_t rip = linux_image.kernel_gpa + ENTRY_64_OFFSET;
    if (!guest_entry_init(entry, GUEST_MODE_LONG, rip, memory)) {
        return IMAGE_NO_LOW_MEMORY;
    }
    entry->rsi = BOOT_INFO_BASE;
    return IMAGE_OK;
}
