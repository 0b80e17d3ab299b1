/* narrow.c: removes mappings and rights from a page-table tree, range by range. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/bits.h"
#include "kernel/mem/walk.h"

/* What became of a leaf. */
enum outcome {
    LEAF_SAME,      /* nothing to do */
    LEAF_CHANGED,
    LEAF_LAST,      /* removed, and its table with it */
    LEAF_REFUSED    /* no right would be left */
};

/* Operations on one leaf. Lock: the Space's. */
typedef enum outcome leaf_operation(struct ptab *pt, struct slot slot, uint64_t address,
                                    unsigned rights);

static inline enum outcome unmap_leaf(struct ptab *pt, struct slot slot, uint64_t address,
                                      unsigned rights)
{
    (void)rights;
    if (leaf_clear(pt, slot)) {
        table_retire(pt, address, slot.level);
        return LEAF_LAST;
    }
    return LEAF_CHANGED;
}

static inline enum outcome protect_leaf(struct ptab *pt, struct slot slot, uint64_t address,
                                        unsigned rights)
{
    const struct pt_format *format = pt->format;
    uint64_t keep = format->address | format->noted;
    uint64_t old = __atomic_load_n(slot.entry, __ATOMIC_RELAXED);
    unsigned flags = pt_flags(format, old, slot.level);
    unsigned less = flags & ~(MAP_RIGHTS & ~rights);
    uint64_t bits = format->leaf[pt_leaf_index(less)];

    (void)address;
    if (bits == 0) {
        return LEAF_REFUSED;
    }
    if (less == flags) {
        return LEAF_SAME;
    }
    /* Only the CPU changes the entry meanwhile, and only A and D: they must not be lost (I5). */
    while (!__atomic_compare_exchange_n(slot.entry, &old, (old & keep) | bits, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
    }
    return LEAF_CHANGED;
}

/*
 * Applies an operation to every leaf in [at, end). Inlined into each of its users, so that the
 * operation is no indirect call.
 */
static inline __attribute__((always_inline)) enum status
for_range(struct ptab *pt, uint64_t at, uint64_t end, uint64_t budget, leaf_operation *operation,
          unsigned rights, struct ptab_progress *progress)
{
    struct slot slot = { NULL, 0 };
    uint64_t begin = at;

    for (; at < end && budget > 0; budget--) {
        if (slot.entry == NULL) {
            slot = slot_find(pt, at, 0);
        }
        uint64_t size = page_size(slot.level);
        uint64_t next = align_down(at, size) + size;
        enum outcome outcome = LEAF_SAME;

        if (*slot.entry != 0) {
            if (at != next - size || next > end) {
                return E_ALIGN;
            }
            outcome = operation(pt, slot, at, rights);
            if (outcome == LEAF_REFUSED) {
                return E_ARGUMENT;
            }
            if (outcome != LEAF_SAME) {
                progress->changed += size / PAGE_SIZE;
                progress->narrowed = true;
            }
        }
        at = next < end ? next : end;
        progress->pages = (at - begin) / PAGE_SIZE;
        /* No new walk for the next entry, but from a table that is gone: that is passed whole. */
        bool beside = slot.level == 0 && outcome != LEAF_LAST && !is_aligned(at, page_size(1));

        slot.entry = beside ? slot.entry + 1 : NULL;
    }
    return OK;
}

static inline enum status check_arguments(const struct pt_format *format, uint64_t address,
                                          uint64_t pages)
{
    if (!is_aligned(address, PAGE_SIZE)) {
        return E_ALIGN;
    }
    if (pages == 0 || address >= format->limit ||
        pages > (format->limit - address) >> PAGE_SHIFT) {
        return E_ARGUMENT;
    }
    return OK;
}

/* Whether a superpage sticks out at the end of a range; for_range() sees one at the beginning. */
static bool end_is_cut(const struct ptab *pt, uint64_t end)
{
    struct slot slot = slot_find(pt, end - PAGE_SIZE, 0);

    return *slot.entry != 0 && !is_aligned(end, page_size(slot.level));
}

static __attribute__((noinline)) enum status
unmap_range(struct ptab *pt, uint64_t address, uint64_t pages, uint64_t budget,
            struct ptab_progress *progress)
{
    enum status status = check_arguments(pt->format, address, pages);
    uint64_t end = address + pages * PAGE_SIZE;

    *progress = (struct ptab_progress){ 0 };
    if (status != OK) {
        return status;
    }
    lock_take(&pt->lock);
    if (end_is_cut(pt, end)) {
        status = E_ALIGN;
    } else {
        status = for_range(pt, address, end, budget, unmap_leaf, 0, progress);
    }
    lock_release(&pt->lock);
    return status;
}

enum status ptab_unmap(struct ptab *pt, uint64_t address, uint64_t pages, uint64_t budget,
                       struct ptab_progress *progress)
{
    if (pages == 1 && check_arguments(pt->format, address, pages) == OK) {
        lock_take(&pt->lock);
        uint64_t *entry = page_slot(pt, address);

        /* One page in a table that has others: as in ptab_map(), the path kept straight. */
        if (entry != NULL && *entry != 0 && slot_table(entry)->table.live > 1) {
            leaf_clear(pt, (struct slot){ entry, 0 });
            lock_release(&pt->lock);
            *progress = (struct ptab_progress){ .pages = 1, .changed = 1, .narrowed = true };
            return OK;
        }
        lock_release(&pt->lock);
    }
    return unmap_range(pt, address, pages, budget, progress);
}

enum status ptab_protect(struct ptab *pt, uint64_t address, uint64_t pages, unsigned rights,
                         uint64_t budget, struct ptab_progress *progress)
{
    enum status status = check_arguments(pt->format, address, pages);
    uint64_t end = address + pages * PAGE_SIZE;

    *progress = (struct ptab_progress){ 0 };
    if (status != OK) {
        return status;
    }
    if (pt->format->leaf[pt_leaf_index(rights & MAP_RIGHTS)] == 0) {
        bool exec_only = (rights & MAP_RIGHTS) == MAP_EXEC;

        return exec_only ? E_UNSUPPORTED : E_ARGUMENT;
    }
    lock_take(&pt->lock);
    if (end_is_cut(pt, end)) {
        status = E_ALIGN;
    } else {
        status = for_range(pt, address, end, budget, protect_leaf, rights, progress);
    }
    lock_release(&pt->lock);
    return status;
}

bool ptab_clear_step(struct ptab *pt, uint64_t budget)
{
    struct ptab_progress progress = { 0 };

    lock_take(&pt->lock);
    enum status status =
        for_range(pt, pt->cleared, pt->format->limit, budget, unmap_leaf, 0, &progress);

    ASSERT(status == OK);
    (void)status;
    pt->cleared += progress.pages * PAGE_SIZE;
    lock_release(&pt->lock);
    return pt->cleared < pt->format->limit;
}
