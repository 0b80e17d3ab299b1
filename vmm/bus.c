/* bus.c: finds the device that decodes a port or a guest-physical address. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/bus.h"

#include <stdbool.h>
#include <stddef.h>

void bus_init(struct bus *bus)
{
    *bus = (struct bus){0};
}

/* The index of the first range that starts above `address`. */
static unsigned upper_bound(const struct bus *bus, uint64_t address)
{
    unsigned low = 0, high = bus->count;

    while (low < high) {
        unsigned mid = (low + high) / 2;

        if (bus->range[mid].base <= address) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

enum bus_status bus_add(struct bus *bus, uint64_t base, uint64_t size, const struct bus_ops *ops,
                        void *dev)
{
    unsigned at = upper_bound(bus, base);

    if (bus->count == BUS_MAX_RANGES || size == 0) {
        return BUS_FULL;
    }
    if (at > 0 && base - bus->range[at - 1].base < bus->range[at - 1].size) {
        return BUS_OVERLAP;
    }
    if (at < bus->count && bus->range[at].base - base < size) {
        return BUS_OVERLAP;
    }
    for (unsigned i = bus->count; i > at; i--) {
        bus->range[i] = bus->range[i - 1];
    }
    bus->range[at] = (struct bus_range){base, size, ops, dev};
    bus->count++;
    return BUS_OK;
}

/* The range that decodes the byte at `address`, or NULL. */
static const struct bus_range *find(struct bus *bus, uint64_t address)
{
    const struct bus_range *range = &bus->range[bus->last];
    unsigned at;

    if (address - range->base < range->size) {
        return range;
    }
    at = upper_bound(bus, address);
    if (at == 0 || address - bus->range[at - 1].base >= bus->range[at - 1].size) {
        return NULL;
    }
    bus->last = at - 1;
    return &bus->range[at - 1];
}

/* Whether `range` takes `size` bytes at `address` in one access. */
static bool takes(const struct bus_range *range, uint64_t address, unsigned size)
{
    return range != NULL && size <= range->ops->width &&
           size <= range->size - (address - range->base);
}

static uint64_t ones(unsigned size)
{
    return UINT64_MAX >> (64 - 8 * size);
}

static uint64_t read_whole(const struct bus_range *range, uint64_t address,
                           const struct bus_access *access, unsigned size)
{
    struct bus_access one = *access;

    one.offset = address - range->base;
    one.size = size;
    return range->ops->read(range->dev, &one) & ones(size);
}

static void write_whole(const struct bus_range *range, uint64_t address,
                        const struct bus_access *access, unsigned size, uint64_t value)
{
    struct bus_access one = *access;

    one.offset = address - range->base;
    one.size = size;
    range->ops->write(range->dev, &one, value & ones(size));
}

/* An access that no range takes whole: byte by byte. Apart, to keep the usual way short. */
static __attribute__((noinline)) enum bus_status read_bytes(struct bus *bus, uint64_t address,
                                                            const struct bus_access *access,
                                                            uint64_t *value)
{
    enum bus_status status = BUS_UNCLAIMED;

    *value = ones(access->size);
    for (unsigned i = 0; i < access->size; i++) {
        const struct bus_range *range = find(bus, address + i);

        if (takes(range, address + i, 1)) {
            *value &= ~(0xFFULL << (8 * i));
            *value |= read_whole(range, address + i, access, 1) << (8 * i);
            status = BUS_OK;
        }
    }
    bus->unclaimed_reads += status == BUS_UNCLAIMED;
    return status;
}

enum bus_status bus_read(struct bus *bus, uint64_t address, const struct bus_access *access,
                         uint64_t *value)
{
    const struct bus_range *range = find(bus, address);

    if (takes(range, address, access->size)) {
        *value = read_whole(range, address, access, access->size);
        return BUS_OK;
    }
    if (range == NULL && access->size == 1) {
        *value = ones(1);
        bus->unclaimed_reads++;
        return BUS_UNCLAIMED;
    }
    return read_bytes(bus, address, access, value);
}

/* As read_bytes(). */
static __attribute__((noinline)) enum bus_status write_bytes(struct bus *bus, uint64_t address,
                                                             const struct bus_access *access,
                                                             uint64_t value)
{
    enum bus_status status = BUS_UNCLAIMED;

    for (unsigned i = 0; i < access->size; i++) {
        const struct bus_range *range = find(bus, address + i);

        if (takes(range, address + i, 1)) {
            write_whole(range, address + i, access, 1, value >> (8 * i));
            status = BUS_OK;
        }
    }
    bus->unclaimed_writes += status == BUS_UNCLAIMED;
    return status;
}

enum bus_status bus_write(struct bus *bus, uint64_t address, const struct bus_access *access,
                          uint64_t value)
{
    const struct bus_range *range = find(bus, address);

    if (takes(range, address, access->size)) {
        write_whole(range, address, access, access->size, value);
        return BUS_OK;
    }
    if (range == NULL && access->size == 1) {
        bus->unclaimed_writes++;
        return BUS_UNCLAIMED;
    }
    return write_bytes(bus, address, access, value);
}
