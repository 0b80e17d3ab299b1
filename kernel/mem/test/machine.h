/* machine.h: a make-believe machine for host tests: memory, descriptors, and a look at tables. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_MEM_TEST_MACHINE_H
#define KERNEL_MEM_TEST_MACHINE_H

#include "kernel/mem/ptab.h"

/* RAM ends here; what is above is device memory and has no descriptor. */
#define MACHINE_RAM (3ull << 30)
#define MACHINE_DEVICE 0x200000000ull

/* Pages for tables are handed out from here, frames to map are elsewhere. */
#define MACHINE_TABLES 0x1000ull
#define MACHINE_TABLES_END 0x20000000ull

/* A CPU with everything; tests take parts away. */
extern const struct pt_caps machine_caps;

/* Makes memory and descriptors afresh, all zero. */
void machine_reset(void);

/* The next page for a table, never given before since the last reset; filled with junk. */
uint64_t machine_page(void);

/* An empty Space with this many pages in its reserve. */
void machine_space(struct ptab *pt, const struct pt_format *format, unsigned funds);

/* What the hardware would find at an address. */
struct machine_view {
    uint64_t physical;    /* of the 4 KiB page */
    unsigned level;
    unsigned rights;      /* MAP_READ, ... */
    bool uncached;
    uint64_t *entry;      /* the leaf */
};

/*
 * Walks the tables as the manuals say, with none of the kernel's masks. Returns false if the
 * address is not mapped; stops the test where the CPU would report a misconfiguration.
 */
bool machine_walk_x86(uint64_t root, uint64_t address, struct machine_view *view);
bool machine_walk_ept(uint64_t root, uint64_t address, struct machine_view *view);
bool machine_walk(const struct ptab *pt, uint64_t address, struct machine_view *view);

#endif
