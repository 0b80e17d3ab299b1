/* map.c: adds mappings to a page-table tree, all or nothing. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/bits.h"
#include "kernel/mem/walk.h"

/* A checked ptab_map(). */
struct request {
    uint64_t address;
    uint64_t end;
    uint64_t physical;
    uint64_t bits;       /* of each leaf, but for the address */
    unsigned level;
    bool fresh;
};

/* Whether this is one page of 4 KiB of RAM, and nothing is wrong with the arguments. */
static inline bool is_simple(const struct pt_format *format, uint64_t address, uint64_t physical,
                             unsigned flags, uint64_t count)
{
    return count == 1 && (flags & MAP_SIZE_MASK) == MAP_4K &&
           is_aligned(address | physical, PAGE_SIZE) && address < format->limit &&
           page_is_ram(physical) && format->leaf[pt_leaf_index(flags)] != 0;
}

/* Why there is no leaf for these flags. */
static enum status flags_status(unsigned flags)
{
    bool nonsense = (flags & MAP_RIGHTS) == 0 || (flags & MAP_SIZE_MASK) == MAP_SIZE_MASK ||
                    ((flags & MAP_WRITE) != 0 && (flags & MAP_READ) == 0);

    return nonsense ? E_ARGUMENT : E_UNSUPPORTED;
}

static enum status check_arguments(const struct pt_format *format, const struct request *request,
                                   unsigned flags, uint64_t count)
{
    if (request->bits == 0) {
        return flags_status(flags);
    }
    uint64_t size = page_size(request->level);

    if (count == 0) {
        return E_ARGUMENT;
    }
    if (count > PTAB_MAP_MAX || (request->fresh && count * size > PTAB_FRESH_MAX)) {
        return E_LIMIT;
    }
    if (!is_aligned(request->address | request->physical, size)) {
        return E_ALIGN;
    }
    uint64_t span = count * size;
    uint64_t last = request->physical + span - 1;

    if (request->address >= format->limit || span > format->limit - request->address ||
        last < request->physical || (last & ~(format->address | (PAGE_SIZE - 1))) != 0) {
        return E_ARGUMENT;
    }
    return request->fresh && !page_is_ram(last) ? E_ARGUMENT : OK;
}

/* The end of that part of the range from 'at' whose entries are in one table. */
static uint64_t table_end(const struct request *request, uint64_t at)
{
    uint64_t span = page_size(request->level + 1);
    uint64_t next = align_down(at, span) + span;

    return next < request->end ? next : request->end;
}

/* Index in its table of the entry for an address. */
static unsigned index_of(const struct request *request, uint64_t address)
{
    return address / page_size(request->level) % PAGE_ENTRIES;
}

/*
 * Looks whether the part [at, end) of the range, whose entries are in one table, is free, and adds
 * the pages that it needs. A table that an earlier part needs too is counted there only.
 */
static enum status check_table(const struct ptab *pt, const struct request *request, uint64_t at,
                               uint64_t end, uint64_t *needed)
{
    struct slot slot = slot_find(pt, at, request->level);
    unsigned first = index_of(request, at);
    unsigned last = index_of(request, end - 1);
    const struct page *table = NULL;

    if (slot.level == request->level) {
        table = slot_table(slot.entry);
        for (unsigned i = 0; i <= last - first; i++) {
            if (slot.entry[i] != 0) {
                return E_MAPPED;
            }
        }
    } else if (*slot.entry != 0) {
        return E_MAPPED;
    }
    for (unsigned level = request->level + 1; level <= slot.level; level++) {
        *needed += at == request->address || is_aligned(at, page_size(level));
    }
    for (unsigned half = first / MAPPINGS_PER_PAGE; half <= last / MAPPINGS_PER_PAGE; half++) {
        *needed += table == NULL || table->table.half[half] == NULL;
    }
    return OK;
}

/* Claims all the memory of a MAP_FRESH, or none. */
static enum status claim(const struct request *request)
{
    uint64_t size = page_size(request->level);
    uint64_t span = request->end - request->address;

    for (uint64_t done = 0; done < span; done += size) {
        if (!page_claim(request->physical + done, request->level)) {
            while (done > 0) {
                done -= size;
                page_claim_end(request->physical + done);
            }
            return E_BUSY;
        }
    }
    return OK;
}

/* All checks of a range that depend on the Space or on other Spaces. */
static enum status check_range(const struct ptab *pt, const struct request *request,
                               uint64_t *lacking)
{
    uint64_t needed = 0;

    for (uint64_t at = request->address; at < request->end; at = table_end(request, at)) {
        enum status status = check_table(pt, request, at, table_end(request, at), &needed);

        if (status != OK) {
            return status;
        }
    }
    if (needed > pt->reserve.count) {
        *lacking = needed - pt->reserve.count;
        return E_RESERVE;
    }
    return request->fresh ? claim(request) : OK;
}

