/* destroy.c: how objects die. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/destroy.h"

#include "kernel/lib/assert.h"
#include "kernel/mem/rmap.h"
#include "kernel/obj/endpoint.h"
#include "kernel/obj/irq.h"
#include "kernel/obj/notification.h"
#include "kernel/obj/sched.h"
#include "kernel/obj/space.h"

/* The object that is being taken apart, and how far that came; the others wait behind it. */
static struct slot *dying;
static uint32_t dying_cursor;

/* The Frame whose mappings are being removed, and how far that came. */
static uint64_t frame_base = UINT64_MAX, frame_cursor;

/* Graves are tied to each other by a physical address in units of slots, in the unused badge. */
static struct slot *grave_next(const struct slot *grave)
{
    uint32_t link = grave->cap.badge;

    return link ? page_address((uint64_t)link << SLOT_BITS) : NULL;
}

_Static_assert(offsetof(struct thread, slot) % (1 << SLOT_BITS) == 0, "a whole number of slots");
_Static_assert(offsetof(struct space, grave) % (1 << SLOT_BITS) == 0, "a whole number of slots");

static uint32_t grave_link(const struct slot *grave)
{
    return (uint32_t)(page_physical(grave) >> SLOT_BITS);
}

static struct slot *grave_of(const struct cap *cap)
{
    switch (cap->type) {
    case OBJ_CNODE:
        return cnode_slots(cap);
    case OBJ_SPACE:
        return &((struct space *)cap_object(cap))->grave;
    default:
        return &((struct thread *)cap_object(cap))->slot[TSLOT_GRAVE];
    }
}

/* Behind the first, whose cursor stays valid. */
static void bury(struct slot *slot)
{
    struct slot *grave = grave_of(&slot->cap);

    slot_move(grave, slot);
    grave->cap.flags = CAP_INSIDE | CAP_GRAVE;
    grave->cap.badge = 0;
    if (dying) {
        grave->cap.badge = dying->cap.badge;
        dying->cap.badge = grave_link(grave);
    } else {
        dying = grave;
        dying_cursor = 1;
    }
}

static void next_grave(void)
{
    struct slot *done = dying;

    dying = grave_next(done);
    dying_cursor = 1;
    slot_clear(done);
}

/* Removes mappings of a Frame in all Spaces; false: more is left. */
static bool unmap_frame(const struct cap *cap)
{
    if (frame_base != cap->object) {
        frame_base = cap->object;
        frame_cursor = 0;
    }
    if (page_unmap_step(cap->object, cap->bits, &frame_cursor, DESTROY_BUDGET * 8,
                        space_mark_dirty)) {
        return false;
    }
    frame_base = UINT64_MAX;
    return true;
}

/*
 * Memory that a Space was funded with is taken back: all its tables may be in it, so the Space
 * loses everything, and is of no use any more.
 */
static bool take_fund(struct core *core, struct slot *slot)
{
    struct space *space = space_of_slot(slot);

    if (!space_take_apart(core, space, DESTROY_BUDGET)) {
        return false;
    }
    for (unsigned i = 0; i < SPACE_FUNDS; i++) {
        if (!slot_is_empty(&space->fund[i])) {
            slot_clear(&space->fund[i]);
        }
    }
    return true;
}

static void clear_inside(struct slot *slot, uint8_t type)
{
    slot_clear(slot);
    if (type != OBJ_NOTIFICATION) {
        thread_slot_lost(slot);
    }
}

/* The last capability to the object in 'slot'. */
static bool die(struct core *core, struct slot *slot)
{
    void *object = cap_object(&slot->cap);

    switch (slot->cap.type) {
    case OBJ_FRAME:
        return unmap_frame(&slot->cap);
    case OBJ_THREAD:
    case OBJ_VCPU:
        thread_kill(object);
        break;
    case OBJ_SCHED:
        sched_kill(object);
        break;
    case OBJ_ENDPOINT:
        endpoint_kill(core, object);
        break;
    case OBJ_REPLY:
        reply_kill(core, object);
        break;
    case OBJ_NOTIFICATION:
        notification_kill(core, object);
        break;
    case OBJ_IRQ:
        irq_kill(core, object);
        break;
    default:
        break;
    }
    return true;
}

static bool is_container(uint8_t type)
{
    return type == OBJ_CNODE || type == OBJ_THREAD || type == OBJ_VCPU || type == OBJ_SPACE;
}

bool destroy_slot(struct core *core, struct slot *slot)
{
    uint8_t type = slot->cap.type;
    bool inside = slot->cap.flags & CAP_INSIDE;

    ASSERT(!(slot->cap.flags & CAP_GRAVE));
    if (type == OBJ_UNTYPED && inside) {
        return take_fund(core, slot);
    }
    if (type != OBJ_UNTYPED && slot_is_final(slot)) {
        if (!die(core, slot)) {
            return false;
        }
        if (is_container(type)) {
            bury(slot);
        }
    }
    if (inside) {
        clear_inside(slot, type);
    } else if (!slot_is_empty(slot)) {
        slot_clear(slot);
    }
    return true;
}

/* One slot of a CNode; false when all are empty. */
static bool cnode_step(struct core *core, struct slot *grave)
{
    uint32_t count = cnode_count(&grave->cap);

    while (dying_cursor < count) {
        struct slot *slot = grave + dying_cursor;

        if (!slot_is_empty(slot)) {
            dying_cursor += destroy_slot(core, slot);
            return true;
        }
        dying_cursor++;
    }
    return false;
}

static bool thread_step(struct core *core, struct slot *grave)
{
    struct thread *thread = cap_object(&grave->cap);

    for (unsigned i = TSLOT_GRAVE + 1; i < TSLOT_COUNT; i++) {
        if (!slot_is_empty(&thread->slot[i])) {
            destroy_slot(core, &thread->slot[i]);
            return true;
        }
    }
    return false;
}

static bool space_step(struct core *core, struct slot *grave)
{
    struct space *space = cap_object(&grave->cap);

    if (!space_take_apart(core, space, DESTROY_BUDGET)) {
        return true;
    }
    for (unsigned i = 0; i < SPACE_FUNDS; i++) {
        if (!slot_is_empty(&space->fund[i])) {
            slot_clear(&space->fund[i]);
        }
    }
    space_free_id(space);
    return false;
}

bool destroy_step(struct core *core)
{
    bool more;

    if (!dying) {
        return false;
    }
    switch (dying->cap.type) {
    case OBJ_CNODE:
        more = cnode_step(core, dying);
        break;
    case OBJ_SPACE:
        more = space_step(core, dying);
        break;
    default:
        more = thread_step(core, dying);
        break;
    }
    if (!more) {
        next_grave();
    }
    return dying != NULL;
}

bool destroy_steps(struct core *core)
{
    unsigned budget = DESTROY_BUDGET;

    while (destroy_step(core)) {
        if (--budget == 0) {
            return true;
        }
    }
    return false;
}

bool revoke_step(struct core *core, struct slot *slot)
{
    struct slot *next = slot->next;

    if (next && cap_is_parent(&slot->cap, &next->cap)) {
        if (next->cap.flags & CAP_GRAVE) {
            destroy_step(core);
        } else {
            destroy_slot(core, next);
        }
        return true;
    }
    /* A copy does not speak for the mappings that others made. */
    return slot->cap.type == OBJ_FRAME && (slot->cap.flags & CAP_ORIGINAL) &&
           !unmap_frame(&slot->cap);
}
