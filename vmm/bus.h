/* bus.h: finds the device that decodes a port or a guest-physical address. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_BUS_H
#define VMM_BUS_H

#include <stdint.h>

#define BUS_MAX_RANGES 24

/* One access as a device sees it. */
struct bus_access {
    uint64_t offset; /* from the start of the device's range */
    uint64_t now;    /* guest TSC ticks */
    unsigned size;   /* 1, 2, 4 or 8 bytes */
    unsigned cpu;    /* who accesses */
};

/* A device's handlers for one kind of range. */
struct bus_ops {
    unsigned width; /* the widest access taken whole; wider ones arrive as single bytes */
    uint64_t (*read)(void *dev, const struct bus_access *access);
    void (*write)(void *dev, const struct bus_access *access, uint64_t value);
};

struct bus_range {
    uint64_t base, size;
    const struct bus_ops *ops;
    void *dev;
};

struct bus {
    struct bus_range range[BUS_MAX_RANGES]; /* sorted by base, disjoint */
    unsigned count;
    unsigned last; /* the range found last: drivers poll one port again and again */
    uint64_t unclaimed_reads, unclaimed_writes;
};

enum bus_status {
    BUS_OK,
    BUS_UNCLAIMED, /* no device decodes any byte of the access */
    BUS_OVERLAP,   /* the range meets one that is there */
    BUS_FULL,      /* BUS_MAX_RANGES are in use, or the range is empty */
};

/* Makes an empty bus. */
void bus_init(struct bus *bus);

/*
 * Adds [base, base + size). `ops` and `dev` must outlive the bus.
 * Errors: BUS_OVERLAP, BUS_FULL; the bus is then unchanged.
 */
enum bus_status bus_add(struct bus *bus, uint64_t base, uint64_t size, const struct bus_ops *ops,
                        void *dev);

/*
 * Reads `access->size` bytes at `address` into *value (zero-extended); access->offset is ignored.
 * An access that no single range takes whole is split into bytes, as a bus does for narrow
 * devices; bytes that nobody decodes read 0xFF. Errors: BUS_UNCLAIMED if there are only such
 * bytes: *value is then all ones, and the access is counted.
 */
enum bus_status bus_read(struct bus *bus, uint64_t address, const struct bus_access *access,
                         uint64_t *value);

/* As bus_read(), for a write. Bytes that nobody decodes are dropped. */
enum bus_status bus_write(struct bus *bus, uint64_t address, const struct bus_access *access,
                          uint64_t value);

#endif
