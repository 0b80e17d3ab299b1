/* bootfs.c: finds files in the boot file system, a cpio archive of the newc format. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/lib/bootfs.h"

#include <stdint.h>
#include <string.h>

/* cpio(5), "New ASCII Format": 6 bytes magic, then 13 fields of 8 hexadecimal digits. */
#define NEWC_MAGIC       "070701"
#define NEWC_MAGIC_SIZE  6u
#define NEWC_FIELD_SIZE  8u
#define NEWC_HEADER_SIZE 110u
#define NEWC_ALIGN       4u
#define NEWC_TRAILER     "TRAILER!!!"

enum newc_field {
    NEWC_INO,
    NEWC_MODE,
    NEWC_UID,
    NEWC_GID,
    NEWC_NLINK,
    NEWC_MTIME,
    NEWC_FILESIZE,
    NEWC_DEVMAJOR,
    NEWC_DEVMINOR,
    NEWC_RDEVMAJOR,
    NEWC_RDEVMINOR,
    NEWC_NAMESIZE,
    NEWC_CHECK
};
_Static_assert(
    NEWC_MAGIC_SIZE + (NEWC_CHECK + 1) * NEWC_FIELD_SIZE == NEWC_HEADER_SIZE, "newc header");

static bool read_field(const char *header, enum newc_field field, size_t *value)
{
    const char *digits = header + NEWC_MAGIC_SIZE + field * NEWC_FIELD_SIZE;
    *value = 0;
    for (unsigned i = 0; i < NEWC_FIELD_SIZE; i++) {
        char c = digits[i];
        unsigned digit;
        if (c >= '0' && c <= '9') {
            digit = (unsigned)(c - '0');
        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            digit = (unsigned)((c | 0x20) - 'a') + 10;
        } else {
            return false;
        }
        *value = *value << 4 | digit;
    }
    return true;
}

static size_t align(size_t value)
{
    return (value + NEWC_ALIGN - 1) & ~(size_t)(NEWC_ALIGN - 1);
}

enum bootfs_result bootfs_next(
    const void *archive, size_t size, size_t *offset, struct bootfs_file *file)
{
    if (*offset > size || size - *offset < NEWC_HEADER_SIZE) {
        return BOOTFS_BROKEN;
    }
    const char *header = (const char *)archive + *offset;
    size_t rest = size - *offset;
    size_t name_size, data_size;
    if (memcmp(header, NEWC_MAGIC, NEWC_MAGIC_SIZE) != 0 ||
        !read_field(header, NEWC_NAMESIZE, &name_size) ||
        !read_field(header, NEWC_FILESIZE, &data_size)) {
        return BOOTFS_BROKEN;
    }
    /* Both sizes have 32 bits: the sums can't overflow. */
    size_t data = align(NEWC_HEADER_SIZE + name_size);
    const char *name = header + NEWC_HEADER_SIZE;
    if (name_size == 0 || data > rest || data_size > rest - data || name[name_size - 1] != 0) {
        return BOOTFS_BROKEN;
    }
    if (strcmp(name, NEWC_TRAILER) == 0) {
        return BOOTFS_END;
    }
    size_t next = align(data + data_size);
    *offset += next < rest ? next : rest;
    name += name[0] == '.' && name[1] == '/' ? 2 : 0;
    name += name[0] == '/' ? 1 : 0;
    *file = (struct bootfs_file){ .name = name, .data = header + data, .size = data_size };
    return BOOTFS_FILE;
}

bool bootfs_find(const void *archive, size_t size, const char *name, struct bootfs_file *file)
{
    size_t offset = 0;
    while (bootfs_next(archive, size, &offset, file) == BOOTFS_FILE) {
        if (strcmp(file->name, name) == 0) {
            return true;
        }
    }
    return false;
}
