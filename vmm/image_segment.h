/* image_segment.h: puts one piece of a guest image into guest memory. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_IMAGE_SEGMENT_H
#define VMM_IMAGE_SEGMENT_H

#include <stdint.h>

#include "vmm/byte_span.h"
#include "vmm/guest_memory.h"
#include "vmm/image_error.h"

/*
 * Writes CONTENT to GPA and zeroes the rest of the SIZE bytes there (SIZE >= CONTENT.size). The
 * zeroing is not left to fresh memory: a guest that resets itself is loaded again over the old.
 * IMAGE_DOES_NOT_FIT if that is not all RAM below 4 GiB; IMAGE_OVERLAPS_BOOT_AREA (boot_layout.h).
 */
enum image_error image_segment_load(const struct guest_memory *memory, struct byte_span content,
                                    uint64_t gpa, uint64_t size);

#endif
