/* spaces.c: system calls on Spaces: fund, map, unmap, protect, query. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/space.h"

#include "kernel/mem/phys.h"
#include "kernel/sys/sys.h"

/* Most of an Untyped that one call clears for a reserve, log2 of bytes. */
#define FUND_MAX_BITS 21

/* Entries that an unmap or protect looks at before it starts again. */
#define NARROW_BUDGET 512u

static struct space *space_in(const struct slot *slot) { return cap_object(&slot->cap); }

enum status sys_space_fund(struct core *core, struct thread *self, struct slot *slot)
{
    struct space *space = space_in(slot);
    struct slot *untyped, *fund = space->fund;
    enum status status =
        sys_find(self, high_half(self->regs.rdi), OBJ_UNTYPED, UT_RETYPE, &untyped);

    (void)core;
    if (status != OK) {
        return status;
    }
    if (untyped->cap.bits > FUND_MAX_BITS) {
        return E_LIMIT;
    }
    if (untyped->cap.flags & CAP_DEVICE) {
        return E_ARGUMENT;
    }
    if (space->dying || (untyped->next && cap_is_parent(&untyped->cap, &untyped->next->cap))) {
        return E_BUSY;
    }
    while (fund < space->fund + SPACE_FUNDS && !slot_is_empty(fund)) {
        fund++;
    }
    if (fund == space->fund + SPACE_FUNDS) {
        return E_LIMIT;
    }
    struct cap cap = untyped->cap;

    cap.flags = CAP_INSIDE;
    cap.badge = untyped->cap.badge = (uint32_t)((1ull << cap.bits) / UNTYPED_UNIT);
    slot_insert(fund, cap, untyped);
    for (uint64_t offset = 0; offset < 1ull << cap.bits; offset += PAGE_SIZE) {
        ptab_fund(&space->ptab, cap.object + offset);
    }
    self->regs.rsi = space->ptab.reserve.count;
    return OK;
}

enum status sys_space_window(struct core *core, struct thread *self, struct slot *slot)
{
    struct space *space = space_in(slot);

    (void)core;
    if (space->type == PT_X86 || space->type == PT_VTD) {
        return E_TYPE;
    }
    space->window_first = self->regs.rsi;
    space->window_last = self->regs.rdx;
    return OK;
}

enum status sys_space_query(struct core *core, struct thread *self, struct slot *slot)
{
    struct ptab *ptab = &space_in(slot)->ptab;
    struct ptab_leaf leaf = {0};
    enum status status = ptab_query(ptab, self->regs.rsi & ~(uint64_t)MAP_FLAGS, &leaf);

    (void)core;
    self->regs.rsi = leaf.physical | leaf.flags;
    self->regs.rdx = ptab->mapped[0] + ptab->mapped[1] * 512 + ptab->mapped[2] * 512 * 512;
    self->regs.r8 = ptab->reserve.count;
    return status;
}

enum status map_checked(struct thread *self, uint32_t space_cptr, uint32_t frame_cptr,
                        uint64_t offset, uint64_t where, uint64_t count, uint64_t *lacking)
{
    struct slot *space, *frame;
    unsigned flags = (unsigned)(where & MAP_FLAGS);
    unsigned level = (flags & MAP_SIZE_MASK) >> MAP_SIZE_SHIFT;
    enum status status = sys_find(self, space_cptr, OBJ_SPACE, SP_MAP, &space);

    if (status != OK) {
        return status;
    }
    /* The FR_ rights are the MAP_ rights; to clear the memory is to write to it. */
    status = sys_find(self, frame_cptr, OBJ_FRAME,
                      (uint8_t)((flags & MAP_RIGHTS) | (flags & MAP_FRESH ? FR_WRITE : 0)), &frame);
    if (status != OK) {
        return status;
    }
    uint64_t size = 1ull << frame->cap.bits;
    unsigned piece_bits = PAGE_SHIFT + PAGE_LEVEL_BITS * level;

    if (level >= PAGE_LEVELS || offset >= size || count > (size - offset) >> piece_bits) {
        return E_ARGUMENT;
    }
    if (frame->cap.flags & CAP_DEVICE) {
        flags |= MAP_UNCACHED;
    }
    if (space_in(space)->dying) {
        return E_STATE;
    }
    core_count(core_this(), CT_MAPPED);
    return ptab_map(&space_in(space)->ptab, where & ~(uint64_t)MAP_FLAGS,
                    frame->cap.object + offset, flags, count, lacking);
}

enum status sys_map(struct core *core, struct thread *self, struct slot *slot)
{
    uint64_t lacking = 0;

    (void)core;
    (void)slot;
    enum status status =
        map_checked(self, low_half(self->regs.rdi), high_half(self->regs.rdi), self->regs.rsi,
                    self->regs.rdx, self->regs.r8, &lacking);

    self->regs.rsi = status == E_RESERVE ? lacking : 0;
    return status;
}

/*
 * Unmaps or protects a piece of the range. If more is left the call is made again, with the rest of the
 * range in its registers; r8 counts what was changed so far (user level passes 0).
 */
static enum status narrowed(struct core *core, struct thread *self, struct space *space,
                            enum status status, const struct ptab_progress *progress)
{
    if (progress->narrowed) {
        space_shootdown(core, space);
    }
    if (status != OK) {
        return status;
    }
    self->regs.r8 += progress->changed;
    if (progress->pages < self->regs.rdx) {
        self->regs.rsi += progress->pages * PAGE_SIZE;
        self->regs.rdx -= progress->pages;
        return SYS_AGAIN;
    }
    self->regs.rsi = self->regs.r8;
    return OK;
}

enum status sys_unmap(struct core *core, struct thread *self, struct slot *slot)
{
    struct space *space = space_in(slot);
    struct ptab_progress progress = {0};
    enum status status =
        ptab_unmap(&space->ptab, self->regs.rsi, self->regs.rdx, NARROW_BUDGET, &progress);

    core->counter[CT_UNMAPPED] += progress.changed;
    return narrowed(core, self, space, status, &progress);
}

enum status sys_protect(struct core *core, struct thread *self, struct slot *slot)
{
    struct space *space = space_in(slot);
    struct ptab_progress progress = {0};
    unsigned rights = (unsigned)(self->regs.rsi & MAP_RIGHTS);
    enum status status = ptab_protect(&space->ptab, self->regs.rsi & ~(uint64_t)MAP_FLAGS,
                                      self->regs.rdx, rights, NARROW_BUDGET, &progress);

    return narrowed(core, self, space, status, &progress);
}
