/* reserve.c: gives the pages of a dead Space's reserve back their plain descriptors. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mem/reserve.h"

bool reserve_drain_step(struct reserve *reserve, uint64_t budget)
{
    for (; reserve->count > 0 && budget > 0; budget--) {
        page_release(reserve_take(reserve, PAGE_TABLE));
        reserve->total--;
    }
    return reserve->count > 0;
}
