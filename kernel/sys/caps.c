/* caps.c: system calls on capabilities: copy, mint, move, delete, revoke, identify. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/destroy.h"
#include "kernel/sys/sys.h"

/* The slots of RDI's "source:destination": the source may be copied, the destination is empty. */
static enum status find_destination(struct thread *self, struct slot **to)
{
    uint32_t source = low_half(self->regs.rdi), target = high_half(self->regs.rdi);

    if (source >= self->cspace.count && !cnode_lookup_deep(&self->cspace, source, CN_READ)) {
        return E_RIGHT;
    }
    *to = cnode_lookup(&self->cspace, target, CN_WRITE);
    return *to && slot_is_empty(*to) ? OK : E_SLOT;
}

enum status sys_cap_copy(struct core *core, struct thread *self, struct slot *slot)
{
    struct slot *to;
    struct cap cap;
    enum status status = find_destination(self, &to);

    (void)core;
    if (status != OK) {
        return status;
    }
    if (!cap_derive(slot, (uint8_t)self->regs.rsi, &cap)) {
        return E_TYPE;
    }
    return slot_insert(to, cap, slot);
}

/* What a badge means depends on the type; only an unbadged capability takes one. */
static enum status apply_badge(struct cap *cap, uint64_t badge)
{
    uint32_t first = low_half(badge), last = high_half(badge);

    switch (cap->type) {
    case OBJ_ENDPOINT:
    case OBJ_NOTIFICATION:
        if (cap->badge != 0 || badge == 0 || badge > UINT32_MAX) {
            return E_ARGUMENT;
        }
        cap->badge = (uint32_t)badge;
        cap->flags |= CAP_ORIGINAL | CAP_BADGED;
        return OK;
    case OBJ_PORTS:
        if (first > last || first < (cap->badge & 0xffff) || last > cap->badge >> 16) {
            return E_ARGUMENT;
        }
        cap->badge = first | last << 16;
        return OK;
    default:
        return E_TYPE;
    }
}

enum status sys_cap_mint(struct core *core, struct thread *self, struct slot *slot)
{
    struct slot *to;
    struct cap cap;
    enum status status = find_destination(self, &to);

    (void)core;
    if (status != OK) {
        return status;
    }
    if (!cap_derive(slot, (uint8_t)self->regs.rsi, &cap)) {
        return E_TYPE;
    }
    status = apply_badge(&cap, self->regs.rdx);
    return status == OK ? slot_insert(to, cap, slot) : status;
}

enum status sys_cap_move(struct core *core, struct thread *self, struct slot *slot)
{
    struct slot *to;
    enum status status = find_destination(self, &to);

    (void)core;
    if (status == OK) {
        slot_move(to, slot);
    }
    return status;
}

/* Deleting needs the right to change the CNode that holds the slot. */
static enum status check_write(struct thread *self)
{
    return cnode_lookup(&self->cspace, low_half(self->regs.rdi), CN_WRITE) ? OK : E_RIGHT;
}

enum status sys_cap_delete(struct core *core, struct thread *self, struct slot *slot)
{
    enum status status = check_write(self);

    if (status != OK) {
        return status;
    }
    if (!slot_is_empty(slot) && !destroy_slot(core, slot)) {
        return SYS_AGAIN;
    }
    return destroy_steps(core) ? SYS_AGAIN : OK;
}

enum status sys_cap_revoke(struct core *core, struct thread *self, struct slot *slot)
{
    unsigned budget = DESTROY_BUDGET;
    enum status status = check_write(self);

    if (status != OK) {
        return status;
    }
    while (revoke_step(core, slot)) {
        if (--budget == 0 || core_current(core) != self) {
            return SYS_AGAIN;
        }
    }
    return OK;
}

/* Bytes of an Untyped that are not in use. */
static uint64_t untyped_free(const struct slot *slot)
{
    uint64_t size = 1ull << slot->cap.bits;

    if (!slot->next || !cap_is_parent(&slot->cap, &slot->next->cap)) {
        return size;
    }
    return size - (uint64_t)slot->cap.badge * UNTYPED_UNIT;
}

enum status sys_cap_identify(struct core *core, struct thread *self, struct slot *slot)
{
    const struct cap *cap = &slot->cap;
    bool memory = cap->type == OBJ_FRAME || cap->type == OBJ_UNTYPED;

    (void)core;
    self->regs.rsi = cap->type | (uint64_t)cap->rights << 8 | (uint64_t)cap->bits << 16;
    self->regs.rdx = memory ? cap->object : 0;
    self->regs.r8 = cap->type == OBJ_UNTYPED ? untyped_free(slot) : 0;
    if (cap->type == OBJ_PORTS) {
        self->regs.rdx = cap->badge;
    } else if (!memory) {
        self->regs.rsi |= (uint64_t)cap->badge << 32;
    }
    return OK;
}