/* The slot for an address at a level; tables on the way are made. */
static struct slot make_tables(struct ptab *pt, uint64_t address, unsigned level)
{
    struct slot slot;

    while ((slot = slot_find(pt, address, level)).level > level) {
        struct page *page = reserve_take(&pt->reserve, PAGE_TABLE);

        page->table.half[0] = NULL;
        page->table.half[1] = NULL;
        page->table.live = 0;
        __atomic_store_n(slot.entry, page_to_physical(page) | pt->format->table, __ATOMIC_RELEASE);
        slot_table(slot.entry)->table.live++;
        pt->tables++;
    }
    return slot;
}

/* Makes the page of mapping entries that the slot's half of its table needs. */
static void make_half(struct ptab *pt, struct slot slot, uint64_t address)
{
    struct page *table = slot_table(slot.entry);
    struct page *page = reserve_take(&pt->reserve, PAGE_LINKS);
    unsigned behind = slot_index(slot.entry) % MAPPINGS_PER_PAGE;

    page->links.space = pt;
    page->links.entry = slot.entry - behind;
    page->links.address = (address - behind * page_size(slot.level)) | slot.level;
    table->table.half[slot_index(slot.entry) / MAPPINGS_PER_PAGE] =
        page_address(page_to_physical(page));
    pt->links++;
}

/* Maps one piece where nothing can fail any more. */
static void map_leaf(struct ptab *pt, struct slot slot, uint64_t physical, uint64_t bits,
                            bool fresh)
{
    if (fresh) {
        page_clear(physical, page_size(slot.level)); /* before anybody can see it (I31) */
        page_of_ram(physical)->touched = 0;
    }
    leaf_set(pt, slot, physical, bits);
    if (fresh) {
        page_claim_end(physical);
    }
}

/* Maps a page that must be the first mapping of its memory where nothing else can fail. */
static __attribute__((noinline)) enum status map_fresh_page(struct ptab *pt, uint64_t *entry,
                                                            uint64_t physical, uint64_t bits)
{
    if (!page_claim(physical, 0)) {
        return E_BUSY;
    }
    map_leaf(pt, (struct slot){ entry, 0 }, physical, bits, true);
    return OK;
}

/* The general case: any size and count, tables may be missing. Lock: the Space's. */
static enum status map_range(struct ptab *pt, const struct request *request, uint64_t *lacking)
{
    enum status status = check_range(pt, request, lacking);

    if (status != OK) {
        return status;
    }
    uint64_t size = page_size(request->level);
    uint64_t physical = request->physical;

    for (uint64_t at = request->address; at < request->end; at += size, physical += size) {
        struct slot slot = make_tables(pt, at, request->level);

        if (half_of(slot_table(slot.entry), slot.entry) == NULL) {
            make_half(pt, slot, at);
        }
        map_leaf(pt, slot, physical, request->bits, request->fresh);
    }
    return OK;
}

static __attribute__((noinline)) enum status
map_any(struct ptab *pt, uint64_t address, uint64_t physical, unsigned flags, uint64_t count,
        uint64_t *lacking)
{
    unsigned level = (flags & MAP_SIZE_MASK) >> MAP_SIZE_SHIFT;
    struct request request = {
        .address = address,
        .physical = physical,
        .bits = pt->format->leaf[pt_leaf_index(flags)],
        .level = level,
        .fresh = (flags & MAP_FRESH) != 0,
    };
    enum status status = check_arguments(pt->format, &request, flags, count);

    if (status != OK) {
        return status;
    }
    request.end = address + count * page_size(level);
    lock_take(&pt->lock);
    status = map_range(pt, &request, lacking);
    lock_release(&pt->lock);
    return status;
}

enum status ptab_map(struct ptab *pt, uint64_t address, uint64_t physical, unsigned flags,
                     uint64_t count, uint64_t *lacking)
{
    if (is_simple(pt->format, address, physical, flags, count)) {
        lock_take(&pt->lock);
        uint64_t *entry = page_slot(pt, address);

        /* One page into a table that is there: the path of nearly every fault, kept straight. */
        if (entry != NULL && *entry == 0 && half_of(slot_table(entry), entry) != NULL) {
            uint64_t bits = pt->format->leaf[pt_leaf_index(flags)];
            enum status status = OK;

            if ((flags & MAP_FRESH) != 0) {
                status = map_fresh_page(pt, entry, physical, bits);
            } else {
                leaf_set(pt, (struct slot){ entry, 0 }, physical, bits);
            }
            lock_release(&pt->lock);
            return status;
        }
        lock_release(&pt->lock);
    }
    return map_any(pt, address, physical, flags, count, lacking);
}
