/* object.h: a memory object: which frame backs each of its pages; demand-zero. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_OBJECT_H
#define SERVERS_VMSPACE_OBJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "servers/vmspace/tables.h"

/*
 * A tree of tables of one page each, made as memory is touched:
 *
 *   root       1024 directories, by 2 GiB     made with the object
 *   directory  1024 regions, by 2 MiB
 *   region      512 pages, of 4 KiB           frame numbers, holds; see below
 *
 * Entries are frame numbers: of a table (table_at()), or of the frame that backs the page. They
 * change from 0 to a value once, by compare-and-exchange, and back only when the object dies: so
 * workers need no lock. A region covers what one superpage can map: a reservation of 2 MiB (a whole
 * chunk) would be noted in it.
 */
#define OBJECT_FANOUT 1024u
#define OBJECT_PAGES  ((uint64_t)OBJECT_FANOUT * OBJECT_FANOUT * CHUNK_PAGES)

/*
 * The entry of a page that may not have been mapped yet: then whoever maps it has it cleared first
 * (MAP_FRESH, I31). Where two do so at once the kernel lets one of them, and tells the other that
 * the memory is in use: so it has been cleared. The mark goes when the mapping is known to be made.
 */
#define PAGE_FRESH        (1u << 31)
#define PAGE_FRAME(entry) ((entry) & ~PAGE_FRESH)

struct directory {
    _Atomic uint32_t entry[OBJECT_FANOUT];
};

struct region {
    _Atomic uint32_t page[CHUNK_PAGES];
    uint16_t held[CHUNK_PAGES];       /* service thread alone */
    uint64_t dirty[CHUNK_PAGES / 64]; /* held for writing; service thread alone */
    _Atomic uint32_t in_window;       /* not 0: some of it may be mapped in the VMM's window */
};
_Static_assert(sizeof(struct directory) == PAGE_SIZE, "a table is a page");
_Static_assert(sizeof(struct region) <= PAGE_SIZE, "a table is a page");

struct object {
    uint32_t root; /* table; FRAME_NONE: the object does not exist */
};

/* Makes an object without memory. E_MEMORY. */
enum status object_create(struct object *object);

/* The region that has this page (less than OBJECT_PAGES), or NULL if it is not made yet. */
static inline struct region *object_region(const struct object *object, uint64_t page)
{
    struct directory *root = table_at(object->root);
    uint32_t table = atomic_load_explicit(&root->entry[page / CHUNK_PAGES / OBJECT_FANOUT],
                                          memory_order_acquire);
    if (__builtin_expect(table == FRAME_NONE, 0)) {
        return NULL;
    }
    struct directory *directory = table_at(table);
    table = atomic_load_explicit(&directory->entry[page / CHUNK_PAGES % OBJECT_FANOUT],
                                 memory_order_acquire);
    return table != FRAME_NONE ? table_at(table) : NULL;
}

/* As object_region, but makes what is missing; NULL: no memory. Locks: memory_lock by turns. */
struct region *object_grow(const struct object *object, uint64_t page);

/*
 * What backs a page: the entry as it is now. If there was nothing, a frame from the cache, marked
 * PAGE_FRESH, backs it from now on, and `*taken` is set. FRAME_NONE: no memory.
 */
static inline uint32_t region_fill(struct region *region, unsigned index, struct frame_cache *cache,
                                   bool *taken)
{
    _Atomic uint32_t *entry = &region->page[index];
    uint32_t value = atomic_load_explicit(entry, memory_order_acquire);
    *taken = false;
    if (value != FRAME_NONE) {
        return value;
    }
    uint32_t frame = frame_cache_take(cache);
    if (__builtin_expect(frame == FRAME_NONE, 0)) {
        return FRAME_NONE;
    }
    if (atomic_compare_exchange_strong(entry, &value, frame | PAGE_FRESH)) {
        *taken = true;
        return frame | PAGE_FRESH;
    }
    frame_cache_put(cache, frame);
    return value;
}

/* The page was mapped since: its next mapping must not clear it. */
static inline void region_settle(_Atomic uint32_t *entry, uint32_t value)
{
    atomic_store_explicit(entry, PAGE_FRAME(value), memory_order_release);
}

/* Calls `visit` for each region made so far; `page` is its first. Nobody changes the object
 * meanwhile. */
void object_visit(const struct object *object,
                  void (*visit)(struct region *region, uint64_t page, void *context),
                  void *context);

/* Pages that have a frame. Any time; may be old. */
uint64_t object_resident(const struct object *object);

/*
 * Gives back all frames and tables. Nothing is mapped any more, and no worker can come across the
 * object. Locks: memory_lock by turns.
 */
void object_destroy(struct object *object);

#endif
