/* guest_image.h: loads whatever image the user gave for a guest. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_GUEST_IMAGE_H
#define VMM_GUEST_IMAGE_H

#include <stdint.h>

#include "vmm/byte_span.h"
#include "vmm/guest_entry.h"
#include "vmm/guest_memory.h"
#include "vmm/image_error.h"

/* The least RAM that a guest must have: the boot area, and something behind it. */
#define GUEST_IMAGE_MEMORY_MIN 0x200000ull /* 2 MiB */

struct guest_image_request {
    struct byte_span image;
    struct byte_span initrd;  /* size 0: there is none */
    const char *initrd_name;  /* what a Multiboot guest sees as its module's string; never NULL */
    const char *command_line; /* never NULL */
    uint64_t rsdp;            /* gpa of the ACPI root pointer; 0: there is none */
};

/*
 * Recognises the image, writes it, its initrd and its boot information to MEMORY and fills ENTRY,
 * the state of the first vCPU. Whatever the image holds, only guest memory is written. On an error
 * guest memory is left in part written, and the guest is not to be started.
 */
enum image_error guest_image_load(const struct guest_image_request *request,
                                  const struct guest_memory *memory, struct guest_entry *entry);

#endif
