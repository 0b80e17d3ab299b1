/* hold.c: pages that a VMM keeps at hand while a device model uses them. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vmspace/hold.h"

#include "servers/vmspace/kernel.h"

static enum status map_in_window(struct guest *guest, struct worker *worker, uint64_t address)
{
    struct fault fault;
    enum verdict verdict =
        fault_window(guest, worker->index, &worker->cache, address, FAULT_READ, &fault);
    if (verdict == FAULT_MAP) {
        verdict = worker_map(worker, &fault);
    }
    switch (verdict) {
    case FAULT_RETRY:
        return OK;
    case FAULT_WAIT:
        return E_MEMORY;
    default:
        return E_STATE;
    }
}

enum status hold_take(struct guest *guest, struct worker *worker, uint64_t gpa, uint64_t access,
                      uint64_t *address)
{
    if (access != MAP_READ && access != (MAP_READ | MAP_WRITE)) {
        return E_ARGUMENT;
    }
    struct segment *segment = segment_find(&guest->segments, gpa);
    if (segment == NULL) {
        return E_UNMAPPED;
    }
    if ((access & ~(uint64_t)segment->rights) != 0) {
        return E_RIGHT;
    }
    enum status status = map_in_window(guest, worker, VMS_WINDOW + gpa);
    if (status != OK) {
        return status;
    }
    uint64_t page = segment_page(segment, gpa);
    unsigned index = page % CHUNK_PAGES;
    struct region *region = object_region(&segment->object, page);
    if (region->held[index] == UINT16_MAX) {
        return E_LIMIT;
    }
    region->held[index]++;
    guest->held++;
    if ((access & MAP_WRITE) != 0) {
        region->dirty[index / 64] |= 1ull << (index % 64);
    }
    *address = VMS_WINDOW + gpa;
    return OK;
}

enum status hold_release(struct guest *guest, uint64_t gpa)
{
    struct segment *segment = segment_find(&guest->segments, gpa);
    if (segment == NULL) {
        return E_UNMAPPED;
    }
    uint64_t page = segment_page(segment, gpa);
    struct region *region = object_region(&segment->object, page);
    if (region == NULL || region->held[page % CHUNK_PAGES] == 0) {
        return E_STATE;
    }
    region->held[page % CHUNK_PAGES]--;
    guest->held--;
    return OK;
}
