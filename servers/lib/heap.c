/* heap.c: memory in pieces of any size from one fixed range: first fit, in address order. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/lib/heap.h"

#include <stdbool.h>
#include <stdint.h>

#define BLOCK_TAKEN \
    0x54414b454e5f5f5full /* a pattern, so that a wild pointer is not taken for a block */
#define BLOCK_FREE 0x465245455f5f5f5full

/*
 * Stands before each piece. The blocks cover the range without a gap; the last one's `next` is
 * NULL.
 */
struct heap_block {
    uint64_t state;
    size_t size; /* of the piece, without this header; a multiple of HEAP_ALIGN */
    struct heap_block *next;
    uint64_t reserved;
};
_Static_assert(sizeof(struct heap_block) % HEAP_ALIGN == 0, "pieces stay aligned");

void heap_init(struct heap *heap, void *memory, size_t size)
{
    size -= size % HEAP_ALIGN;
    *heap = (struct heap){ 0 };
    if (size < sizeof(struct heap_block) + HEAP_ALIGN) {
        return;
    }
    heap->size = size;
    heap->first = memory;
    *heap->first = (struct heap_block){ .state = BLOCK_FREE,
        .size = size - sizeof(struct heap_block) };
}

/* Cuts what is more than `size` off into a free block of its own, if a piece fits there. */
static void split(struct heap_block *block, size_t size)
{
    if (block->size < size + sizeof(struct heap_block) + HEAP_ALIGN) {
        return;
    }
    struct heap_block *rest = (struct heap_block *)((char *)(block + 1) + size);
    *rest = (struct heap_block){ .state = BLOCK_FREE,
        .size = block->size - size - sizeof(struct heap_block),
        .next = block->next };
    block->size = size;
    block->next = rest;
}

void *heap_take(struct heap *heap, size_t size)
{
    if (size == 0 || size > heap->size) {
        return NULL;
    }
    size = (size + HEAP_ALIGN - 1) / HEAP_ALIGN * HEAP_ALIGN;
    for (struct heap_block *block = heap->first; block != NULL; block = block->next) {
        if (block->state == BLOCK_FREE && block->size >= size) {
            split(block, size);
            block->state = BLOCK_TAKEN;
            return block + 1;
        }
    }
    return NULL;
}

static void join_next(struct heap_block *block)
{
    struct heap_block *next = block->next;
    if (next != NULL && next->state == BLOCK_FREE) {
        block->size += sizeof(struct heap_block) + next->size;
        block->next = next->next;
        next->state = 0;
    }
}

void heap_give(struct heap *heap, void *piece)
{
    if (piece == NULL) {
        return;
    }
    struct heap_block *before = NULL;
    struct heap_block *block = heap->first;
    while (block != NULL && (void *)(block + 1) != piece) {
        before = block;
        block = block->next;
    }
    if (block == NULL || block->state != BLOCK_TAKEN) {
        __builtin_trap();
    }
    block->state = BLOCK_FREE;
    join_next(block);
    if (before != NULL && before->state == BLOCK_FREE) {
        join_next(before);
    }
}

size_t heap_free(const struct heap *heap)
{
    size_t bytes = 0;
    for (const struct heap_block *block = heap->first; block != NULL; block = block->next) {
        bytes += block->state == BLOCK_FREE ? block->size : 0;
    }
    return bytes;
}
