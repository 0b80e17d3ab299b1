/* vmm_memory.h: has vmspace make the guest's memory, and get what its virtual CPUs need of it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_VMM_MEMORY_H
#define VMM_VMM_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* Slots for what vmspace hands over. */
struct vmm_memory_slots {
    uint32_t own_space;   /* free: for a copy of the VMM's own Space */
    uint32_t guest_space; /* free: gets the guest's Space, with SP_ASSIGN */
    uint32_t endpoints;   /* two free slots: nested faults; faults of VMM threads. On `cpu` */
};

/*
 * Makes RAM of `size` bytes (a multiple of 4 KiB) as platform.h lays it out; all else below 4 GiB
 * belongs to devices. False: a line in the log says why.
 */
bool vmm_memory_create(uint32_t vmspace, uint64_t size, uint32_t cpu,
                       const struct vmm_memory_slots *slots);

#endif
