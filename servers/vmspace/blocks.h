/* blocks.h: Untypeds with which Spaces are funded, and which come back when the Space is gone. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_BLOCKS_H
#define SERVERS_VMSPACE_BLOCKS_H

#include <stdint.h>

#include "servers/vmspace/capmap.h"
#include "servers/vmspace/source.h"

/*
 * A small block is of 64 KiB, a large one a whole chunk of 2 MiB. The kernel lets a Space be funded
 * a limited number of times: so the first few blocks of a Space are small, and what comes after is
 * large.
 */
enum block_size { BLOCK_SMALL = 0, BLOCK_LARGE, BLOCK_SIZES };
#define SMALL_BLOCKS_FIRST 8u

/* Blocks that one Space, or one guest's kernel objects, took. Guarded by memory_lock. */
struct block_list {
    uint32_t first; /* a block's number; 0: none */
    uint32_t count;
};

#define BLOCK_MAX 65535u /* slots of a CNode */

static inline uint32_t block_cap(uint32_t block)
{
    return cap_in(CAPS_BLOCKS, block);
}

/*
 * Sets up the pool: blocks 1 to `small` are small, those above to `all` large. `next` has room for
 * numbers 0 (not used) to `all`. Start-up only.
 */
void blocks_init(uint32_t *next, uint32_t small, uint32_t all);

/*
 * Takes a block into `list`, of the other size if there is none of this. Value: its number, or 0:
 * there is none. Lock: takes memory_lock.
 */
uint32_t blocks_take(struct block_list *list, enum block_size size);

/* Funds a Space with `pages` pages or more. E_MEMORY, or what SYS_SPACE_FUND says. Lock: takes
 * memory_lock. */
enum status blocks_fund(struct block_list *list, uint32_t space, uint64_t pages);

/* Takes back all blocks of a list: what was made of them is gone. Lock: takes memory_lock. */
void blocks_give(struct block_list *list);

/*
 * As blocks_give, if the Space belongs to another process and may live on: each block is taken back
 * by blocks_reap() when the kernel has it unused again. Lock: takes memory_lock.
 */
void blocks_abandon(struct block_list *list);

/* Looks whether abandoned blocks are unused by now. Lock: takes memory_lock. */
void blocks_reap(void);

/* Pages of the blocks that are free, of those made so far. Any time; may be old. */
uint64_t blocks_free(void);

#endif
