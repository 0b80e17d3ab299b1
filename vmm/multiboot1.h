/* multiboot1.h: loads a guest image that follows the Multiboot specification, version 0.6.96. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MULTIBOOT1_H
#define VMM_MULTIBOOT1_H

#include <stdbool.h>

#include "vmm/byte_span.h"
#include "vmm/guest_image.h"

/* True if IMAGE has a valid Multiboot-1 header where one is looked for. */
bool multiboot1_is_multiboot1(struct byte_span image);

/*
 * guest_image_load for a Multiboot-1 image: an ELF file of either class, or any file whose header
 * says itself what goes where (flag 16). It starts in 32-bit protected mode with paging off, even
 * if its code is for 64 bit. The initrd becomes its one module, on the first page behind it.
 * An image that demands (flags 0 to 15) what a guest here has not, as a video mode, is refused as
 * the specification wants it. Errors: IMAGE_*, ELF_* and MULTIBOOT_*.
 */
enum image_error multiboot1_load(const struct guest_image_request *request,
                                 const struct guest_memory *memory, struct guest_entry *entry);

#endif
