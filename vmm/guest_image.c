/* guest_image.c: recognises the kind of a guest image and hands it to that kind's loader. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/guest_image.h"

#include "vmm/bzimage.h"
#include "vmm/elf.h"
#include "vmm/multiboot1.h"

enum image_error guest_image_load(const struct guest_image_request *request,
                                  const struct guest_memory *memory, struct guest_entry *entry)
{
    if (request->image.size == 0) {
        return IMAGE_EMPTY;
    }
    if (memory->size < GUEST_IMAGE_MEMORY_MIN) {
        return IMAGE_NO_LOW_MEMORY;
    }
    if (bzimage_is_bzimage(request->image)) {
        return bzimage_load(request, memory, entry);
    }
    if (multiboot1_is_multiboot1(request->image)) {
        return multiboot1_load(request, memory, entry);
    }
    return elf_is_elf(request->image) ? ELF_NO_MULTIBOOT : IMAGE_UNKNOWN;
}
