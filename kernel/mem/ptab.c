/* ptab.c: the life of a page-table tree: making, funding, asking, retiring tables, the end. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mem/walk.h"

void ptab_init(struct ptab *pt, const struct pt_format *format, uint64_t root, uint32_t id)
{
    struct page *page = page_of_ram(root);

    *pt = (struct ptab){ .format = format, .root = root, .id = id, .generation = 1 };
    pt->retired_end = &pt->retired;
    page_take(page, PAGE_TABLE);
    page->table.half[0] = NULL;
    page->table.half[1] = NULL;
    page->table.live = 0;
}

void ptab_fund(struct ptab *pt, uint64_t physical)
{
    page_clear(physical, PAGE_SIZE);
    lock_take(&pt->lock);
    reserve_add(&pt->reserve, page_of_ram(physical));
    lock_release(&pt->lock);
}

enum status ptab_query(struct ptab *pt, uint64_t address, struct ptab_leaf *leaf)
{
    if (address >= pt->format->limit) {
        return E_ARGUMENT;
    }
    lock_take(&pt->lock);
    struct slot slot = slot_find(pt, address, 0);
    uint64_t entry = *slot.entry;

    lock_release(&pt->lock);
    if (entry == 0) {
        return E_UNMAPPED;
    }
    uint64_t inside = address & (page_size(slot.level) - 1) & ~(PAGE_SIZE - 1);

    leaf->physical = (entry & pt->format->address) + inside;
    leaf->flags = pt_flags(pt->format, entry, slot.level);
    return OK;
}

/* Gives the pages of mapping entries of an empty table back: no CPU's hardware looks at them. */
static void return_halves(struct ptab *pt, const struct page *table)
{
    for (unsigned half = 0; half < 2; half++) {
        const struct mapping *mappings = table->table.half[half];

        if (mappings != NULL) {
            reserve_return(&pt->reserve, page_of_ram(page_physical(mappings)));
            pt->links--;
        }
    }
}

void table_retire(struct ptab *pt, uint64_t address, unsigned level)
{
    for (unsigned above = level + 1; above < pt->format->levels; above++) {
        struct slot parent = slot_find(pt, address, above);
        struct page *table = page_of_ram(*parent.entry & pt->format->address);

        ASSERT(parent.level == above && table->kind == PAGE_TABLE && table->table.live == 0);
        __atomic_store_n(parent.entry, 0, __ATOMIC_RELEASE);
        return_halves(pt, table);
        table->kind = PAGE_RETIRED;
        table->list.next = NULL;
        table->list.generation = pt->generation;
        *pt->retired_end = table;
        pt->retired_end = &table->list.next;
        pt->tables--;
        if (--slot_table(parent.entry)->table.live > 0) {
            return;
        }
    }
}

uint64_t ptab_close(struct ptab *pt)
{
    lock_take(&pt->lock);
    uint64_t generation = pt->generation++;

    lock_release(&pt->lock);
    return generation;
}

bool ptab_reclaim(struct ptab *pt, uint64_t generation, uint64_t budget)
{
    lock_take(&pt->lock);
    for (; pt->retired != NULL && pt->retired->list.generation <= generation && budget > 0;
         budget--) {
        struct page *table = pt->retired;

        pt->retired = table->list.next;
        reserve_return(&pt->reserve, table);
    }
    if (pt->retired == NULL) {
        pt->retired_end = &pt->retired;
    }
    bool more = pt->retired != NULL && pt->retired->list.generation <= generation;

    lock_release(&pt->lock);
    return more;
}

bool ptab_finish_step(struct ptab *pt, uint64_t budget)
{
    ASSERT(pt->tables == 0 && pt->links == 0 && pt->retired == NULL);
    if (reserve_drain_step(&pt->reserve, budget)) {
        return true;
    }
    page_release(page_of_ram(pt->root));
    return false;
}
