/* cap.c: the derivation list: which capability comes from which. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/cap.h"

#include "kernel/lib/assert.h"
#include "kernel/lib/lock.h"
#include "kernel/mem/phys.h"

struct lock derivation_lock;

/* Physical address of the memory an object was made from; false if it was not made from memory. */
static bool cap_memory(const struct cap *cap, uint64_t *physical)
{
    switch (cap->type) {
    case OBJ_UNTYPED:
    case OBJ_FRAME:
        *physical = cap->object;
        return true;
    case OBJ_NULL:
    case OBJ_IRQ:
    case OBJ_PORTS:
    case OBJ_PLATFORM:
        return false;
    default:
        *physical = page_physical(cap_object(cap));
        return true;
    }
}

static bool untyped_contains(const struct cap *untyped, const struct cap *other)
{
    uint64_t physical;

    return cap_memory(other, &physical) && physical - untyped->object < 1ull << untyped->bits;
}

static bool ports_contain(const struct cap *range, const struct cap *other)
{
    uint32_t first = range->badge & 0xffff, last = range->badge >> 16;

    return (other->badge & 0xffff) >= first && other->badge >> 16 <= last;
}

static bool same_object(const struct cap *a, const struct cap *b)
{
    return a->type == b->type && a->object == b->object && a->bits == b->bits;
}

bool cap_is_parent(const struct cap *parent, const struct cap *child)
{
    if (!(parent->flags & CAP_ORIGINAL)) {
        return false;
    }
    switch (parent->type) {
    case OBJ_UNTYPED:
        return untyped_contains(parent, child);
    case OBJ_ENDPOINT:
    case OBJ_NOTIFICATION:
        return same_object(parent, child) &&
               (parent->badge == 0 ||
                (parent->badge == child->badge && !(child->flags & CAP_BADGED)));
    case OBJ_PORTS:
        return child->type == OBJ_PORTS && ports_contain(parent, child);
    case OBJ_PLATFORM:
        return child->type == OBJ_PLATFORM || child->type == OBJ_IRQ;
    default:
        return same_object(parent, child);
    }
}

bool slot_is_final(const struct slot *slot)
{
    const struct slot *prev = slot->prev, *next = slot->next;

    return !(prev && same_object(&prev->cap, &slot->cap)) &&
           !(next && same_object(&next->cap, &slot->cap));
}

bool cap_derive(const struct slot *source, uint8_t rights, struct cap *copy)
{
    *copy = source->cap;
    copy->rights &= rights;
    copy->flags &= CAP_DEVICE;
    return copy->type != OBJ_NULL && copy->type != OBJ_UNTYPED;
}

void slot_insert_locked(struct slot *to, struct cap cap, struct slot *parent)
{
    ASSERT(lock_held(&derivation_lock) && slot_is_empty(to));
    to->prev = parent;
    to->next = parent ? parent->next : NULL;
    if (to->next) {
        to->next->prev = to;
    }
    if (parent) {
        parent->next = to;
    }
    /* A look-up on another CPU sees the type last, and then the whole capability. */
    to->cap.object = cap.object;
    to->cap.badge = cap.badge;
    to->cap.bits = cap.bits;
    to->cap.flags = cap.flags;
    to->cap.rights = cap.rights;
    __atomic_store_n(&to->cap.type, cap.type, __ATOMIC_RELEASE);
}

enum status slot_insert(struct slot *to, struct cap cap, struct slot *parent)
{
    enum status status = E_SLOT;

    lock_take(&derivation_lock);
    if (slot_is_empty(to)) {
        slot_insert_locked(to, cap, parent);
        status = OK;
    }
    lock_release(&derivation_lock);
    return status;
}

void slot_move(struct slot *to, struct slot *from)
{
    ASSERT(slot_is_empty(to) && !slot_is_empty(from));
    *to = *from;
    if (to->prev) {
        to->prev->next = to;
    }
    if (to->next) {
        to->next->prev = to;
    }
    *from = (struct slot){0};
}

void slot_clear(struct slot *slot)
{
    if (slot->prev) {
        slot->prev->next = slot->next;
    }
    if (slot->next) {
        slot->next->prev = slot->prev;
    }
    *slot = (struct slot){0};
}
