/* elf_load.h: checks an ELF64 program and says which bytes go where in a new process. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_LIB_ELF_LOAD_H
#define SERVERS_LIB_ELF_LOAD_H

#include <stddef.h>
#include <stdint.h>

#define ELF_SEGMENT_MAX 8u

/* Why a file is no program for us, and how a person reads it. */
#define ELF_ERROR_LIST(E) \
    E(ELF_OK, "fine") \
    E(ELF_SHORT, "the file is shorter than an ELF header") \
    E(ELF_MAGIC, "not an ELF file") \
    E(ELF_CLASS, "not a 64-bit little-endian x86-64 ELF file") \
    E(ELF_TYPE, "not a statically linked executable at a fixed address") \
    E(ELF_HEADERS, "its program headers are not inside the file") \
    E(ELF_SEGMENTS, "it has no segment to load, or too many") \
    E(ELF_OUTSIDE, "a segment's bytes are not inside the file") \
    E(ELF_ADDRESS, "a segment lies outside the range for programs") \
    E(ELF_ALIGNMENT, "a segment does not begin at a page boundary") \
    E(ELF_OVERLAP, "two segments share a page or are out of order") \
    E(ELF_RIGHTS, "a segment is both writable and executable") \
    E(ELF_ENTRY, "its entry point is not in an executable segment")

#define ELF_ERROR_ENUM(name, words) name,
enum elf_error { ELF_ERROR_LIST(ELF_ERROR_ENUM) ELF_ERROR_COUNT };
#undef ELF_ERROR_ENUM

struct elf_segment {
    uint64_t address; /* page aligned, inside LAYOUT_IMAGE..LAYOUT_IMAGE_END */
    uint64_t pages;   /* memory it needs; what the file does not fill is zero */
    uint64_t offset;  /* of its bytes in the file */
    uint64_t file_size;
    uint32_t rights; /* MAP_READ, MAP_WRITE, MAP_EXEC; never the last two together */
};

struct elf_plan {
    uint64_t entry;
    uint64_t pages; /* of all segments */
    unsigned count;
    struct elf_segment segment[ELF_SEGMENT_MAX];
};

/* Fills `plan` from the file, which may be anything: on an error the plan is not to be used. */
enum elf_error elf_plan(const void *file, size_t size, struct elf_plan *plan);

/* The words for an error. */
const char *elf_words(enum elf_error error);

#endif
