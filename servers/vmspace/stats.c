/* stats.c: the figures that vmspace gives of a guest and of its memory. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vmspace/stats.h"

#include "servers/vmspace/kernel.h"
#include "servers/vmspace/park.h"
#include "servers/vmspace/worker.h"

static void memory(struct guest *guest, uint64_t words[4])
{
    struct space_query query = { 0 };
    uint64_t resident = 0;
    for (uint32_t i = 0; i < guest->segments.count; i++) {
        resident += object_resident(&guest->segments.segment[i].object);
    }
    /* The address does not matter: the Space's totals come even if nothing is mapped there. */
    kernel_query(guest_cap(guest_index(guest), GUEST_SPACE), 0, &query);
    words[0] = resident;
    words[1] = query.mapped;
    words[2] = guest->held;
    words[3] = guest->size / PAGE_SIZE;
}

static void faults(struct guest *guest, uint64_t words[4])
{
    words[0] = words[1] = words[2] = words[3] = 0;
    for (unsigned i = 0; i < worker_count; i++) {
        struct fault_counts *counts = &guest->counts->worker[i];
        words[0] += counts->fresh;
        words[1] += counts->present;
        words[2] += counts->device;
        words[3] += counts->window;
    }
}

enum status stats_guest(struct guest *guest, uint64_t which, uint64_t words[4])
{
    switch (which) {
    case VMS_MEMORY:
        memory(guest, words);
        return OK;
    case VMS_FAULTS:
        faults(guest, words);
        return OK;
    default:
        return E_ARGUMENT;
    }
}

uint64_t stats_free(void)
{
    uint64_t pages = frames_free() + source_frames_left() + source_blocks_left() + blocks_free();
    for (unsigned i = 0; i < worker_count; i++) {
        pages += frame_cache_count(&workers[i].cache);
    }
    return pages;
}

void stats_pool(uint64_t total, uint64_t words[4])
{
    words[0] = stats_free();
    words[1] = total;
    words[2] = park_count();
    words[3] = 0;
    for (unsigned i = 0; i < GUEST_MAX; i++) {
        words[3] += guests[i].owner != 0;
    }
}
