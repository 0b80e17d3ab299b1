/* heap.h: memory in pieces of any size from one fixed range, for a process of one thread. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_LIB_HEAP_H
#define SERVERS_LIB_HEAP_H

#include <stddef.h>

/*
 * A list of blocks in address order: first fit, a freed block joins free neighbours at once. It
 * never grows. No lock: a process with several threads gives each its own heap or guards it.
 */
struct heap_block;

struct heap {
    struct heap_block *first;
    size_t size;
};

#define HEAP_ALIGN 16u

/*
 * Makes `memory` (aligned to HEAP_ALIGN) of `size` bytes the heap's range. Too small a range is an
 * empty heap.
 */
void heap_init(struct heap *heap, void *memory, size_t size);

/*
 * `size` bytes, aligned to HEAP_ALIGN, not cleared; NULL if no free block is large enough or `size`
 * is 0.
 */
void *heap_take(struct heap *heap, size_t size);

/*
 * Gives back what heap_take gave; NULL is allowed. Anything else that is not such a piece stops the
 * process (ud2).
 */
void heap_give(struct heap *heap, void *piece);

/* Bytes in free blocks, their headers not counted. */
size_t heap_free(const struct heap *heap);

#endif
