/* phys.h: physical memory as the kernel sees it: addresses, and one descriptor per 4 KiB. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_MEM_PHYS_H
#define KERNEL_MEM_PHYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/lib/assert.h"
#include "kernel/x86/layout.h"

struct mapping;
struct ptab;

/* What a page of RAM is used for, as far as page tables are concerned. */
enum page_kind {
    PAGE_FRAME = 0,  /* anything that user level may map, or that no page table knows of */
    PAGE_FREE,       /* in a Space's reserve: all zero */
    PAGE_TABLE,      /* a page table */
    PAGE_LINKS,      /* the mapping entries of one half of a page table */
    PAGE_RETIRED     /* was a table; waits until no CPU can walk it any more (I29) */
};

/* Sizes of a mapping: level 0 is 4 KiB, 1 is 2 MiB, 2 is 1 GiB. */
#define PAGE_LEVELS 3u
#define PAGE_LEVEL_BITS 9u
#define PAGE_ENTRIES 512u

static inline uint64_t page_size(unsigned level)
{
    return PAGE_SIZE << (PAGE_LEVEL_BITS * level);
}

/*
 * The descriptor of 4 KiB of RAM. Letters say what guards a field:
 *   p  the descriptor's own lock bit     s  the lock of the Space that uses the page
 *   a  atomic operations                 -  never changes while the kind stays
 * A superpage is chained at the descriptor of its first 4 KiB.
 */
struct page {
    union {
        struct {                      /* PAGE_FRAME */
            struct mapping *chain;    /* p: all mappings that begin here, of any size; NULL ends */
            uint32_t super[2];        /* p: of those, how many are of 2 MiB and of 1 GiB */
        } frame;
        struct {                      /* PAGE_TABLE */
            struct mapping *half[2];  /* s: entries 0 to 255 and 256 to 511; NULL: none made yet */
            uint32_t live;            /* s: entries of the table that are not zero */
        } table;
        struct {                      /* PAGE_LINKS */
            struct ptab *space;       /* - */
            uint64_t *entry;          /* - table entry that the first mapping entry belongs to */
            uint64_t address;         /* - address that this table entry maps, | level */
        } links;
        struct {                      /* PAGE_FREE, PAGE_RETIRED */
            struct page *next;        /* s */
            uint64_t generation;      /* s: retired before the shootdown of this number */
        } list;
    };
    uint8_t kind;                     /* s: enum page_kind */
    uint8_t lock;                     /* a: 1 while held */
    uint8_t claim;                    /* a: level + 1 while a MAP_FRESH is under way, else 0 */
    uint8_t touched;                  /* p: PAGE_ACCESSED, PAGE_DIRTY << 2 * level */
    uint32_t reserved;
};
_Static_assert(sizeof(struct page) == 32, "page descriptor size");

/* A and D of mappings that are gone (I5); those of level n are shifted left by 2 * n. */
enum { PAGE_ACCESSED = 1, PAGE_DIRTY = 2 };

/*
 * Where physical address 0 appears in the kernel's address space. The direct map, except in host
 * tests, which set it to the start of their own memory.
 */
extern uint64_t page_window;

extern struct page *page_array;   /* descriptor of physical page 0, then one per 4 KiB */
extern uint64_t page_count;

/* Shared by device frames: whoever follows a chain must compare the address in the table entry. */
#define PAGE_DEVICE_BITS 8
extern struct page page_device[1u << PAGE_DEVICE_BITS];

/*
 * Gives the descriptors: 'count' of them, all zero, for the physical memory from address 0. Memory
 * above (device memory only) shares a small hashed set of descriptors. Once, before anything else.
 */
void page_init(struct page *array, uint64_t count);

/* The shared descriptor for an address that is beyond the array; see page_of(). */
struct page *page_of_device(uint64_t physical);

static inline void *page_address(uint64_t physical)
{
    return (void *)(page_window + physical);
}

/* The physical address of something that page_address() led to. */
static inline uint64_t page_physical(const void *address)
{
    return (uint64_t)address - page_window;
}

static inline bool page_is_ram(uint64_t physical)
{
    return physical >> PAGE_SHIFT < page_count;
}

/* The descriptor of a page that is known to be RAM. */
static inline struct page *page_of_ram(uint64_t physical)
{
    ASSERT(page_is_ram(physical));
    return &page_array[physical >> PAGE_SHIFT];
}

/* The descriptor of any page. For device memory only its chain and its lock mean anything. */
static inline struct page *page_of(uint64_t physical)
{
    return __builtin_expect(page_is_ram(physical), 1) ? &page_array[physical >> PAGE_SHIFT]
                                                      : page_of_device(physical);
}

/* The physical address that a descriptor of RAM is for. */
static inline uint64_t page_to_physical(const struct page *page)
{
    return (uint64_t)(page - page_array) << PAGE_SHIFT;
}

/*
 * Changes what a plain page is used for, before its other fields change meaning: so frame_supers()
 * never takes another meaning for a count. The way back is page_release().
 */
static inline void page_take(struct page *page, enum page_kind kind)
{
    ASSERT(page->kind == PAGE_FRAME && page->frame.chain == NULL);
    __atomic_store_n(&page->kind, (uint8_t)kind, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_ACQ_REL);
}

static inline void page_release(struct page *page)
{
    page->frame.chain = NULL;
    page->frame.super[0] = 0;
    page->frame.super[1] = 0;
    page->touched = 0;
    __atomic_store_n(&page->kind, PAGE_FRAME, __ATOMIC_RELEASE);
}

/*
 * How many superpages of at least this level (1 or 2) begin at this page; without its lock, so only
 * a hint if another CPU may be changing it. 0 if the page is no frame.
 */
static inline uint32_t frame_supers(const struct page *page, unsigned level)
{
    uint32_t count = __atomic_load_n(&page->frame.super[1], __ATOMIC_ACQUIRE);

    if (level == 1) {
        count += __atomic_load_n(&page->frame.super[0], __ATOMIC_ACQUIRE);
    }
    return __atomic_load_n(&page->kind, __ATOMIC_RELAXED) == PAGE_FRAME ? count : 0;
}

/*
 * The descriptor's lock: held for a few instructions, innermost of all locks. Order: the lock of a
 * Space, then that of a descriptor; never two descriptors at once.
 */
static inline void page_lock(struct page *page)
{
    while (__builtin_expect(__atomic_exchange_n(&page->lock, 1, __ATOMIC_ACQUIRE), 0)) {
        __builtin_ia32_pause();
    }
}

static inline void page_unlock(struct page *page)
{
    __atomic_store_n(&page->lock, 0, __ATOMIC_RELEASE);
}

/* Sets 'size' bytes (a multiple of 8) of RAM to zero. */
static inline void page_clear(uint64_t physical, uint64_t size)
{
    void *to = page_address(physical);
    uint64_t words = size / 8;

    __asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(0) : "memory");
}

#endif
