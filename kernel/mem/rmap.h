/* rmap.h: the way back from a frame to all its mappings, in every Space. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_MEM_RMAP_H
#define KERNEL_MEM_RMAP_H

#include "kernel/mem/phys.h"

/*
 * A mapping entry: one per leaf entry in a table, at the same index in the two pages of mapping
 * entries that go with the table. So it needs no search, in either direction, and its place says
 * which Space and address it is for.
 */
struct mapping {
    struct mapping *next;    /* the next mapping of the same frame */
    struct mapping **link;   /* what points to this one; NULL while the leaf entry is zero */
};
_Static_assert(sizeof(struct mapping) == 16, "mapping entry size");
#define MAPPINGS_PER_PAGE 256u
_Static_assert(MAPPINGS_PER_PAGE * sizeof(struct mapping) == PAGE_SIZE, "half a table");

/* What a mapping entry stands for. */
struct mapping_place {
    struct ptab *space;
    uint64_t *entry;      /* the leaf entry in its table */
    uint64_t address;     /* in the Space */
    unsigned level;
};

static inline struct mapping_place mapping_place(const struct mapping *mapping)
{
    const struct page *links = page_of_ram(page_physical(mapping));
    uint64_t index = ((uint64_t)mapping & (PAGE_SIZE - 1)) / sizeof(*mapping);
    unsigned level = (unsigned)links->links.address & (PAGE_SIZE - 1);

    ASSERT(links->kind == PAGE_LINKS);
    return (struct mapping_place){
        .space = links->links.space,
        .entry = links->links.entry + index,
        .address = links->links.address - level + index * page_size(level),
        .level = level,
    };
}

/* Chains a mapping of this level to its frame. Locks: that of the Space and the descriptor's. */
static inline void mapping_link(struct page *page, struct mapping *mapping, unsigned level)
{
    struct mapping *first = page->frame.chain;

    ASSERT(page->kind == PAGE_FRAME && mapping->link == NULL);
    mapping->next = first;
    mapping->link = &page->frame.chain;
    if (first != NULL) {
        first->link = &mapping->next;
    }
    __atomic_store_n(&page->frame.chain, mapping, __ATOMIC_RELAXED);
    if (level > 0) {
        page->frame.super[level - 1]++;
    }
}

/* Takes it out again, and leaves it zero. Locks: as mapping_link(). */
static inline void mapping_unlink(struct page *page, struct mapping *mapping, unsigned level)
{
    ASSERT(mapping->link != NULL && *mapping->link == mapping);
    __atomic_store_n(mapping->link, mapping->next, __ATOMIC_RELAXED);
    if (mapping->next != NULL) {
        mapping->next->link = mapping->link;
    }
    mapping->next = NULL;
    mapping->link = NULL;
    if (level > 0) {
        page->frame.super[level - 1]--;
    }
}

/*
 * Whether any part of the RAM (aligned, of the size of the level) is mapped in any Space, also by a
 * superpage that contains it. Takes no lock: a mapping that is being made or removed at this moment
 * counts or not. Looks at each 4 KiB.
 */
bool page_mapped(uint64_t physical, unsigned level);

/*
 * Reserves 4 KiB or 2 MiB of RAM for one mapping that must be the first: false if any part is
 * mapped or reserved already. Two of them never both get the same memory. Ended by
 * page_claim_end(). Locks: any may be held.
 */
bool page_claim(uint64_t physical, unsigned level);
void page_claim_end(uint64_t physical);

/*
 * Removes mappings of the memory [physical, physical + 2^bits) in all Spaces, and mappings by
 * superpages that contain it. Does at most 'budget' steps (a step: a frame looked at or a mapping
 * removed) and returns whether it has to be called again; '*cursor' (0 at first) keeps how far it
 * came. The caller must have made sure that nobody can map the memory anew meanwhile.
 * 'narrowed' is called for each mapping removed, with the lock of the Space held, so that the
 * Space cannot die: it may only note that the Space needs a shootdown.
 * Locks: the caller holds no Space's and no descriptor's. Here the order is against the usual one:
 * under the descriptor's lock, which keeps the mapping and so its Space alive, the Space's lock is
 * only tried for; if another CPU has it, both are let go and everything is looked up again.
 */
bool page_unmap_step(uint64_t physical, unsigned bits, uint64_t *cursor, uint64_t budget,
                     void (*narrowed)(struct ptab *space));

#endif
