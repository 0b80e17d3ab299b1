/* bootfs_fuzz.c: any bytes as a boot file system. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: servers/lib/bootfs.c */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "servers/lib/bootfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bootfs_file file;
    size_t offset = 0;
    volatile size_t sum = 0;
    while (bootfs_next(data, size, &offset, &file) == BOOTFS_FILE) {
        sum += strlen(file.name);
        for (size_t i = 0; i < file.size; i++) {
            sum += ((const uint8_t *)file.data)[i];
        }
    }
    return 0;
}
