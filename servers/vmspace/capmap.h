/* capmap.h: where in vmspace's capability space each of its capabilities is. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_CAPMAP_H
#define SERVERS_VMSPACE_CAPMAP_H

#include <stdint.h>

#include "kernel/abi/object.h"

#define GUEST_MAX 64u /* guests at a time */
#define WORKER_MAX \
    64u /* threads that answer faults: one a CPU, and the service thread as number 0 */
#define REPLY_MAX 511u /* faulters that can wait for memory at a time */

/*
 * Slots of the root CNode, from start_info.free_slot up. The first four hold CNodes of vmspace's
 * own. Slot 0 of a CNode has no address: numbers of chunks and blocks begin at 1.
 */
enum cap_slot {
    CAPS_CHUNKS,      /* chunk n: Frame of 2 MiB in its slot n */
    CAPS_BLOCKS,      /* block n: Untyped of 64 KiB in its slot n */
    CAPS_GUESTS,      /* guest_cap() */
    CAPS_REPLIES,     /* Reply n in its slot n + 1 */
    CAPS_OWN_FUND,    /* Untyped that vmspace's own Space was first funded with */
    CAPS_RECEIVE,     /* where a capability that comes with a message arrives */
    CAPS_FIRST_WORKER /* WORKER_CAPS for each worker */
};
enum worker_cap { WORKER_THREAD, WORKER_SCHED, WORKER_ENDPOINT, WORKER_REPLY, WORKER_CAPS };

/* Per guest, in CAPS_GUESTS. Two endpoints for each worker that serves a CPU follow. */
enum guest_cap_index {
    GUEST_SPACE,        /* its nested Space, all rights */
    GUEST_SPACE_ASSIGN, /* the same with SP_ASSIGN: what the VMM gets */
    GUEST_VMM_SPACE,    /* the VMM's Space, as the VMM passed it */
    GUEST_ENDPOINTS     /* GUEST_ENDPOINTS + 2 * worker: nested faults; + 1: VMM's faults */
};

/* Both set once at the start: start_info.free_slot, and how many slots a guest has in CAPS_GUESTS.
 */
extern uint32_t caps_first;
extern uint32_t caps_per_guest;

static inline uint32_t cap_root(enum cap_slot slot)
{
    return caps_first + slot;
}

static inline uint32_t cap_in(enum cap_slot node, uint32_t slot)
{
    return CPTR(caps_first + node, slot);
}

static inline uint32_t worker_cap(unsigned worker, enum worker_cap what)
{
    return caps_first + CAPS_FIRST_WORKER + worker * WORKER_CAPS + what;
}

static inline uint32_t guest_cap(unsigned guest, unsigned index)
{
    return cap_in(CAPS_GUESTS, 1 + guest * caps_per_guest + index);
}

static inline uint32_t reply_cap(unsigned index)
{
    return cap_in(CAPS_REPLIES, index + 1);
}

#endif
