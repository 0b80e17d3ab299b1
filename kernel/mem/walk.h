/* walk.h: finding, setting and clearing single entries: shared by the files of the walker only. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_MEM_WALK_H
#define KERNEL_MEM_WALK_H

#include "kernel/mem/ptab.h"
#include "kernel/mem/rmap.h"

/* The few steps of one leaf, always inlined: a call would cost a fifth of them. */
#define LEAF_STEP static inline __attribute__((always_inline))

/* An entry in a table. All functions here: the Space's lock is held. */
struct slot {
    uint64_t *entry;
    unsigned level;
};

static inline unsigned slot_index(const uint64_t *entry)
{
    return ((uint64_t)entry & (PAGE_SIZE - 1)) / sizeof(*entry);
}

/* The descriptor of the table that the entry is in. */
static inline struct page *slot_table(const uint64_t *entry)
{
    return page_of_ram(page_physical(entry));
}

/*
 * The mapping entry that goes with a leaf entry; its page may be missing: half_of() is NULL then.
 */
static inline struct mapping *half_of(const struct page *table, const uint64_t *entry)
{
    return table->table.half[slot_index(entry) / MAPPINGS_PER_PAGE];
}

static inline struct mapping *mapping_of(const struct page *table, const uint64_t *entry)
{
    return half_of(table, entry) + slot_index(entry) % MAPPINGS_PER_PAGE;
}

/*
 * The same for the entry of a 4 KiB page, or NULL if there is no table for it: what nearly every
 * map and unmap needs, so it is written for few instructions.
 */
static inline uint64_t *page_slot(const struct ptab *pt, uint64_t address)
{
    const struct pt_format *format = pt->format;
    const uint64_t *table = page_address(pt->root);
    unsigned shift = format->shift;

    do {
        uint64_t entry = table[(address >> shift) % PAGE_ENTRIES];

        if ((entry & format->link_mask) != format->link) {
            return NULL;
        }
        table = page_address(entry & format->address);
        shift -= PAGE_LEVEL_BITS;
    } while (shift != PAGE_SHIFT);
    return (uint64_t *)table + (address >> PAGE_SHIFT) % PAGE_ENTRIES;
}

/*
 * The entry for an address at the level asked for, or above it where the way ends: at a leaf, or
 * at an entry that is zero.
 */
static inline struct slot slot_find(const struct ptab *pt, uint64_t address, unsigned level)
{
    const struct pt_format *format = pt->format;
    uint64_t *table = page_address(pt->root);
    unsigned at = format->levels - 1;

    for (unsigned shift = format->shift;; shift -= PAGE_LEVEL_BITS, at--) {
        uint64_t *entry = &table[(address >> shift) % PAGE_ENTRIES];

        if (at == level || (*entry & format->link_mask) != format->link) {
            return (struct slot){ entry, at };
        }
        table = page_address(*entry & format->address);
    }
}

/* Sets a leaf entry that is zero and chains it to its frame; its mapping entry exists. */
LEAF_STEP void leaf_set(struct ptab *pt, struct slot slot, uint64_t physical, uint64_t bits)
{
    struct page *table = slot_table(slot.entry);
    struct page *page = page_of(physical);

    /* Both under the descriptor's lock: whoever holds it sees chain and entry agree (I19). */
    page_lock(page);
    mapping_link(page, mapping_of(table, slot.entry), slot.level);
    __atomic_store_n(slot.entry, physical | bits, __ATOMIC_RELEASE);
    page_unlock(page);
    table->table.live++;
    pt->mapped[slot.level]++;
}

/*
 * Clears a leaf entry and takes it off its frame's chain; what the CPU had noted in the entry until
 * that very moment goes to the frame (I5). Returns whether the table is empty now.
 */
LEAF_STEP bool leaf_clear(struct ptab *pt, struct slot slot)
{
    const struct pt_format *format = pt->format;
    struct page *table = slot_table(slot.entry);
    struct page *page = page_of(*slot.entry & format->address);

    page_lock(page);
    uint64_t old = __atomic_exchange_n(slot.entry, 0, __ATOMIC_ACQ_REL);

    if ((old & format->noted) != 0) {
        unsigned touched = (old & format->accessed ? PAGE_ACCESSED : 0u) |
                           (old & format->dirty ? PAGE_DIRTY : 0u);

        page->touched |= (uint8_t)(touched << 2 * slot.level);
    }
    mapping_unlink(page, mapping_of(table, slot.entry), slot.level);
    page_unlock(page);
    pt->mapped[slot.level]--;
    return --table->table.live == 0;
}

/*
 * Cuts off the empty table that would hold entries of 'level' for 'address', and tables above that
 * become empty by it. They are retired, their pages of mapping entries go back to the reserve.
 */
void table_retire(struct ptab *pt, uint64_t address, unsigned level);

#endif
