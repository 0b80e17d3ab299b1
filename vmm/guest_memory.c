/* guest_memory.c: writes whole ranges of guest-physical memory, or nothing. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/guest_memory.h"

#include <stddef.h>
#include <string.h>

bool guest_memory_write(const struct guest_memory *memory, uint64_t gpa, const void *source,
                        uint64_t length)
{
    if (length == 0) {
        return true;
    }
    void *destination = memory->at(memory->ctx, gpa, length);
    if (destination == NULL) {
        return false;
    }
    memcpy(destination, source, length);
    return true;
}

bool guest_memory_clear(const struct guest_memory *memory, uint64_t gpa, uint64_t length)
{
    if (length == 0) {
        return true;
    }
    void *destination = memory->at(memory->ctx, gpa, length);
    if (destination == NULL) {
        return false;
    }
    memset(destination, 0, length);
    return true;
}
