/* source.h: the untyped memory that init gave, and what is made of it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_SOURCE_H
#define SERVERS_VMSPACE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "servers/vmspace/kernel.h"
#include "servers/vmspace/lock.h"

#define CHUNK_BITS     FRAME_2M_BITS
#define CHUNK_PAGES    512u
#define BLOCK_BITS     16u /* 64 KiB */
#define BLOCK_PAGES    16u
#define BLOCKS_A_CHUNK (1u << (CHUNK_BITS - BLOCK_BITS))

/* Guards the sources, the frames of the pool (frames.c) and the blocks (blocks.c). */
extern struct lock memory_lock;

/*
 * Adds an Untyped. E_TYPE, E_RIGHT: it is not one, or can't be retyped without clearing (UT_RAW).
 * E_LIMIT: too many. Start-up only.
 */
enum status source_add(uint32_t untyped);

/*
 * Makes `count` objects in the slots from `first` on, of the smallest source that has room, so that
 * the large ones stay whole. E_MEMORY: none has. Start-up only.
 */
enum status source_make(enum object_type type, unsigned bits, uint32_t first, unsigned count);

/* An upper bound of the chunks of 2 MiB that can be made. Start-up only. */
uint32_t source_chunks(void);

/* Ends the start-up: from now on the sources give chunks and blocks. Value: all pages that they
 * have for those. */
uint64_t source_seal(void);

/*
 * Makes a chunk in a slot, as a Frame that is not cleared or as an Untyped. False: used up. Lock:
 * memory_lock is held.
 */
bool source_take_chunk(uint32_t slot, enum object_type type);

/*
 * Makes up to `room` blocks in the slots from `first` on and returns how many; 0: used up. What is
 * left of the small sources goes first, then a whole chunk. Lock: memory_lock is held.
 */
unsigned source_take_blocks(uint32_t first, unsigned room);

/* Pages of the chunks and of the small sources' blocks that are not made yet. Any time; may be old.
 */
uint64_t source_frames_left(void);
uint64_t source_blocks_left(void);

#endif
