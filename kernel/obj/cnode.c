/* cnode.c: the second level of capability look-up. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/cnode.h"

struct slot *cnode_lookup_deep(const struct cspace *cspace, uint32_t cptr, uint8_t right)
{
    uint32_t high = cptr >> 16, low = cptr & 0xffff;

    if (high == 0 || low == 0 || high >= cspace->count) {
        return NULL;
    }
    const struct cap *inner = &cspace->slots[high].cap;

    if (inner->type != OBJ_CNODE || (inner->rights & right) != right ||
        low >= cnode_count(inner)) {
        return NULL;
    }
    return &cnode_slots(inner)[low];
}
