/* debug_exit.c: the port through which a guest ends its run with a value. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/debug_exit.h"

static uint64_t port_read(void *dev, const struct bus_access *access)
{
    (void)dev;
    (void)access;
    return 0;
}

static void port_write(void *dev, const struct bus_access *access, uint64_t value)
{
    struct debug_exit *exit = dev;

    if (access->offset == 0) {
        exit->exit(exit->ctx, (uint32_t)value);
    }
}

const struct bus_ops debug_exit_port = {.width = 4, .read = port_read, .write = port_write};
