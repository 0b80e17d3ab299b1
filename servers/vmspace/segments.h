/* segments.h: a guest's memory map: which addresses are memory, and which are devices. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_SEGMENTS_H
#define SERVERS_VMSPACE_SEGMENTS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/error.h"
#include "servers/lib/vmspace.h"
#include "servers/vmspace/object.h"

/* From `first` to `last`, both included. Rights are MAP_ bits, and fit FAULT_ bits. */
struct segment {
    uint64_t first, last;
    uint64_t base; /* address of the object's page 0: `first` rounded down to 2 MiB */
    unsigned rights;
    struct object object;
};

struct device_window {
    uint64_t first, last;
};

/*
 * Only ever added to while the guest lives (its memory map changes with its virtual CPUs stopped,
 * I22): workers look without a lock, and see an entry after its count. One thread adds.
 */
struct segments {
    _Atomic uint32_t count;
    uint32_t window_count;
    struct segment segment[VMS_SEGMENTS];
    struct device_window window[VMS_WINDOWS];
};

/* The segment that has the address, or NULL. */
static inline struct segment *segment_find(struct segments *segments, uint64_t gpa)
{
    uint32_t count = atomic_load_explicit(&segments->count, memory_order_acquire);
    for (struct segment *s = segments->segment; s != segments->segment + count; s++) {
        if (gpa - s->first <= s->last - s->first) {
            return s;
        }
    }
    return NULL;
}

/* Number in the segment's object of the page at an address in the segment. */
static inline uint64_t segment_page(const struct segment *segment, uint64_t gpa)
{
    return (gpa - segment->base) >> 12;
}

/* Whether a segment may be added; the errors are those of VMS_ADD_SEGMENT but for memory. */
enum status segments_check(const struct segments *segments, uint64_t gpa, uint64_t size,
                           unsigned rights);

/* Adds a segment that segments_check() found right, over an object that has room for it. */
void segments_add(struct segments *segments, uint64_t gpa, uint64_t size, unsigned rights,
                  struct object object);

/* Whether a device window may be added, and the adding; the errors are those of VMS_DEVICE_WINDOW.
 */
enum status segments_check_window(const struct segments *segments, uint64_t first, uint64_t last);
void segments_add_window(struct segments *segments, uint64_t first, uint64_t last);

#endif
