/* blocks.h: Untypeds of 64 KiB, with which Spaces are funded, and which come back when the Space is gone. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_BLOCKS_H
#define SERVERS_VMSPACE_BLOCKS_H

#include <stdint.h>

#include "servers/vmspace/capmap.h"
#include "servers/vmspace/source.h"

/* Blocks that one Space, or one guest's kernel objects, took. Guarded by memory_lock. */
struct block_list {
    uint32_t first;   /* a block's number; 0: none */
};

#define BLOCK_MAX 65535u   /* slots of a CNode: 4 GiB */

static inline uint32_t block_cap(uint32_t block)
{
    return cap_in(CAPS_BLOCKS, block);
}

/* Sets up the pool. `next` has room for blocks 0 (not used) to `limit`. Start-up only. */
void blocks_init(uint32_t *next, uint32_t limit);

/* Takes a block into `list`. Value: its number, or 0: there is none. Lock: takes memory_lock. */
uint32_t blocks_take(struct block_list *list);

/* Funds a Space with `pages` pages or more. E_MEMORY, or what SYS_SPACE_FUND says. Lock: takes memory_lock. */
enum status blocks_fund(struct block_list *list, uint32_t space, uint64_t pages);

/* Takes back all blocks of a list: what was made of them is gone. Lock: takes memory_lock. */
void blocks_give(struct block_list *list);

/*
 * As blocks_give, if the Space belongs to another process and may live on: each block is taken back by
 * blocks_reap() when the kernel has it unused again. Lock: takes memory_lock.
 */
void blocks_abandon(struct block_list *list);

/* Looks whether abandoned blocks are unused by now. Lock: takes memory_lock. */
void blocks_reap(void);

/* Blocks that are free, of those made so far. Any time; may be old. */
uint32_t blocks_free(void);

#endif
