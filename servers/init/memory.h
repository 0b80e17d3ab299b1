/* memory.h: the root task's memory: Untypeds by size, slots of its CNode, its own objects. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_INIT_MEMORY_H
#define SERVERS_INIT_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include "kernel/abi/boot.h"
#include "kernel/abi/error.h"

/* A piece of memory: an Untyped of 2^bits bytes. */
struct block {
    uint32_t node; /* for the allocator */
    uint32_t slot; /* 0: no block */
    uint32_t bits;
};

/* Takes over the Untypeds of RAM that the kernel gave. A status other than OK: init can't go on. */
enum status memory_init(const struct boot_info *boot);

/* Takes a block of 2^bits bytes. False: there is none. */
bool memory_take(unsigned bits, struct block *block);

/* Takes the largest block there is. False: there is none of 64 KiB or more. */
bool memory_take_largest(struct block *block);

/* Destroys all that was made from a block; it stays taken. */
void memory_revoke(const struct block *block);

/* Takes `count` consecutive slots. 0: there are none. */
uint32_t memory_slots(uint32_t count);

/*
 * Makes `count` Frames of 2 MiB from a block, in the slots from `first` on. One call each: a call
 * that clears more than 2 MiB would keep the CPU too long, and the kernel refuses it.
 */
enum status memory_frames(const struct block *block, uint32_t first, uint32_t count);

/*
 * Makes an object of init's own, for ever: Endpoint, Reply, Notification. The value is its slot, 0:
 * not possible.
 */
uint32_t memory_object(uint32_t type);

/* Bytes of RAM that nobody has. */
uint64_t memory_free(void);

/*
 * Shows `count` Frames of 2 MiB, in the slots from `first` on, to init one after the other, to be
 * written; the value is their address, NULL: not possible. Only one such window at a time.
 */
void *memory_show(uint32_t first, uint32_t count);
void memory_hide(uint32_t count);

#endif
