/* rmap.c: what is known about a frame's mappings, and removing them by frame. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/bits.h"
#include "kernel/mem/walk.h"

/* The descriptor of the superpage of this level that contains the address. */
static struct page *super_of(uint64_t physical, unsigned level)
{
    return page_of_ram(align_down(physical, page_size(level)));
}

bool page_mapped(uint64_t physical, unsigned level)
{
    uint64_t first = physical >> PAGE_SHIFT;
    uint64_t end = first + page_size(level) / PAGE_SIZE;

    if (frame_supers(super_of(physical, 1), 1) != 0 ||
        frame_supers(super_of(physical, 2), 2) != 0) {
        return true;
    }
    for (uint64_t at = first; at < end && at < page_count; at++) {
        const struct page *page = &page_array[at];

        if (page->kind == PAGE_FRAME && __atomic_load_n(&page->frame.chain, __ATOMIC_RELAXED)) {
            return true;
        }
    }
    return false;
}

/* Whether a claim on other memory overlaps: on the 2 MiB around a frame, or on a frame inside. */
static bool claimed_around(uint64_t physical, unsigned level)
{
    uint64_t first = physical >> PAGE_SHIFT;
    uint64_t end = first + page_size(level) / PAGE_SIZE;

    if (level == 0) {
        return __atomic_load_n(&super_of(physical, 1)->claim, __ATOMIC_RELAXED) > 1;
    }
    for (uint64_t at = first + 1; at < end && at < page_count; at++) {
        if (__atomic_load_n(&page_array[at].claim, __ATOMIC_RELAXED) != 0) {
            return true;
        }
    }
    return false;
}

bool page_claim(uint64_t physical, unsigned level)
{
    struct page *page = page_of_ram(physical);
    uint8_t free = 0;

    /*
     * First the own mark, then the look at the others': of two that overlap, one at least sees
     * the other. The exchange is the fence between the two.
     */
    if (!__atomic_compare_exchange_n(&page->claim, &free, (uint8_t)(level + 1), false,
                                     __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
        return false;
    }
    if (page_mapped(physical, level) || claimed_around(physical, level)) {
        page_claim_end(physical);
        return false;
    }
    return true;
}

void page_claim_end(uint64_t physical)
{
    __atomic_store_n(&page_of_ram(physical)->claim, 0, __ATOMIC_RELEASE);
}

/*
 * The first mapping on a chain that is of memory beginning at this address and of at least this
 * level. Lock: the descriptor's.
 */
static struct mapping *chain_find(const struct page *page, uint64_t physical, unsigned level)
{
    bool ram = page_is_ram(physical);

    if (ram && (page->kind != PAGE_FRAME || (level > 0 && frame_supers(page, level) == 0))) {
        return NULL;
    }
    for (struct mapping *mapping = page->frame.chain; mapping != NULL; mapping = mapping->next) {
        struct mapping_place place = mapping_place(mapping);
        uint64_t address = place.space->format->address;

        if (place.level >= level && (ram || (*place.entry & address) == physical)) {
            return mapping;
        }
    }
    return NULL;
}

/*
 * Removes one mapping as chain_find() finds it, or gives way to a CPU that holds the Space's lock.
 * Returns false if there is none.
 */
static bool remove_one(uint64_t physical, unsigned level, void (*narrowed)(struct ptab *space))
{
    struct page *page = page_of(physical);

    if (__atomic_load_n(&page->frame.chain, __ATOMIC_RELAXED) == NULL) {
        return false;
    }
    page_lock(page);
    struct mapping *mapping = chain_find(page, physical, level);

    if (mapping == NULL) {
        page_unlock(page);
        return false;
    }
    struct mapping_place place = mapping_place(mapping);
    bool locked = lock_try(&place.space->lock);

    page_unlock(page);
    if (!locked) {
        __builtin_ia32_pause();
        return true;
    }
    /* Only the holder of the Space's lock removes its mappings: this one is still there. */
    if (leaf_clear(place.space, (struct slot){ place.entry, place.level })) {
        table_retire(place.space, place.address, place.level);
    }
    narrowed(place.space);
    lock_release(&place.space->lock);
    return true;
}

bool page_unmap_step(uint64_t physical, unsigned bits, uint64_t *cursor, uint64_t budget,
                     void (*narrowed)(struct ptab *space))
{
    for (; budget > 0; budget--) {
        bool some = *cursor == 0 &&
                    (remove_one(align_down(physical, page_size(1)), 1, narrowed) ||
                     remove_one(align_down(physical, page_size(2)), 2, narrowed));

        if (!some && !remove_one(physical + *cursor, 0, narrowed)) {
            *cursor += PAGE_SIZE;
            if (*cursor == 1ull << bits) {
                return false;
            }
        }
    }
    return true;
}
