/* debug_exit.h: the port through which a guest ends its run with a value. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DEBUG_EXIT_H
#define VMM_DEBUG_EXIT_H

#include <stdint.h>

#include "vmm/bus.h"

struct debug_exit {
    void (*exit)(void *ctx, uint32_t value); /* the value as wide as it was written */
    void *ctx;
};

/* Handlers for the four bytes from the port on; reads give 0. `dev` is the struct debug_exit. */
extern const struct bus_ops debug_exit_port;

#endif
