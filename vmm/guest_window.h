/* guest_window.h: guest RAM as the VMM sees it through the window that vmspace fills. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_GUEST_WINDOW_H
#define VMM_GUEST_WINDOW_H

#include <stdint.h>

#include "vmm/guest_memory.h"

/* The guest-physical address G is at base + G, the hole below 4 GiB included (platform.h). */
struct guest_window {
    uint8_t *base;
    uint64_t low_end;  /* RAM from 0 to here */
    uint64_t high_end; /* and from PLAT_HIGH_RAM_BASE to here */
};

/* A window at `base` on a guest with `size` bytes of RAM. */
void guest_window_init(struct guest_window *window, void *base, uint64_t size);

/* The guest_memory that reaches RAM; valid as long as `window` is. */
struct guest_memory guest_window_memory(struct guest_window *window);

#endif
