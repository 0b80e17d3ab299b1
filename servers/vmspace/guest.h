/* guest.h: the guests: what vmspace keeps of each, and how one begins and ends. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_GUEST_H
#define SERVERS_VMSPACE_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "servers/vmspace/blocks.h"
#include "servers/vmspace/segments.h"

/*
 * Badge of the fault endpoints that a VMM gets: the guest's key, and which of the two it is. The
 * key is the guest's index
 * + 1 and a generation: a badge that outlives its guest leads nowhere. Badge 0 is vmspace itself.
 */
#define BADGE_WINDOW    (1u << 31)
#define KEY_INDEX_BITS  8u
#define KEY_GENERATIONS (1u << (31 - KEY_INDEX_BITS))

/* Events of one guest counted by one worker: a cache line, so that no two CPUs write the same. */
struct fault_counts {
    _Atomic uint64_t fresh, present, device, window;
    uint64_t unused[4];
};
struct count_table {
    struct fault_counts worker[WORKER_MAX];
};
_Static_assert(sizeof(struct count_table) == PAGE_SIZE, "a table is a page");

/* Written by the service thread alone, but for what says otherwise. */
struct guest {
    _Atomic uint32_t key; /* 0: there is no guest here, or it is being taken apart */
    uint32_t owner;       /* child number of its VMM; 0: this entry is free */
    uint32_t generation;
    struct segments segments;
    uint64_t limit, size; /* bytes: what the VMM may have in segments, and has */
    uint64_t held;        /* holds less releases */
    struct count_table *counts;
    struct block_list space_blocks;  /* memory_lock: of the nested Space: itself, and its reserve */
    struct block_list window_blocks; /* memory_lock: that the VMM's Space was funded with */
    atomic_bool waits;               /* the log has said that it waits for memory (park.c) */
};

extern struct guest guests[GUEST_MAX];

static inline unsigned guest_index(const struct guest *guest)
{
    return (unsigned)(guest - guests);
}

/* Adds one to a count of this worker's row. */
static inline void count_event(_Atomic uint64_t *count)
{
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* The guest that a fault endpoint's badge is of, or NULL. Any worker. */
static inline struct guest *guest_of_badge(uint64_t badge)
{
    uint32_t key = (uint32_t)badge & ~BADGE_WINDOW;
    unsigned index = (key & ((1u << KEY_INDEX_BITS) - 1)) - 1;
    if (index >= GUEST_MAX ||
        atomic_load_explicit(&guests[index].key, memory_order_acquire) != key) {
        return NULL;
    }
    return &guests[index];
}

/* The guest of a VMM, or NULL. Service thread. */
struct guest *guest_of_owner(uint32_t owner);

/*
 * Makes a guest for `owner`, who has none. `vmm_space` is the slot of its Space, which moves into
 * the guest; `type` the nested Space's. Errors: as VMS_CREATE; then nothing has changed. Service
 * thread.
 */
enum status guest_create(uint32_t owner, uint32_t vmm_space, enum space_type type, uint64_t limit,
                         struct guest **made);

/* Makes the two fault endpoints of that worker, if they are not there yet; E_LIMIT or so. Service
 * thread. */
enum status guest_make_endpoints(struct guest *guest, unsigned worker);

/* Adds a segment. Errors: as VMS_ADD_SEGMENT. Service thread. */
enum status guest_add_segment(struct guest *guest, uint64_t gpa, uint64_t size, unsigned rights);

/*
 * Takes the guest apart: faulters that wait are stopped; all that is mapped is unmapped, in its
 * Space and in the window; the Space and the endpoints are gone; frames and tables are back in the
 * pool, and others that wait for memory go on. Service thread.
 */
void guest_destroy(struct guest *guest);

#endif
