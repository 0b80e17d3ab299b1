/* format.c: completes each page-table format from its masks: all leaf entries that there can be. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mem/format.h"
#include "kernel/mem/phys.h"

struct pt_format pt_formats[PT_COUNT];

/* All bits but the address of a leaf with these MAP_ flags, or 0 where there can be none. */
static uint64_t leaf_bits(const struct pt_format *format, unsigned flags)
{
    unsigned level = (flags & MAP_SIZE_MASK) >> MAP_SIZE_SHIFT;
    bool readable = (flags & MAP_READ) != 0;
    bool exec_only = (flags & MAP_RIGHTS) == MAP_EXEC && format->exec_only;

    if ((format->leaf_levels & 1u << level) == 0 || !(readable || exec_only)) {
        return 0; /* write without read is refused here for every format (I11) */
    }
    uint64_t bits = format->always | (flags & MAP_UNCACHED ? format->uncached : format->cached);

    bits |= flags & MAP_READ ? format->read : 0;
    bits |= flags & MAP_WRITE ? format->write : 0;
    bits |= flags & MAP_EXEC ? format->exec : format->no_exec;
    if (level > 0) {
        bits |= format->size | (flags & MAP_WRITE ? format->dirty : 0); /* I6 */
    }
    return bits;
}

void pt_format_finish(struct pt_format *format)
{
    format->noted = format->accessed | format->dirty;
    format->link = format->table & format->present;
    format->link_mask = format->link | format->size;
    format->shift = PAGE_SHIFT + PAGE_LEVEL_BITS * (format->levels - 1);
    for (unsigned flags = 0; flags < 1u << 5; flags++) {
        format->leaf[pt_leaf_index(flags)] = leaf_bits(format, flags);
        format->leaf[pt_leaf_index(flags | MAP_UNCACHED)] = leaf_bits(format, flags | MAP_UNCACHED);
    }
}

void pt_formats_init(const struct pt_caps *caps)
{
    pt_format_x86(&pt_formats[PT_X86], caps);
    pt_format_ept(&pt_formats[PT_EPT], caps);
}
