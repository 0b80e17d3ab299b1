/* file.h: files of the boot image in Frames, to be mapped read-only into children. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_INIT_FILE_H
#define SERVERS_INIT_FILE_H

#include <stdint.h>
#include "kernel/abi/boot.h"
#include "kernel/abi/error.h"

/* A file that was copied. All children that have it share the Frames, through every restart. */
struct stored_file {
    const char *name;
    uint64_t size;
    uint32_t slots; /* the first of its Frames of 2 MiB */
    uint32_t frames;
};

/*
 * The copy of a file of the boot image, made now if it was not before. NULL: no memory, or no such
 * file.
 */
const struct stored_file *file_store(const struct boot_info *boot, const char *name);

/* Maps a stored file from `address` (aligned to 2 MiB) on into a Space, read-only. */
enum status file_map(const struct stored_file *file, uint32_t space, uint64_t address);

#endif
