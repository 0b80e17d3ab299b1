/* space.h: Spaces: one page-table tree each, and which CPUs use it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_OBJ_SPACE_H
#define KERNEL_OBJ_SPACE_H

#include "kernel/mem/ptab.h"
#include "kernel/obj/core.h"

/* How many times a Space can be funded; the untypeds it took are kept here until it dies. */
#define SPACE_FUNDS 64

/* The root table is the second page of the object. */
struct space {
    struct ptab ptab;
    uint64_t cr3;               /* PT_X86: root | PCID. PT_EPT: the EPTP */
    uint8_t type;               /* enum space_type */
    bool dying;                 /* nothing can be mapped in it any more; kernel lock: writing */
    bool abandoned;             /* it is empty, and no CPU has its tables loaded; kernel lock: writing */
    uint32_t id;                /* PCID; unique among Spaces */
    uint64_t generation;        /* counts narrowings; atomic */
    uint64_t window_first, window_last; /* nested: faults here go to the VMM (kernel lock: writing) */
    struct space *dirty_next;   /* while a revocation collects the Spaces that it narrowed */
    bool dirty;
    uint64_t seen[MAX_CPUS];    /* generation at which each CPU last flushed; written by that CPU */
    struct slot grave;
    struct slot fund[SPACE_FUNDS];
};

#define SPACE_ROOT_OFFSET 4096u
_Static_assert(sizeof(struct space) <= SPACE_ROOT_OFFSET, "the root table follows");

/*
 * Makes an empty Space of zeroed memory. E_UNSUPPORTED if the CPU has no such tables, E_LIMIT if no number is
 * left. The kernel's half of a PT_X86 root is filled in.
 */
enum status space_init(struct space *space, enum space_type type);

/* The Space that its page-table tree is part of. */
static inline struct space *space_of(struct ptab *ptab)
{
    return (struct space *)((char *)ptab - offsetof(struct space, ptab));
}

/*
 * Loads CR3 with the Space's tables. Publishing comes before the generation is read, with a full fence between (I15):
 * so either the CPU sees the new generation and flushes, or who narrowed the Space sees the CPU and waits for it.
 */
void space_flush(struct core *core, struct space *space, uint64_t generation);

#define CR3_NO_FLUSH (1ull << 63)
extern uint64_t space_cr3_keep; /* CR3_NO_FLUSH with PCIDs, else 0 */

static inline void space_enter(struct core *core, struct space *space)
{
    (void)__atomic_exchange_n(&core->space, space, __ATOMIC_SEQ_CST);
    uint64_t generation = __atomic_load_n(&space->generation, __ATOMIC_RELAXED);

    if (__builtin_expect(space->seen[core_cpu(core)->id] == generation, 1)) {
        __asm__ volatile("mov %0, %%cr3" : : "r"(space->cr3 | space_cr3_keep) : "memory");
    } else {
        space_flush(core, space, generation);
    }
}

/*
 * A narrowing of the Space (its stores are done): returns when no CPU uses a translation older than it (I1).
 * Reclaims table pages after that (I29). Interrupts are off; serves other CPUs' requests while it waits.
 */
void space_shootdown(struct core *core, struct space *space);

/* Brings this CPU up to date with the Spaces it uses, if they were narrowed. */
void space_catch_up(struct core *core);

/* Adds a Space to those that a revocation has narrowed; then shoots all of them down. */
void space_mark_dirty(struct ptab *ptab);
void space_shootdown_dirty(struct core *core);

/*
 * Removes up to 'budget' mappings, then lets the CPUs forget the Space, then gives up its reserve;
 * returns whether all that is done: nothing can be mapped in it any more. Kernel lock: writing.
 */
bool space_take_apart(struct core *core, struct space *space, unsigned budget);

/* Its number can be another Space's now. */
void space_free_id(struct space *space);

/* The Space that a slot in 'fund' belongs to. */
static inline struct space *space_of_slot(struct slot *slot)
{
    return (struct space *)((uint64_t)slot & ~((1ull << SPACE_BITS) - 1));
}

#endif
