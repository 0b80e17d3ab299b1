/* stats.h: the figures that vmspace gives of a guest and of its memory. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_STATS_H
#define SERVERS_VMSPACE_STATS_H

#include <stdint.h>

#include "servers/vmspace/guest.h"

/* Fills the four words of VMS_MEMORY or VMS_FAULTS. E_ARGUMENT: neither. Service thread. */
enum status stats_guest(struct guest *guest, uint64_t which, uint64_t words[4]);

/* Fills the four words of VMS_POOL. Service thread. */
void stats_pool(uint64_t total, uint64_t words[4]);

/* Pages that are free at this moment, wherever they are kept. Exact when the workers rest. */
uint64_t stats_free(void);

#endif
