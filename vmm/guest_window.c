/* guest_window.c: guest RAM as the VMM sees it through the window that vmspace fills. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/guest_window.h"

#include <stddef.h>

#include "vmm/guest_ram.h"
#include "vmm/platform.h"

void guest_window_init(struct guest_window *window, void *base, uint64_t size)
{
    window->base = base;
    window->low_end = guest_ram_low_end(size);
    window->high_end = PLAT_HIGH_RAM_BASE + (size - window->low_end);
}

static void *window_at(void *ctx, uint64_t gpa, uint64_t length)
{
    const struct guest_window *window = ctx;
    uint64_t end = gpa < PLAT_HIGH_RAM_BASE ? window->low_end : window->high_end;

    return gpa <= end && length <= end - gpa ? window->base + gpa : NULL;
}

struct guest_memory guest_window_memory(struct guest_window *window)
{
    return (struct guest_memory){
        .size = window->low_end + (window->high_end - PLAT_HIGH_RAM_BASE),
        .at = window_at,
        .ctx = window,
    };
}
