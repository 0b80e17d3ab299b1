/* tables.h: vmspace's own pages, for tables that say which frame backs which guest page. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_TABLES_H
#define SERVERS_VMSPACE_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "servers/lib/layout.h"
#include "servers/vmspace/blocks.h"
#include "servers/vmspace/frames.h"

/* In the range where a VMM has its window on a guest; vmspace has none. */
#define TABLES_BASE (2 * LAYOUT_GUEST_WINDOW)

/*
 * A table is named by its frame's number, and every frame has its place in vmspace's address space,
 * used only while the frame is a table: so four bytes are a pointer to a table, and to find it
 * takes no look-up.
 */
static inline void *table_at(uint32_t frame)
{
    return (void *)(TABLES_BASE + ((uint64_t)frame << 12));
}
/* Its number, from its address. */
static inline uint32_t table_of(const void *table)
{
    return (uint32_t)(((uint64_t)table - TABLES_BASE) >> 12);
}
_Static_assert(TABLES_BASE + ((CHUNK_MAX + 1ull) << CHUNK_BITS) < 1ull << 47,
               "room for all frames");

/* A zeroed table, or FRAME_NONE: no memory. Locks: memory_lock by turns. */
uint32_t table_take(void);

/* Gives a table back. Nobody uses it any more. Lock: memory_lock. */
void table_give(uint32_t frame);

/*
 * Maps `count` frames from number `first` on at their places, zeroed, for good; they lie in one
 * chunk. Start-up only. The status is SYS_MAP's.
 */
enum status table_map(uint32_t first, uint32_t count);

#endif
