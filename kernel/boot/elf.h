/* elf.h: the ELF file of the root task, which the kernel itself has to load. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_BOOT_ELF_H
#define KERNEL_BOOT_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of the file that belongs in memory. Pages of two segments never overlap. */
struct elf_segment {
    uint64_t address;      /* page-aligned */
    uint64_t memory_size;  /* whole pages */
    uint64_t skip;         /* bytes of zeros before the file's bytes in the first page */
    const uint8_t *data;
    uint64_t data_size;
    unsigned rights;       /* MAP_READ, MAP_WRITE, MAP_EXEC */
};

struct elf_image {
    const uint8_t *file;
    uint64_t size;
    uint64_t entry;
    unsigned count;        /* program headers */
    uint64_t headers;      /* their offset */
};

/* Reads the header of a 64-bit x86 executable; NULL if it is one, else what is wrong with it. */
const char *elf_open(struct elf_image *image, const void *file, uint64_t size);

/*
 * Reads program header 'index'. Returns what is wrong with it, or NULL; 'loaded' says whether it is a
 * segment to load at all.
 */
const char *elf_segment(const struct elf_image *image, unsigned index, struct elf_segment *segment,
                        bool *loaded);

#endif
