/* multiboot_fuzz.c: feeds the Multiboot-1 and ELF loaders with hostile images. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/guest_image.c vmm/image_error.c vmm/bzimage.c vmm/multiboot1.c */
/* LINK: vmm/multiboot1_info.c vmm/elf.c vmm/image_segment.c vmm/guest_ram.c */
/* LINK: vmm/guest_memory.c vmm/guest_entry.c */
#include "vmm/test/image_fuzz.h"

#define MULTIBOOT_MAGIC 0x1BADB002u
#define MULTIBOOT_AT    0x100 /* behind an ELF header and some program headers */
#define ELF_PADDING     15
#define INFO_MODULES    24
#define IMAGE_SIZE_MAX  0x4000

static const uint8_t initrd_bytes[5000] = {1, 2, 3};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * The input is the image; its Multiboot flags are the input's, its checksum is made right. A byte
 * that means nothing to the loader makes it an ELF file of either class, or leaves it as it is.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct byte_span initrd = {initrd_bytes, sizeof initrd_bytes};
    struct guest_memory memory;
    struct guest_entry entry;
    uint32_t words[3] = {MULTIBOOT_MAGIC, 0, 0};

    if (size < MULTIBOOT_AT + sizeof words || size > IMAGE_SIZE_MAX) {
        return 0;
    }
    uint8_t *image = malloc(size);
    FUZZ_CHECK(image != NULL);
    memcpy(image, data, size);
    memcpy(&words[1], image + MULTIBOOT_AT + 4, sizeof words[1]);
    words[2] = 0u - words[0] - words[1];
    memcpy(image + MULTIBOOT_AT, words, sizeof words);
    if (data[ELF_PADDING] & 1) {
        memcpy(image, data[ELF_PADDING] & 2 ? "\177ELF\2\1\1" : "\177ELF\1\1\1", 7);
    }
    if (fuzz_load(image, size, initrd, &memory, &entry) == IMAGE_OK) {
        uint64_t module = fuzz_get(&memory, entry.rbx + INFO_MODULES);
        fuzz_check_initrd(&memory, fuzz_get(&memory, module), initrd);
    }
    free(image);
    return 0;
}
