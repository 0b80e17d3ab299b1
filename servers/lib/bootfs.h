/* bootfs.h: finds files in the boot file system, a cpio archive of the newc format. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_LIB_BOOTFS_H
#define SERVERS_LIB_BOOTFS_H

#include <stdbool.h>
#include <stddef.h>

/* A file in the archive; name and data stay in the archive's memory. */
struct bootfs_file {
    const char *name; /* ends with a zero byte; without a leading "./" or "/" */
    const void *data; /* aligned to 4 only */
    size_t size;
};

/* What a look at one place of the archive found. */
enum bootfs_result {
    BOOTFS_FILE,  /* a file */
    BOOTFS_END,   /* the trailer: no more files */
    BOOTFS_BROKEN /* not a newc header, or sizes that leave the archive */
};

/*
 * Reads the member at `*offset` (0 for the first) of the archive of `size` bytes and moves
 * `*offset` on. Nothing outside the archive is read, whatever is in it.
 */
enum bootfs_result bootfs_next(
    const void *archive, size_t size, size_t *offset, struct bootfs_file *file);

/*
 * Finds a regular file or directory by its full name. False: it is not there (before any broken
 * part).
 */
bool bootfs_find(const void *archive, size_t size, const char *name, struct bootfs_file *file);

#endif
