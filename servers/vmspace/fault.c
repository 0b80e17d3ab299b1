/* fault.c: what is to be done about a fault: the short path of guest memory. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vmspace/fault.h"

#include "servers/lib/log.h"
#include "servers/vmspace/kernel.h"
#include "servers/vmspace/park.h"

#define PAGE_MASK (PAGE_SIZE - 1)

/* Finds what backs the page, or makes it so. NULL: no memory. */
static inline struct region *back_page(struct segment *segment, uint64_t gpa,
                                       struct fault_counts *counts, struct frame_cache *cache,
                                       struct fault *fault)
{
    uint64_t page = segment_page(segment, gpa);
    fault->epoch = park_epoch();
    struct region *region = object_region(&segment->object, page);
    if (__builtin_expect(region == NULL, 0)) {
        region = object_grow(&segment->object, page);
        if (region == NULL) {
            return NULL;
        }
    }
    unsigned index = page % CHUNK_PAGES;
    bool taken;
    fault->value = region_fill(region, index, cache, &taken);
    if (__builtin_expect(fault->value == FRAME_NONE, 0)) {
        return NULL;
    }
    count_event(taken ? &counts->fresh : &counts->present);
    fault->entry = &region->page[index];
    return region;
}

static inline uint64_t fresh_flag(uint32_t value)
{
    return (value & PAGE_FRESH) != 0 ? MAP_FRESH : 0;
}

enum verdict fault_nested(struct guest *guest, unsigned worker, struct frame_cache *cache,
                          uint64_t gpa, uint64_t access, struct fault *fault)
{
    struct fault_counts *counts = &guest->counts->worker[worker];
    struct segment *segment = segment_find(&guest->segments, gpa);
    if (segment == NULL || (access & MAP_RIGHTS & ~(uint64_t)segment->rights) != 0) {
        count_event(&counts->device);
        return FAULT_DEVICE;
    }
    fault->guest = guest;
    fault->address = gpa;
    fault->space = guest_cap(guest_index(guest), GUEST_SPACE);
    if (__builtin_expect(back_page(segment, gpa, counts, cache, fault) == NULL, 0)) {
        return FAULT_WAIT;
    }
    fault->target = (gpa & ~PAGE_MASK) | segment->rights | fresh_flag(fault->value);
    return FAULT_MAP;
}

enum verdict fault_window(struct guest *guest, unsigned worker, struct frame_cache *cache,
                          uint64_t address, uint64_t access, struct fault *fault)
{
    struct fault_counts *counts = &guest->counts->worker[worker];
    uint64_t gpa = address - VMS_WINDOW;
    struct segment *segment = segment_find(&guest->segments, gpa);
    if (segment == NULL || (access & FAULT_EXEC) != 0) {
        return FAULT_REPORT;
    }
    fault->guest = guest;
    fault->address = address;
    fault->space = guest_cap(guest_index(guest), GUEST_VMM_SPACE);
    struct region *region = back_page(segment, gpa, counts, cache, fault);
    if (region == NULL) {
        return FAULT_WAIT;
    }
    count_event(&counts->window);
    atomic_store(&region->in_window, 1);
    fault->target = (address & ~PAGE_MASK) | MAP_READ | MAP_WRITE | fresh_flag(fault->value);
    return FAULT_MAP;
}

/* The reserve of the Space ran short. */
static enum verdict fund(struct fault *fault, uint64_t lacking)
{
    bool nested = fault->space == guest_cap(guest_index(fault->guest), GUEST_SPACE);
    struct block_list *blocks = nested ? &fault->guest->space_blocks : &fault->guest->window_blocks;
    enum status status = blocks_fund(blocks, fault->space, lacking);
    if (status == OK) {
        return FAULT_MAP;
    }
    if (status == E_MEMORY) {
        return FAULT_WAIT;
    }
    log_line("guest of child %u: its %s can't be funded: %s", fault->guest->owner,
             nested ? "nested space" : "VMM's space", status_words(status));
    return nested ? FAULT_STOP : FAULT_REPORT;
}

enum verdict fault_failed(struct fault *fault, enum status status, uint64_t lacking)
{
    switch (status) {
    case E_MAPPED:
        return FAULT_RETRY;
    case E_RESERVE:
        return fund(fault, lacking);
    case E_BUSY:
        if ((fault->target & MAP_FRESH) != 0) {
            /* Another worker has just mapped it, elsewhere or here: so it has been cleared. */
            region_settle(fault->entry, fault->value);
            fault->target &= ~(uint64_t)MAP_FRESH;
            return FAULT_MAP;
        }
        break;
    default:
        break;
    }
    log_line("guest of child %u: address %#llx can't be mapped: %s", fault->guest->owner,
             (unsigned long long)fault->address, status_words(status));
    return FAULT_STOP;
}
