/* fault.h: what is to be done about a fault: the short path of guest memory. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_FAULT_H
#define SERVERS_VMSPACE_FAULT_H

#include <stdint.h>

#include "servers/vmspace/guest.h"

enum verdict {
    FAULT_MAP,    /* map what `struct fault` says, which resumes the faulter */
    FAULT_RETRY,  /* somebody has mapped it meanwhile: resume it */
    FAULT_DEVICE, /* no memory there, or not for this access: the VMM's business */
    FAULT_STOP,   /* leave it stopped */
    FAULT_REPORT, /* the same, and tell init: a thread of a VMM died */
    FAULT_WAIT    /* no memory: leave it unanswered */
};

/* A fault while it is dealt with. */
struct fault {
    struct guest *guest;
    uint64_t address;        /* guest-physical, or in the VMM's Space */
    uint32_t space;          /* where to map, ... */
    uint32_t value;          /* ... what: the page's entry as it was, ... */
    uint64_t target;         /* ... to what address, with MAP_ flags */
    _Atomic uint32_t *entry; /* the page's entry */
    uint32_t epoch;          /* park_epoch() before memory was looked for */
};

/* A fault of a virtual CPU at a guest-physical address. `access`: FAULT_ bits. `worker`: who asks.
 */
enum verdict fault_nested(struct guest *guest, unsigned worker, struct frame_cache *cache,
                          uint64_t gpa, uint64_t access, struct fault *fault);

/* A page fault of a thread of the VMM. */
enum verdict fault_window(struct guest *guest, unsigned worker, struct frame_cache *cache,
                          uint64_t address, uint64_t access, struct fault *fault);

/* The mapping that FAULT_MAP asked for failed: what now? `lacking`: pages, for E_RESERVE. */
enum verdict fault_failed(struct fault *fault, enum status status, uint64_t lacking);

#endif
