/* format_ept.c: extended page tables, Intel's nested ones (SDM vol. 3, 28.3.2). */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mem/format.h"
#include "kernel/mem/phys.h"

/* Bits of an entry (SDM vol. 3, tables 28-1 to 28-6). */
#define EPT_R       (1ull << 0)
#define EPT_W       (1ull << 1)
#define EPT_X       (1ull << 2)
#define EPT_TYPE    (7ull << 3)
#define EPT_TYPE_UC (0ull << 3)
#define EPT_TYPE_WB (6ull << 3)
#define EPT_SIZE    (1ull << 7)
#define EPT_A       (1ull << 8)
#define EPT_D       (1ull << 9)

void pt_format_ept(struct pt_format *format, const struct pt_caps *caps)
{
    *format = (struct pt_format){
        .name = "ept",
        .limit = 1ull << 48,    /* four levels */
        .address = ((1ull << caps->physical_bits) - 1) & ~(PAGE_SIZE - 1),
        .table = EPT_R | EPT_W | EPT_X,
        .present = EPT_R | EPT_W | EPT_X,
        .size = EPT_SIZE,
        .read = EPT_R,
        .write = EPT_W,
        .exec = EPT_X,
        .no_exec = 0,
        .accessed = caps->ept_ad ? EPT_A : 0,
        .dirty = caps->ept_ad ? EPT_D : 0,
        .memory_type = EPT_TYPE,
        .cached = EPT_TYPE_WB,  /* the guest's PAT still narrows it: bit 6 is clear */
        .uncached = EPT_TYPE_UC,
        .always = 0,
        .levels = 4,
        .leaf_levels = 1u << 0 | (caps->ept_2m ? 1u << 1 : 0) | (caps->ept_1g ? 1u << 2 : 0),
        .exec_only = caps->ept_exec_only,
    };
    pt_format_finish(format);
}
