/* bzimage_fuzz.c: feeds the bzImage loader with hostile images. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/guest_image.c vmm/image_error.c vmm/bzimage.c vmm/multiboot1.c */
/* LINK: vmm/multiboot1_info.c vmm/elf.c vmm/image_segment.c vmm/guest_ram.c */
/* LINK: vmm/guest_memory.c vmm/guest_entry.c */
#include "vmm/test/image_fuzz.h"

/* Where the header lies, and what of it is fixed so that few inputs are wasted. */
#define HEADER_START  0x1F0
#define BOOT_FLAG     0x1FE
#define MAGIC         0x202
#define RAMDISK_IMAGE 0x218
#define INIT_SIZE     0x260
#define ENTRY_64      0x200

#define IMAGE_SIZE 0x3000

static const uint8_t initrd_bytes[5000] = {1, 2, 3};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The initrd is whole, and neither it nor the end of RAM lies in what the kernel will use. */
static void check_loaded(const struct guest_memory *memory, const struct guest_entry *entry,
                         struct byte_span initrd)
{
    uint64_t initrd_gpa = fuzz_get(memory, entry->rsi + RAMDISK_IMAGE);
    uint64_t kernel_gpa = entry->rip - ENTRY_64;

    fuzz_check_initrd(memory, initrd_gpa, initrd);
    FUZZ_CHECK(kernel_gpa >= 0x100000);
    FUZZ_CHECK(initrd_gpa >= kernel_gpa + fuzz_get(memory, entry->rsi + INIT_SIZE));
}

/* The input is the header and what follows; the last byte cuts the image off. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t template[IMAGE_SIZE];
    struct byte_span initrd = {initrd_bytes, sizeof initrd_bytes};
    struct guest_memory memory;
    struct guest_entry entry;

    if (size == 0 || size > IMAGE_SIZE - HEADER_START) {
        return 0;
    }
    memset(template, 0, sizeof template);
    memcpy(template + HEADER_START, data, size);
    memcpy(template + BOOT_FLAG, "\x55\xAA", 2);
    memcpy(template + MAGIC, "HdrS", 4);

    /* A copy of its exact size: reading behind it is seen. */
    size_t image_size = IMAGE_SIZE - data[size - 1] * (size_t)32;
    uint8_t *image = malloc(image_size);
    FUZZ_CHECK(image != NULL);
    memcpy(image, template, image_size);
    if (fuzz_load(image, image_size, initrd, &memory, &entry) == IMAGE_OK) {
        check_loaded(&memory, &entry, initrd);
    }
    free(image);
    return 0;
}
