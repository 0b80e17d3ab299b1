/* cap.h: capabilities, slots, and the derivation list that ties every capability to its origin. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_OBJ_CAP_H
#define KERNEL_OBJ_CAP_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/abi/error.h"
#include "kernel/abi/object.h"

enum cap_flag {
    CAP_ORIGINAL = 1 << 0, /* made by retype, or the first with its badge: revoking it reaches its copies */
    CAP_BADGED = 1 << 1,   /* the first with its badge: not a copy of its neighbours */
    CAP_INSIDE = 1 << 2,   /* its slot is inside an object, not in a CNode */
    CAP_GRAVE = 1 << 3,    /* keeps the memory of a dying object until it is taken apart */
    CAP_DEVICE = 1 << 4,   /* Untyped, Frame: not RAM */
};

/*
 * What 'object' and 'badge' hold by type: Untyped: physical base, and the part in use in units of
 * UNTYPED_UNIT. Frame: physical base. Ports: nothing, and first | last << 16. Irq: struct irq.
 * All others: the kernel's pointer to the object; Endpoint and Notification have a badge.
 */
struct cap {
    uint8_t type;   /* enum object_type */
    uint8_t rights; /* of that type */
    uint8_t flags;  /* enum cap_flag */
    uint8_t bits;   /* log2 of the object's size in bytes */
    uint32_t badge;
    uint64_t object;
};

/*
 * The derivation list: every capability stands behind the one it was derived from, before that
 * one's next sibling. So the descendants of a slot are the run of slots behind it for which
 * cap_is_parent() holds, and copies of one object are neighbours. Guarded by derivation_lock when
 * capabilities are added, by the kernel lock held for writing when one is taken out.
 */
struct slot {
    struct cap cap;
    struct slot *prev, *next;
};

_Static_assert(sizeof(struct slot) == 1 << SLOT_BITS, "slot size is part of the ABI");

#define UNTYPED_UNIT 64u

static inline bool slot_is_empty(const struct slot *slot) { return slot->cap.type == OBJ_NULL; }

/* The object of a capability to a kernel object. */
static inline void *cap_object(const struct cap *cap) { return (void *)cap->object; }

/* Whether revoking 'parent' must delete 'child', if 'child' stands behind it in the list. */
bool cap_is_parent(const struct cap *parent, const struct cap *child);

/*
 * The capability that a copy of 'source' with at most these rights is. False if there are no
 * copies of that type (Untyped: its watermark must be in one place; Reply: one receiver).
 */
bool cap_derive(const struct slot *source, uint8_t rights, struct cap *copy);

/* Whether no other capability to the same object exists. Kernel lock: writing. */
bool slot_is_final(const struct slot *slot);

/*
 * Puts 'cap' into the empty slot 'to', behind 'parent' (NULL: as a root of the list). The only way
 * in which a slot is filled: returns E_SLOT if it is in use. Takes derivation_lock.
 */
enum status slot_insert(struct slot *to, struct cap cap, struct slot *parent);

/* As slot_insert() for a caller that holds derivation_lock and knows that 'to' is empty. */
void slot_insert_locked(struct slot *to, struct cap cap, struct slot *parent);

/* Moves a capability to an empty slot, keeping its place in the list. Kernel lock: writing. */
void slot_move(struct slot *to, struct slot *from);

/* Empties a slot and takes it out of the list; the object is not looked at. Kernel lock: writing. */
void slot_clear(struct slot *slot);

extern struct lock derivation_lock;

#endif
