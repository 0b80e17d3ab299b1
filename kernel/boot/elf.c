/* elf.c: reading 64-bit ELF executables, with every offset checked. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/boot/elf.h"

#include <stddef.h>

#include "kernel/abi/syscall.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/string.h"
#include "kernel/x86/layout.h"

/* System V gABI, figure 4-3 (64-bit). */
struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, program_headers, section_headers;
    uint32_t flags;
    uint16_t header_size, program_header_size, program_header_count;
    uint16_t section_header_size, section_header_count, section_names;
};
_Static_assert(sizeof(struct elf_header) == 64, "ELF header");

struct elf_program_header {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_size, memory_size, alignment;
};
_Static_assert(sizeof(struct elf_program_header) == 56, "ELF program header");

enum { PT_LOAD = 1, PF_EXECUTE = 1, PF_WRITE = 2, PF_READ = 4 };

const char *elf_open(struct elf_image *image, const void *file, uint64_t size)
{
    static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1}; /* 64 bits, little-endian */
    struct elf_header header;

    if (size < sizeof(header) || memcmp(file, ident, sizeof(ident)) != 0) {
        return "not a 64-bit ELF file";
    }
    memcpy(&header, file, sizeof(header));
    if (header.type != 2 || header.machine != 62) {
        return "not an x86-64 executable";
    }
    if (header.program_header_size != sizeof(struct elf_program_header) ||
        header.program_headers > size ||
        header.program_header_count > (size - header.program_headers) / header.program_header_size) {
        return "its program headers are outside the file";
    }
    *image = (struct elf_image){file, size, header.entry, header.program_header_count,
                                header.program_headers};
    return NULL;
}

const char *elf_segment(const struct elf_image *image, unsigned index, struct elf_segment *segment,
                        bool *loaded)
{
    struct elf_program_header header;

    memcpy(&header, image->file + image->headers + index * sizeof(header), sizeof(header));
    *loaded = header.type == PT_LOAD && header.memory_size > 0;
    if (!*loaded) {
        return NULL;
    }
    if (header.offset > image->size || header.file_size > image->size - header.offset ||
        header.file_size > header.memory_size) {
        return "a segment is outside the file";
    }
    if (header.address >= USER_END || header.memory_size > USER_END - header.address) {
        return "a segment is outside user space";
    }
    segment->address = align_down(header.address, PAGE_SIZE);
    segment->skip = header.address - segment->address;
    segment->memory_size = align_up(segment->skip + header.memory_size, PAGE_SIZE);
    segment->data = image->file + header.offset;
    segment->data_size = header.file_size;
    segment->rights = MAP_READ | (header.flags & PF_WRITE ? MAP_WRITE : 0u) |
                      (header.flags & PF_EXECUTE ? MAP_EXEC : 0u);
    return NULL;
}
