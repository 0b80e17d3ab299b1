/* bzimage.h: loads a Linux bzImage for its 64-bit entry point. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_BZIMAGE_H
#define VMM_BZIMAGE_H

#include <stdbool.h>

#include "vmm/byte_span.h"
#include "vmm/guest_image.h"

/* True if IMAGE carries the Linux/x86 boot protocol's signatures. */
bool bzimage_is_bzimage(struct byte_span image);

/*
 * guest_image_load for a bzImage (Linux/x86 boot protocol 2.12 or later with XLF_KERNEL_64): the
 * kernel goes to the address that it prefers, the initrd as high as kernel and RAM allow.
 * Errors: IMAGE_* and BZIMAGE_*.
 */
enum image_error bzimage_load(const struct guest_image_request *request,
                              const struct guest_memory *memory, struct guest_entry *entry);

#endif
