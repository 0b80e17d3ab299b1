/* image_error.h: everything that can be wrong with a guest image, and the words for it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_IMAGE_ERROR_H
#define VMM_IMAGE_ERROR_H

enum image_error {
    IMAGE_OK,
    IMAGE_EMPTY,
    IMAGE_UNKNOWN,
    IMAGE_TRUNCATED,
    IMAGE_NO_LOW_MEMORY,
    IMAGE_DOES_NOT_FIT,
    IMAGE_OVERLAPS_BOOT_AREA,
    IMAGE_COMMAND_LINE_TOO_LONG,
    IMAGE_INITRD_DOES_NOT_FIT,
    BZIMAGE_OLD_PROTOCOL,
    BZIMAGE_LOW_IMAGE,
    BZIMAGE_NO_64BIT_ENTRY,
    BZIMAGE_BAD_HEADER,
    ELF_NO_MULTIBOOT,
    ELF_BAD_HEADER,
    ELF_NOT_X86,
    ELF_NOT_EXECUTABLE,
    ELF_NO_SEGMENTS,
    ELF_BAD_SEGMENT,
    ELF_BAD_ENTRY,
    MULTIBOOT_NOT_ELF,
    MULTIBOOT_WANTS_VIDEO,
    MULTIBOOT_UNKNOWN_FLAG,
    MULTIBOOT_BAD_ADDRESSES,
    IMAGE_ERROR_COUNT,
};

/* One line for a person, without a full stop or a newline. Never NULL, whatever ERROR is. */
const char *image_error_text(enum image_error error);

#endif
