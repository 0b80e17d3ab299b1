/* ptab.h: one page-table tree of any format: map, unmap, protect, query, clear. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_MEM_PTAB_H
#define KERNEL_MEM_PTAB_H

#include "kernel/abi/error.h"
#include "kernel/lib/lock.h"
#include "kernel/mem/format.h"
#include "kernel/mem/reserve.h"

/* Most mappings that one ptab_map() makes, and most bytes that it clears for MAP_FRESH. */
#define PTAB_MAP_MAX 512u
#define PTAB_FRESH_MAX LARGE_PAGE_SIZE

/*
 * Fields are guarded by 'lock' unless said. Lock order: Space, then page descriptor; never two
 * Spaces (page_unmap_step() goes the other way, see rmap.h).
 */
struct ptab {
    struct lock lock;
    uint32_t id;                       /* constant; for people */
    const struct pt_format *format;    /* constant */
    uint64_t root;                     /* constant: physical address of the first table */
    void *owner;                       /* constant: whatever the caller likes */
    struct reserve reserve;
    struct page *retired;              /* tables that a CPU may still walk, oldest first */
    struct page **retired_end;
    uint64_t generation;               /* number of the next shootdown */
    uint64_t tables;                   /* without the root */
    uint64_t links;                    /* pages of mapping entries */
    uint64_t mapped[PAGE_LEVELS];      /* leaf entries, by level */
    uint64_t cleared;                  /* how far ptab_clear_step() came */
};

/* What an operation that narrows has done so far, in pages of 4 KiB. */
struct ptab_progress {
    uint64_t pages;      /* of the range that are done, mapped or not: go on after them */
    uint64_t changed;    /* of those, how many were unmapped or lost a right */
    bool narrowed;       /* a shootdown is due */
};

/* A leaf, as ptab_query() finds it. */
struct ptab_leaf {
    uint64_t physical;   /* of the 4 KiB page asked for, also inside a superpage */
    unsigned flags;      /* MAP_ rights, size, MAP_UNCACHED */
};

/*
 * Makes an empty tree. 'root' is a page of RAM that is zero; for PT_X86 its upper half may hold
 * entries of the kernel, before or later, which are never looked at. The reserve is empty.
 */
void ptab_init(struct ptab *pt, const struct pt_format *format, uint64_t root, uint32_t id);

/* Clears one page of RAM, which is the Space's from now on, and adds it to the reserve. */
void ptab_fund(struct ptab *pt, uint64_t physical);

/*
 * Maps 'count' pieces of memory of the size that 'flags' (MAP_, syscall.h) say, one after the
 * other. All or nothing. Nothing narrows, so no shootdown is due. Errors:
 *   E_ALIGN        address or memory not aligned to the size
 *   E_ARGUMENT     no rights or write without read (I11), no such size, beyond the address limit,
 *                  count 0, MAP_FRESH of device memory
 *   E_UNSUPPORTED  this CPU has no such size, or no execute without read
 *   E_LIMIT        more than PTAB_MAP_MAX pieces, or more than PTAB_FRESH_MAX to clear
 *   E_MAPPED       something is mapped in that range
 *   E_BUSY         MAP_FRESH, and some of the memory is mapped in some Space
 *   E_RESERVE      the reserve is too small; '*lacking' is set to the number of pages missing
 * The caller has checked that the memory may be mapped with these rights, and that the memory of a
 * MAP_FRESH is RAM. Device memory is whatever is beyond the descriptors; it too can be unmapped
 * by frame. Locks: takes the Space's.
 */
enum status ptab_map(struct ptab *pt, uint64_t address, uint64_t physical, unsigned flags,
                     uint64_t count, uint64_t *lacking);

/*
 * Removes what is mapped in 'pages' pages from 'address'; holes are passed over. A and D of each
 * entry go to the frame's descriptor in the same step (I5). Stops early after 'budget' entries
 * looked at (at least 1): then progress->pages < pages and OK, and the
 * caller goes on after them.
 * Errors: E_ALIGN address not aligned to 4 KiB, or a superpage is covered only in part; E_ARGUMENT
 * no pages or beyond the limit. Nothing changed on an error, except if another CPU maps a superpage
 * there meanwhile: then 'progress' says what was done before it.
 * Tables that become empty wait, until ptab_reclaim(). Locks: takes the Space's.
 */
enum status ptab_unmap(struct ptab *pt, uint64_t address, uint64_t pages, uint64_t budget,
                       struct ptab_progress *progress);

/*
 * Takes away all rights that are not in 'rights' (MAP_READ, ...) from what is mapped in the range;
 * it never adds one, for the Space does not know what the frame's capability allowed. A and D stay.
 * Budget, progress, locks and errors as ptab_unmap(); also E_ARGUMENT or E_UNSUPPORTED if such
 * rights cannot be mapped, and E_ARGUMENT at an execute-only page that would have no right left.
 */
enum status ptab_protect(struct ptab *pt, uint64_t address, uint64_t pages, unsigned rights,
                         uint64_t budget, struct ptab_progress *progress);

/* Finds what is mapped at an address. E_UNMAPPED: nothing; E_ARGUMENT: beyond the limit. */
enum status ptab_query(struct ptab *pt, uint64_t address, struct ptab_leaf *leaf);

/*
 * Brackets a shootdown: ptab_close() gives the number of a shootdown that covers all that was
 * narrowed before; when no CPU can use older translations of any kind any more (paging-structure
 * caches included), ptab_reclaim() moves the tables that were retired before back to the reserve,
 * at most 'budget' of them, and returns whether more are left (I29).
 */
uint64_t ptab_close(struct ptab *pt);
bool ptab_reclaim(struct ptab *pt, uint64_t generation, uint64_t budget);

/*
 * For a Space about to die, which nobody maps into any more: removes everything, about 'budget'
 * entries looked at per call; returns whether more is left. Then shootdown and ptab_reclaim(), then
 * ptab_finish_step() until it returns false: it gives the pages of the reserve, and at last the
 * root, their plain descriptors back. Whose memory they are is the caller's knowledge.
 */
bool ptab_clear_step(struct ptab *pt, uint64_t budget);
bool ptab_finish_step(struct ptab *pt, uint64_t budget);

#endif
