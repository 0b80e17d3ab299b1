/* blocks.c: Untypeds of 64 KiB, with which Spaces are funded, and which come back when the Space is gone. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vmspace/blocks.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "servers/vmspace/kernel.h"

static struct {
    uint32_t *next;               /* memory_lock: each block is in one list */
    uint32_t limit;               /* fixed */
    uint32_t made;                /* memory_lock: blocks 1 to made exist */
    struct block_list free;
    struct block_list abandoned;
    _Atomic uint32_t free_count;  /* written under memory_lock */
} pool;

static void push(struct block_list *list, uint32_t block)
{
    pool.next[block] = list->first;
    list->first = block;
}

static uint32_t pop(struct block_list *list)
{
    uint32_t block = list->first;
    if (block != 0) {
        list->first = pool.next[block];
    }
    return block;
}

void blocks_init(uint32_t *next, uint32_t limit)
{
    pool.next = next;
    pool.limit = limit;
    pool.made = 0;
    pool.free.first = pool.abandoned.first = 0;
    atomic_store(&pool.free_count, 0);
}

static void make_more(void)
{
    uint32_t room = pool.limit - pool.made;
    unsigned count = source_take_blocks(block_cap(pool.made + 1), room);
    for (unsigned i = 0; i < count; i++) {
        push(&pool.free, ++pool.made);
    }
    atomic_fetch_add(&pool.free_count, count);
}

uint32_t blocks_take(struct block_list *list)
{
    lock_take(&memory_lock);
    if (pool.free.first == 0) {
        make_more();
    }
    uint32_t block = pop(&pool.free);
    if (block != 0) {
        push(list, block);
        atomic_fetch_sub(&pool.free_count, 1);
    }
    lock_release(&memory_lock);
    return block;
}

enum status blocks_fund(struct block_list *list, uint32_t space, uint64_t pages)
{
    for (uint64_t done = 0; done < pages; done += BLOCK_PAGES) {
        struct block_list one = { 0 };
        uint32_t block = blocks_take(&one);
        if (block == 0) {
            return E_MEMORY;
        }
        enum status status = kernel_fund(space, block_cap(block));
        if (status != OK) {
            blocks_give(&one);
            return status;
        }
        lock_take(&memory_lock);
        push(list, block);
        lock_release(&memory_lock);
    }
    return OK;
}

static void move_all(struct block_list *from, struct block_list *to)
{
    for (uint32_t block = pop(from); block != 0; block = pop(from)) {
        push(to, block);
        if (to == &pool.free) {
            atomic_fetch_add(&pool.free_count, 1);
        }
    }
}

void blocks_give(struct block_list *list)
{
    lock_take(&memory_lock);
    move_all(list, &pool.free);
    lock_release(&memory_lock);
}

void blocks_abandon(struct block_list *list)
{
    lock_take(&memory_lock);
    move_all(list, &pool.abandoned);
    lock_release(&memory_lock);
}

static bool is_unused(uint32_t block)
{
    struct cap_identity id;
    return kernel_identify(block_cap(block), &id) == OK && id.free == 1ull << BLOCK_BITS;
}

void blocks_reap(void)
{
    struct block_list busy = { 0 };
    lock_take(&memory_lock);
    for (uint32_t block = pop(&pool.abandoned); block != 0; block = pop(&pool.abandoned)) {
        if (is_unused(block)) {
            push(&pool.free, block);
            atomic_fetch_add(&pool.free_count, 1);
        } else {
            push(&busy, block);
        }
    }
    pool.abandoned = busy;
    lock_release(&memory_lock);
}

uint32_t blocks_free(void)
{
    return atomic_load(&pool.free_count);
}
