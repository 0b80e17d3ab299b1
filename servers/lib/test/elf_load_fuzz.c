/* elf_load_fuzz.c: any bytes as a program: what is planned lies where it may. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: servers/lib/elf_load.c */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "kernel/abi/syscall.h"
#include "servers/lib/elf_load.h"
#include "servers/lib/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elf_plan plan;
    if (elf_plan(data, size, &plan) != ELF_OK) {
        return 0;
    }
    uint64_t pages = 0, lowest = LAYOUT_IMAGE;
    for (unsigned i = 0; i < plan.count; i++) {
        const struct elf_segment *s = &plan.segment[i];
        must(s->offset <= size && s->file_size <= size - s->offset);
        must(s->address >= lowest && s->address % PAGE_SIZE == 0);
        must(s->file_size <= s->pages * PAGE_SIZE);
        must((s->rights & (MAP_WRITE | MAP_EXEC)) != (MAP_WRITE | MAP_EXEC));
        lowest = s->address + s->pages * PAGE_SIZE;
        must(lowest <= LAYOUT_IMAGE_END);
        pages += s->pages;
    }
    must(pages == plan.pages && plan.count > 0);
    return 0;
}
