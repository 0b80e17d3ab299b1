/* check.h: stops vmspace at once where it finds its own bookkeeping wrong. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_CHECK_H
#define SERVERS_VMSPACE_CHECK_H

#include <stdbool.h>

#include "servers/lib/log.h"

static inline void check(bool holds, const char *what)
{
    if (__builtin_expect(!holds, 0)) {
        log_line("stops: %s", what);
        __builtin_trap();
    }
}

#endif
