/* hold.h: pages that a VMM keeps at hand while a device model uses them. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_HOLD_H
#define SERVERS_VMSPACE_HOLD_H

#include <stdint.h>

#include "servers/vmspace/worker.h"

/*
 * Holds the page at `gpa`; `*address` is where the VMM finds that byte. Errors: as VMS_HOLD; then
 * nothing is held. Service thread; `worker` is its own.
 */
enum status hold_take(struct guest *guest, struct worker *worker, uint64_t gpa, uint64_t access,
                      uint64_t *address);

/* Releases it once. E_UNMAPPED, E_STATE. Service thread. */
enum status hold_release(struct guest *guest, uint64_t gpa);

#endif
