/* image_error.c: the words for each guest image error. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/image_error.h"

#include <stddef.h>

static const char *const texts[IMAGE_ERROR_COUNT] = {
    [IMAGE_OK] = "the guest image is good",
    [IMAGE_EMPTY] = "the guest image is empty",
    [IMAGE_UNKNOWN] = "the guest image is neither a Linux bzImage nor a Multiboot-1 image",
    [IMAGE_TRUNCATED] = "the guest image is cut off: it ends before its own headers say",
    [IMAGE_NO_LOW_MEMORY] = "the guest has less than 2 MiB of memory",
    [IMAGE_DOES_NOT_FIT] = "the guest image does not fit into the guest's memory below 3 GiB",
    [IMAGE_OVERLAPS_BOOT_AREA] =
        "the guest image loads over 0x90000..0xfffff, which holds boot information and tables",
    [IMAGE_COMMAND_LINE_TOO_LONG] = "the command line is longer than the guest image accepts",
    [IMAGE_INITRD_DOES_NOT_FIT] = "the initrd does not fit beside the guest image",
    [BZIMAGE_OLD_PROTOCOL] = "the Linux image has a boot protocol older than 2.12 (Linux 3.8)",
    [BZIMAGE_LOW_IMAGE] = "the Linux image is a zImage, which loads below 1 MiB",
    [BZIMAGE_NO_64BIT_ENTRY] = "the Linux image has no 64-bit entry: it is a 32-bit kernel",
    [BZIMAGE_BAD_HEADER] = "the Linux image's header contradicts itself",
    [ELF_NO_MULTIBOOT] =
        "the guest image is an ELF file without a Multiboot-1 header in its first 8 KiB",
    [ELF_BAD_HEADER] = "the ELF header of the guest image is damaged",
    [ELF_NOT_X86] = "the guest image is an ELF file, but not for x86",
    [ELF_NOT_EXECUTABLE] = "the guest image is an ELF file, but not an executable one",
    [ELF_NO_SEGMENTS] = "the guest image is an ELF file without anything to load",
    [ELF_BAD_SEGMENT] = "a segment of the guest image has more bytes in the file than in memory",
    [ELF_BAD_ENTRY] = "the entry point of the guest image lies outside of what it loads",
    [MULTIBOOT_NOT_ELF] =
        "the guest image has a Multiboot-1 header, but no load addresses in it and no ELF header",
    [MULTIBOOT_WANTS_VIDEO] =
        "the guest image demands a video mode (Multiboot flag 2); there is no display",
    [MULTIBOOT_UNKNOWN_FLAG] = "the guest image demands an unknown Multiboot-1 feature",
    [MULTIBOOT_BAD_ADDRESSES] =
        "the load addresses in the Multiboot-1 header contradict each other",
};

const char *image_error_text(enum image_error error)
{
    if ((unsigned)error >= IMAGE_ERROR_COUNT || texts[error] == NULL) {
        return "the guest image is bad in an unknown way";
    }
    return texts[error];
}
