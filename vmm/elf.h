/* elf.h: loads the segments of a 32- or 64-bit ELF file into guest memory. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_ELF_H
#define VMM_ELF_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/byte_span.h"
#include "vmm/guest_memory.h"
#include "vmm/image_error.h"

/* What of an ELF file's header the loader needs, of either class. */
struct elf_file {
    struct byte_span bytes;
    bool is_64;
    uint64_t entry;         /* e_entry: a virtual address */
    uint64_t table_offset;  /* e_phoff */
    uint32_t segment_count; /* e_phnum */
};

/* A program header, of either class (System V ABI, chapter 5). */
struct elf_segment {
    uint32_t type;
    uint64_t offset;
    uint64_t virtual_address;
    uint64_t physical_address;
    uint64_t file_size;
    uint64_t memory_size;
};

/* Where the file's segments went. */
struct elf_loaded {
    uint64_t end;   /* gpa behind the highest byte loaded */
    uint64_t entry; /* gpa of the entry point */
};

/* True if BYTES start as an ELF file does. */
bool elf_is_elf(struct byte_span bytes);

/*
 * Reads the header of an executable for x86 and checks that its program headers lie within the
 * file. IMAGE_TRUNCATED, ELF_BAD_HEADER, ELF_NOT_X86, ELF_NOT_EXECUTABLE.
 */
enum image_error elf_open(struct byte_span bytes, struct elf_file *file);

/* Program header INDEX, which must be below segment_count. */
struct elf_segment elf_segment_at(const struct elf_file *file, uint32_t index);

/*
 * Loads all PT_LOAD segments of FILE, an elf_open'ed one, at their physical addresses. The entry
 * point, which is a virtual address, is translated as the segment that contains it is; where no
 * segment does, it is taken for a physical one. ELF_NO_SEGMENTS, ELF_BAD_SEGMENT, ELF_BAD_ENTRY,
 * IMAGE_TRUNCATED, IMAGE_DOES_NOT_FIT, IMAGE_OVERLAPS_BOOT_AREA.
 */
enum image_error elf_load(const struct elf_file *file, const struct guest_memory *memory,
                          struct elf_loaded *loaded);

#endif
