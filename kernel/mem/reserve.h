/* reserve.h: the pages that a Space was given for its tables and mapping entries. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_MEM_RESERVE_H
#define KERNEL_MEM_RESERVE_H

#include "kernel/mem/phys.h"

/* All fields are guarded by the lock of the Space. A page in it is all zero. */
struct reserve {
    struct page *free;
    uint64_t count;    /* pages in 'free' */
    uint64_t total;    /* pages ever added: the free ones, tables, links, and the retired */
};

/* Adds a page of RAM that is zero and in no other use. */
static inline void reserve_add(struct reserve *reserve, struct page *page)
{
    page_take(page, PAGE_FREE);
    page->list.next = reserve->free;
    reserve->free = page;
    reserve->count++;
    reserve->total++;
}

/* Takes a page out, to become 'kind'; the caller has checked that there is one. */
static inline struct page *reserve_take(struct reserve *reserve, enum page_kind kind)
{
    struct page *page = reserve->free;

    ASSERT(reserve->count > 0 && page->kind == PAGE_FREE);
    reserve->free = page->list.next;
    reserve->count--;
    page->kind = (uint8_t)kind;
    return page;
}

/* Gives a page back, which is all zero again. */
static inline void reserve_return(struct reserve *reserve, struct page *page)
{
    ASSERT(page->kind != PAGE_FRAME && page->kind != PAGE_FREE);
    page->kind = PAGE_FREE;
    page->list.next = reserve->free;
    reserve->free = page;
    reserve->count++;
}

/*
 * Turns up to 'budget' free pages into plain memory again, for the end of a Space. Returns whether
 * more are left.
 */
bool reserve_drain_step(struct reserve *reserve, uint64_t budget);

#endif
