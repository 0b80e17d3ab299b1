/* tables.c: vmspace's own pages, for tables that say which frame backs which guest page. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vmspace/tables.h"

#include "servers/lib/slots.h"
#include "servers/vmspace/check.h"
#include "servers/vmspace/kernel.h"

/* What vmspace's own Space was funded with; never given back. Guarded by memory_lock. */
static struct block_list own_blocks;

static enum status map(uint32_t first, uint32_t count, uint64_t *lacking)
{
    return kernel_map(SLOT_SPACE, frame_cap(first), frame_offset(first),
                      (uint64_t)table_at(first) | MAP_READ | MAP_WRITE | MAP_FRESH, count, lacking);
}

enum status table_map(uint32_t first, uint32_t count)
{
    return map(first, count, NULL);
}

uint32_t table_take(void)
{
    uint32_t frame;
    uint64_t lacking = 0;
    if (frames_take(FRAMES_TABLE, &frame, 1) == 0) {
        return FRAME_NONE;
    }
    enum status status = map(frame, 1, &lacking);
    if (status == E_RESERVE && blocks_fund(&own_blocks, SLOT_SPACE, lacking) == OK) {
        status = map(frame, 1, &lacking);
    }
    if (status != OK) {
        check(status == E_RESERVE, "a free frame could not be mapped");
        frames_give(&frame, 1);
        return FRAME_NONE;
    }
    return frame;
}

void table_give(uint32_t frame)
{
    check(kernel_unmap(SLOT_SPACE, (uint64_t)table_at(frame), 1) == OK, "a table was not mapped");
    frames_give(&frame, 1);
}
