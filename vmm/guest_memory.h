/* guest_memory.h: how the boot code reaches guest-physical memory, whoever mapped it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_GUEST_MEMORY_H
#define VMM_GUEST_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* A gpa is a guest-physical address. Nothing here takes a lock: the guest does not run yet. */
struct guest_memory {
    uint64_t size; /* bytes of RAM in all; guest_ram.h says at which addresses they lie */

    /*
     * The host's pointer to the LENGTH bytes at GPA; NULL if they are not all RAM of the guest, or
     * not contiguous for the host. Aligned as GPA is, up to a page.
     */
    void *(*at)(void *ctx, uint64_t gpa, uint64_t length);
    void *ctx;
};

/* Copies LENGTH bytes from SOURCE to GPA. False, with nothing written, if that is not all RAM. */
bool guest_memory_write(const struct guest_memory *memory, uint64_t gpa, const void *source,
                        uint64_t length);

/* Zeroes LENGTH bytes at GPA. False, with nothing written, if that is not all RAM. */
bool guest_memory_clear(const struct guest_memory *memory, uint64_t gpa, uint64_t length);

#endif
