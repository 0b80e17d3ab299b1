/* image_segment.c: checks a piece of a guest image against RAM and the boot area, and writes it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/image_segment.h"

#include "vmm/boot_layout.h"
#include "vmm/guest_ram.h"

enum image_error image_segment_load(const struct guest_memory *memory, struct byte_span content,
                                    uint64_t gpa, uint64_t size)
{
    uint64_t low_end = guest_ram_low_end(memory->size);

    if (gpa > low_end || size > low_end - gpa) {
        return IMAGE_DOES_NOT_FIT;
    }
    if (gpa < BOOT_EXTENDED_BASE && gpa + size > BOOT_INFO_BASE) {
        return IMAGE_OVERLAPS_BOOT_AREA;
    }
    if (!guest_memory_write(memory, gpa, content.data, content.size) ||
        !guest_memory_clear(memory, gpa + content.size, size - content.size)) {
        return IMAGE_DOES_NOT_FIT;
    }
    return IMAGE_OK;
}
