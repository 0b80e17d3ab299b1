/* cnode.h: CNodes, and the look-up of a capability address. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_OBJ_CNODE_H
#define KERNEL_OBJ_CNODE_H

#include <stddef.h>

#include "kernel/obj/cap.h"

/* The root CNode of a thread, unpacked from its capability. No CNode: count 0. */
struct cspace {
    struct slot *slots;
    uint32_t count;
};

/*
 * A CNode is an array of slots. Slot 0 never holds a capability that can be named: it is the
 * CNode's own, for its grave (destroy.h).
 */
static inline struct slot *cnode_slots(const struct cap *cnode)
{
    return (struct slot *)cnode->object;
}

static inline uint32_t cnode_count(const struct cap *cnode)
{
    return 1u << (cnode->bits - SLOT_BITS);
}

/*
 * The slot of a two-level address, or NULL. 'right': what is needed of the inner CNode, CN_ bits.
 * Of the root CNode no right is needed: it is the caller's own.
 */
struct slot *cnode_lookup_deep(const struct cspace *cspace, uint32_t cptr, uint8_t right);

/* The slot that a capability address names, empty or not, or NULL if there is no such slot. */
static inline struct slot *cnode_lookup(const struct cspace *cspace, uint32_t cptr, uint8_t right)
{
    if (__builtin_expect(cptr < cspace->count, 1)) {
        return cptr ? &cspace->slots[cptr] : NULL;
    }
    return cnode_lookup_deep(cspace, cptr, right);
}

#endif
