/* multiboot1_info.h: the information that a Multiboot-1 guest is started with. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MULTIBOOT1_INFO_H
#define VMM_MULTIBOOT1_INFO_H

#include <stdint.h>

#include "vmm/guest_image.h"

/*
 * Writes the information structure to BOOT_INFO_BASE and its strings behind BOOT_STRINGS_BASE:
 * memory sizes, memory map, command line, boot loader name and, if REQUEST has an initrd, the
 * module, which was loaded at MODULE_GPA. IMAGE_COMMAND_LINE_TOO_LONG, IMAGE_NO_LOW_MEMORY.
 */
enum image_error multiboot1_info_write(const struct guest_image_request *request,
                                       uint64_t module_gpa, const struct guest_memory *memory);

#endif
