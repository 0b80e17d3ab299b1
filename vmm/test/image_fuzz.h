/* image_fuzz.h: loads a hostile image into a small guest, and checks what must hold afterwards. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TEST_IMAGE_FUZZ_H
#define VMM_TEST_IMAGE_FUZZ_H

#include <stdlib.h>
#include <string.h>

#include "vmm/guest_image.h"
#include "vmm/guest_ram.h"

/* Small, so that images that fit are found; on the heap, so that a write beside it is seen. */
#define FUZZ_RAM_SIZE 0x400000

#define FUZZ_CHECK(condition) \
    do {                      \
        if (!(condition)) {   \
            abort();          \
        }                     \
    } while (0)

/*
 * Loads the SIZE bytes at DATA with an initrd and a command line. If the loader accepts them, the
 * entry point must be in RAM. *MEMORY and *ENTRY are for the caller's further checks.
 */
static inline enum image_error fuzz_load(const uint8_t *data, size_t size, struct byte_span initrd,
                                         struct guest_memory *memory, struct guest_entry *entry)
{
    static struct guest_ram ram;

    if (ram.host == NULL) {
        guest_ram_init(&ram, aligned_alloc(4096, FUZZ_RAM_SIZE), FUZZ_RAM_SIZE);
    }
    *memory = guest_ram_memory(&ram);
    struct guest_image_request request = {{data, size}, initrd, "initrd", "a=b", 0xE0000};

    enum image_error error = guest_image_load(&request, memory, entry);
    FUZZ_CHECK(strlen(image_error_text(error)) > 0);
    if (error == IMAGE_OK) {
        FUZZ_CHECK(memory->at(memory->ctx, entry->rip, 1) != NULL);
    }
    return error;
}

/* A 32-bit number in guest memory; GPA is the loader's own. */
static inline uint32_t fuzz_get(const struct guest_memory *memory, uint64_t gpa)
{
    uint32_t value;
    const void *bytes = memory->at(memory->ctx, gpa, sizeof value);

    FUZZ_CHECK(bytes != NULL);
    memcpy(&value, bytes, sizeof value);
    return value;
}

/* The initrd must have arrived whole at GPA, whatever else was loaded. */
static inline void fuzz_check_initrd(const struct guest_memory *memory, uint64_t gpa,
                                     struct byte_span initrd)
{
    const void *loaded = memory->at(memory->ctx, gpa, initrd.size);

    FUZZ_CHECK(loaded != NULL && memcmp(loaded, initrd.data, initrd.size) == 0);
}

#endif
