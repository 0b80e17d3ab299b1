/* file.c: files of the boot image in Frames, to be mapped read-only into children. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/init/file.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "kernel/abi/object.h"
#include "servers/init/memory.h"
#include "servers/lib/bootfs.h"
#include "servers/lib/layout.h"
#include "servers/lib/syscall.h"

#define FILE_MAX 64u

static struct stored_file stored[FILE_MAX];
static uint32_t stored_count;

/*
 * Makes Frames of 2 MiB in the slots from `slots` on: from as few blocks as there are ones in
 * `count`.
 */
static bool make_frames(uint32_t slots, uint32_t count)
{
    while (count > 0) {
        unsigned bits = 31u - (unsigned)__builtin_clz(count);
        struct block block;
        if (!memory_take(FRAME_2M_BITS + bits, &block) ||
            memory_frames(&block, slots, 1u << bits) != OK) {
            return false;
        }
        slots += 1u << bits;
        count -= 1u << bits;
    }
    return true;
}

static bool copy(const struct stored_file *file, const char *data)
{
    for (uint32_t i = 0; i < file->frames; i++) {
        void *window = memory_show(file->slots + i, 1);
        if (window == NULL) {
            return false;
        }
        uint64_t done = i * LARGE_PAGE_SIZE;
        uint64_t rest = file->size - done;
        memcpy(window, data + done, rest < LARGE_PAGE_SIZE ? rest : LARGE_PAGE_SIZE);
        memory_hide(1);
    }
    return true;
}

const struct stored_file *file_store(const struct boot_info *boot, const char *name)
{
    for (uint32_t i = 0; i < stored_count; i++) {
        if (strcmp(stored[i].name, name) == 0) {
            return &stored[i];
        }
    }
    const struct boot_module *archive = &boot->module[0];
    struct bootfs_file source;
    if (stored_count == FILE_MAX ||
        !bootfs_find((const void *)archive->address, archive->size, name, &source)) {
        return NULL;
    }
    struct stored_file *file = &stored[stored_count];
    *file = (struct stored_file){ .name = name, .size = source.size };
    file->frames = (uint32_t)((source.size + LARGE_PAGE_SIZE - 1) / LARGE_PAGE_SIZE);
    if (file->frames != 0) {
        file->slots = memory_slots(file->frames);
        if (file->slots == 0 || !make_frames(file->slots, file->frames) ||
            !copy(file, source.data)) {
            return NULL;
        }
    }
    stored_count++;
    return file;
}

enum status file_map(const struct stored_file *file, uint32_t space, uint64_t address)
{
    enum status status = OK;
    for (uint32_t i = 0; i < file->frames && status == OK; i++) {
        status = sys_map(space, file->slots + i, 0,
            (address + i * LARGE_PAGE_SIZE) | MAP_READ | MAP_2M, 1, NULL);
    }
    return status;
}
