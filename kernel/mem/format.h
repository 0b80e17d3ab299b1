/* format.h: what differs between the kinds of page tables, as data for the one walker. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_MEM_FORMAT_H
#define KERNEL_MEM_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/abi/object.h"
#include "kernel/abi/syscall.h"

/* What the CPUs (all of them) can do; from CPUID and the VMX capability registers. */
struct pt_caps {
    uint8_t physical_bits;  /* CPUID 80000008H EAX[7:0] */
    bool nx;                /* EFER.NXE is set */
    bool page_1g;           /* 1 GiB pages in the CPU's own tables */
    bool ept_2m;            /* IA32_VMX_EPT_VPID_CAP bit 16 */
    bool ept_1g;            /* bit 17 */
    bool ept_ad;            /* bit 21, and the EPTP enables it */
    bool ept_exec_only;     /* bit 0 */
};

#define PT_LEAF_COUNT (MAP_UNCACHED + MAP_SIZE_MASK + MAP_RIGHTS + 1)

/*
 * One kind of page table. All have 512 entries of 8 bytes per table. Masks are 0 where the CPU
 * lacks the thing. An entry that is not zero leads somewhere; one that leads nowhere is zero (I28).
 */
struct pt_format {
    const char *name;       /* NULL: this machine has none of this kind */
    uint64_t limit;         /* first address that cannot be mapped */
    uint64_t address;       /* bits of an entry that hold a physical address */
    uint64_t table;         /* other bits of an entry that leads to a table */
    uint64_t present;       /* one of them is set in every entry that the CPU uses */
    uint64_t size;          /* in a leaf above level 0, and in no entry that leads to a table */
    uint64_t read;          /* these say that a leaf allows the access; ... */
    uint64_t write;
    uint64_t exec;
    uint64_t no_exec;       /* ... this one that it does not */
    uint64_t accessed;      /* set by the CPU in a leaf */
    uint64_t dirty;
    uint64_t memory_type;   /* the bits that choose caching, ... */
    uint64_t cached;        /* ... their value for RAM, ... */
    uint64_t uncached;      /* ... and for device memory */
    uint64_t always;        /* other bits in every leaf */
    uint64_t noted;         /* accessed | dirty */
    uint64_t link_mask;     /* an entry leads to a table if, of these bits, ... */
    uint64_t link;          /* ... these are set: so neither zero nor a superpage */
    unsigned levels;        /* of tables: 4 */
    unsigned shift;         /* lowest bit of the root's index */
    unsigned leaf_levels;   /* bit n: a leaf may be at level n */
    bool exec_only;         /* a leaf may allow execute without read */
    uint64_t leaf[PT_LEAF_COUNT]; /* by pt_leaf_index(): all bits but the address; 0: not offered */
};

/* Indexed by enum space_type. Filled by pt_formats_init(), constant after it. */
extern struct pt_format pt_formats[PT_COUNT];

/* Fills pt_formats for these CPUs. Once, before the first Space is made. */
void pt_formats_init(const struct pt_caps *caps);

/* Each fills the masks of one format; then pt_format_finish() what follows from them. */
void pt_format_x86(struct pt_format *format, const struct pt_caps *caps);
void pt_format_ept(struct pt_format *format, const struct pt_caps *caps);
void pt_format_finish(struct pt_format *format);

/* Index into 'leaf' from the MAP_ flags. */
static inline unsigned pt_leaf_index(unsigned flags)
{
    return flags & (MAP_RIGHTS | MAP_SIZE_MASK | MAP_UNCACHED);
}

/* The rights (MAP_READ, ...) that a leaf entry gives. */
static inline unsigned pt_rights(const struct pt_format *format, uint64_t entry)
{
    bool exec = (entry & format->exec) != 0 && (entry & format->no_exec) == 0;

    return (entry & format->read ? MAP_READ : 0u) | (entry & format->write ? MAP_WRITE : 0u) |
           (exec ? MAP_EXEC : 0u);
}

/* The MAP_ flags (rights, size, MAP_UNCACHED) that make a leaf like this one, at this level. */
static inline unsigned pt_flags(const struct pt_format *format, uint64_t entry, unsigned level)
{
    bool uncached = (entry & format->memory_type) == format->uncached;

    return pt_rights(format, entry) | level << MAP_SIZE_SHIFT | (uncached ? MAP_UNCACHED : 0u);
}

#endif
