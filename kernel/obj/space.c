/* space.c: making Spaces, and keeping every CPU's translations no older than their tables. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/space.h"

#include "kernel/lib/string.h"
#include "kernel/obj/klock.h"
#include "kernel/obj/virt.h"
#include "kernel/x86/asm.h"
#include "kernel/x86/lapic.h"
#include "kernel/x86/layout.h"

/* PCIDs have 12 bits; 0 is the kernel's own tables. */
#define SPACE_IDS 4096u

static uint64_t id_map[SPACE_IDS / 64] = {1};
static struct lock id_lock;
static struct space *dirty_list;
uint64_t space_cr3_keep;

/* A number that no other Space has; 0: none left. The last flush of its former user does not count (seen). */
static uint32_t take_id(void)
{
    uint32_t id = 0;

    lock_take(&id_lock);
    for (unsigned i = 0; i < SPACE_IDS / 64 && id == 0; i++) {
        if (~id_map[i]) {
            unsigned bit = (unsigned)__builtin_ctzl(~id_map[i]);

            id_map[i] |= 1ull << bit;
            id = i * 64 + bit;
        }
    }
    lock_release(&id_lock);
    return id;
}

static void give_id(uint32_t id)
{
    lock_take(&id_lock);
    id_map[id / 64] &= ~(1ull << (id % 64));
    lock_release(&id_lock);
}

enum status space_init(struct space *space, enum space_type type)
{
    uint64_t *root = (uint64_t *)((char *)space + SPACE_ROOT_OFFSET);
    uint32_t id;

    if (type >= PT_COUNT || !pt_formats[type].name) {
        return E_UNSUPPORTED;
    }
    id = take_id();
    if (id == 0) {
        return E_LIMIT;
    }
    ptab_init(&space->ptab, &pt_formats[type], page_physical(root), id);
    space->type = (uint8_t)type;
    space->id = id;
    space->window_first = 1; /* first > last: no window */
    /* No CPU has flushed yet what an earlier user of the number left (I17). */
    space->generation = 1;
    if (type == PT_X86) {
        memcpy(&root[256], &kernel_pml4[256], 256 * sizeof(*root));
        space->cr3 = space->ptab.root | (space_cr3_keep ? id : 0);
    } else {
        space->cr3 = virt->nested_root(space->ptab.root);
    }
    return OK;
}

void space_flush(struct core *core, struct space *space, uint64_t generation)
{
    core_count(core, CT_INVALIDATE);
    write_cr3(space->cr3);
    __atomic_store_n(&space->seen[core_cpu(core)->id], generation, __ATOMIC_RELEASE);
}

void space_catch_up(struct core *core)
{
    struct space *space = core->space;

    if (space) {
        uint64_t generation = __atomic_load_n(&space->generation, __ATOMIC_ACQUIRE);

        if (space->seen[core_cpu(core)->id] != generation) {
            space_flush(core, space, generation);
        }
    }
}

/* Whether that CPU may still use translations older than the generation. */
static bool is_behind(struct core *other, struct space *space, uint64_t generation)
{
    bool uses = __atomic_load_n(&other->nested, __ATOMIC_ACQUIRE) == space ||
                __atomic_load_n(&other->space, __ATOMIC_ACQUIRE) == space;

    return uses && __atomic_load_n(&space->seen[core_cpu(other)->id], __ATOMIC_ACQUIRE) < generation;
}

/* Kicks the other CPUs that are behind, and waits until none is. */
static void wait_for_others(struct core *core, struct space *space, uint64_t generation)
{
    for (unsigned cpu = 0; cpu < cpu_count; cpu++) {
        struct core *other = core_of(cpu);

        if (other != core && is_behind(other, space, generation)) {
            core_count(core, CT_SHOOTDOWN);
            core_count(core, CT_IPI);
            lapic_send_ipi(cpu, VECTOR_IPI_SHOOTDOWN);
        }
    }
    for (unsigned cpu = 0; cpu < cpu_count; cpu++) {
        struct core *other = core_of(cpu);

        while (other != core && is_behind(other, space, generation)) {
            core_serve(core);
            cpu_relax();
        }
    }
}

void space_shootdown(struct core *core, struct space *space)
{
    /* Tables that were retired before this point; another CPU's come back with its own shootdown. */
    bool retired = __atomic_load_n(&space->ptab.retired, __ATOMIC_RELAXED) != NULL;
    uint64_t tables = retired ? ptab_close(&space->ptab) : 0;
    uint64_t generation = __atomic_add_fetch(&space->generation, 1, __ATOMIC_SEQ_CST);

    if (core->space == space) {
        space_flush(core, space, generation);
    }
    if (cpu_count > 1) {
        wait_for_others(core, space, generation);
    }
    while (retired && ptab_reclaim(&space->ptab, tables, UINT64_MAX)) {
        continue;
    }
}

void space_mark_dirty(struct ptab *ptab)
{
    struct space *space = space_of(ptab);

    if (!space->dirty) {
        space->dirty = true;
        space->dirty_next = dirty_list;
        dirty_list = space;
    }
}

void space_shootdown_dirty(struct core *core)
{
    while (dirty_list) {
        struct space *space = dirty_list;

        dirty_list = space->dirty_next;
        space->dirty = false;
        space_shootdown(core, space);
    }
}

/* Makes CPUs that still have the tables loaded, though no thread of theirs runs on them, let go. */
static void leave_everywhere(struct core *core, struct space *space)
{
    for (unsigned cpu = 0; cpu < cpu_count; cpu++) {
        struct core *other = core_of(cpu);

        if (other->space != space) {
            continue;
        }
        if (other == core) {
            core_drop(core);
        } else {
            core_leave(core, other);
        }
    }
}

bool space_take_apart(struct core *core, struct space *space, unsigned budget)
{
    space->dying = true;
    if (ptab_clear_step(&space->ptab, budget)) {
        return false;
    }
    if (!space->abandoned) {
        space->abandoned = true;
        space_shootdown(core, space);
        leave_everywhere(core, space);
    }
    return !ptab_finish_step(&space->ptab, budget);
}

void space_free_id(struct space *space) { give_id(space->id); }
