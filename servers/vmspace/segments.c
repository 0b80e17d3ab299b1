/* segments.c: a guest's memory map: which addresses are memory, and which are devices. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vmspace/segments.h"

#include <stdbool.h>

#include "kernel/abi/message.h"
#include "kernel/abi/syscall.h"

#define PAGE_MASK (PAGE_SIZE - 1)

_Static_assert((int)FAULT_READ == (int)MAP_READ && (int)FAULT_WRITE == (int)MAP_WRITE &&
                   (int)FAULT_EXEC == (int)MAP_EXEC,
               "rights and accesses are compared bit by bit");

static bool overlap(uint64_t first, uint64_t last, uint64_t other_first, uint64_t other_last)
{
    return first <= other_last && other_first <= last;
}

static bool overlaps_segment(const struct segments *segments, uint64_t first, uint64_t last)
{
    for (uint32_t i = 0; i < segments->count; i++) {
        const struct segment *s = &segments->segment[i];
        if (overlap(first, last, s->first, s->last)) {
            return true;
        }
    }
    return false;
}

static bool overlaps_window(const struct segments *segments, uint64_t first, uint64_t last)
{
    for (uint32_t i = 0; i < segments->window_count; i++) {
        const struct device_window *w = &segments->window[i];
        if (overlap(first, last, w->first, w->last)) {
            return true;
        }
    }
    return false;
}

enum status segments_check(const struct segments *segments, uint64_t gpa, uint64_t size,
                           unsigned rights)
{
    if ((gpa & PAGE_MASK) != 0 || (size & PAGE_MASK) != 0) {
        return E_ALIGN;
    }
    if (size == 0 || (rights & ~(unsigned)MAP_RIGHTS) != 0 || (rights & MAP_READ) == 0) {
        return E_ARGUMENT;
    }
    if (gpa >= VMS_GPA_LIMIT || size > VMS_GPA_LIMIT - gpa) {
        return E_ARGUMENT;
    }
    if (size > VMS_SEGMENT_MAX || segments->count == VMS_SEGMENTS) {
        return E_LIMIT;
    }
    uint64_t last = gpa + (size - 1);
    if (overlaps_segment(segments, gpa, last) || overlaps_window(segments, gpa, last)) {
        return E_MAPPED;
    }
    return OK;
}

void segments_add(struct segments *segments, uint64_t gpa, uint64_t size, unsigned rights,
                  struct object object)
{
    uint32_t count = segments->count;
    segments->segment[count] = (struct segment){
        .first = gpa,
        .last = gpa + (size - 1),
        .base = gpa & ~(LARGE_PAGE_SIZE - 1),
        .rights = rights,
        .object = object,
    };
    atomic_store_explicit(&segments->count, count + 1, memory_order_release);
}

enum status segments_check_window(const struct segments *segments, uint64_t first, uint64_t last)
{
    if ((first & PAGE_MASK) != 0 || (last & PAGE_MASK) != PAGE_MASK) {
        return E_ALIGN;
    }
    if (first > last || last >= VMS_GPA_LIMIT) {
        return E_ARGUMENT;
    }
    if (segments->window_count == VMS_WINDOWS) {
        return E_LIMIT;
    }
    return overlaps_segment(segments, first, last) ? E_MAPPED : OK;
}

void segments_add_window(struct segments *segments, uint64_t first, uint64_t last)
{
    segments->window[segments->window_count++] = (struct device_window){ first, last };
}
