/* blocks.c: Untypeds with which Spaces are funded, and which come back when the Space is gone. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vmspace/blocks.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "servers/vmspace/kernel.h"

static struct {
    uint32_t *next;              /* memory_lock: each block is in one list */
    uint32_t limit[BLOCK_SIZES]; /* fixed: highest numbers */
    uint32_t made[BLOCK_SIZES];  /* memory_lock: numbers so far */
    struct block_list free[BLOCK_SIZES];
    struct block_list abandoned;
    _Atomic uint64_t free_pages; /* written under memory_lock */
} pool;

static const uint32_t block_pages[BLOCK_SIZES] = { BLOCK_PAGES, CHUNK_PAGES };

static enum block_size size_of(uint32_t block)
{
    return block <= pool.limit[BLOCK_SMALL] ? BLOCK_SMALL : BLOCK_LARGE;
}

static void push(struct block_list *list, uint32_t block)
{
    pool.next[block] = list->first;
    list->first = block;
    list->count++;
}

static uint32_t pop(struct block_list *list)
{
    uint32_t block = list->first;
    if (block != 0) {
        list->first = pool.next[block];
        list->count--;
    }
    return block;
}

static void push_free(uint32_t block)
{
    push(&pool.free[size_of(block)], block);
    atomic_fetch_add(&pool.free_pages, block_pages[size_of(block)]);
}

static uint32_t pop_free(enum block_size size)
{
    uint32_t block = pop(&pool.free[size]);
    if (block != 0) {
        atomic_fetch_sub(&pool.free_pages, block_pages[size]);
    }
    return block;
}

void blocks_init(uint32_t *next, uint32_t small, uint32_t all)
{
    pool.next = next;
    pool.limit[BLOCK_SMALL] = pool.made[BLOCK_LARGE] = small;
    pool.limit[BLOCK_LARGE] = all;
}

static void make_more(enum block_size size)
{
    uint32_t first = pool.made[size] + 1;
    uint32_t room = pool.limit[size] - pool.made[size];
    unsigned count = 0;
    if (size == BLOCK_SMALL) {
        count = source_take_blocks(block_cap(first), room);
    } else if (room > 0 && source_take_chunk(block_cap(first), OBJ_UNTYPED)) {
        count = 1;
    }
    for (unsigned i = 0; i < count; i++) {
        push_free(++pool.made[size]);
    }
}

static uint32_t take(enum block_size size)
{
    enum block_size other = size == BLOCK_SMALL ? BLOCK_LARGE : BLOCK_SMALL;
    if (pool.free[size].first == 0) {
        make_more(size);
    }
    if (pool.free[size].first == 0 && pool.free[other].first == 0) {
        make_more(other);
    }
    uint32_t block = pop_free(size);
    return block != 0 ? block : pop_free(other);
}

uint32_t blocks_take(struct block_list *list, enum block_size size)
{
    lock_take(&memory_lock);
    uint32_t block = take(size);
    if (block != 0) {
        push(list, block);
    }
    lock_release(&memory_lock);
    return block;
}

/* Funds the Space with one block; `*pages` is its size. */
static enum status fund_one(struct block_list *list, uint32_t space, uint32_t *pages)
{
    struct block_list one = { 0 };
    uint32_t block =
        blocks_take(&one, list->count < SMALL_BLOCKS_FIRST ? BLOCK_SMALL : BLOCK_LARGE);
    if (block == 0) {
        return E_MEMORY;
    }
    enum status status = kernel_fund(space, block_cap(block));
    if (status != OK) {
        blocks_give(&one);
        return status;
    }
    *pages = block_pages[size_of(block)];
    lock_take(&memory_lock);
    push(list, block);
    lock_release(&memory_lock);
    return OK;
}

enum status blocks_fund(struct block_list *list, uint32_t space, uint64_t pages)
{
    uint64_t done = 0;
    while (done < pages) {
        uint32_t here = 0;
        enum status status = fund_one(list, space, &here);
        if (status != OK) {
            return status;
        }
        done += here;
    }
    return OK;
}

void blocks_give(struct block_list *list)
{
    lock_take(&memory_lock);
    for (uint32_t block = pop(list); block != 0; block = pop(list)) {
        push_free(block);
    }
    lock_release(&memory_lock);
}

void blocks_abandon(struct block_list *list)
{
    lock_take(&memory_lock);
    for (uint32_t block = pop(list); block != 0; block = pop(list)) {
        push(&pool.abandoned, block);
    }
    lock_release(&memory_lock);
}

static bool is_unused(uint32_t block)
{
    struct cap_identity id;
    return kernel_identify(block_cap(block), &id) == OK && id.free == 1ull << id.bits;
}

void blocks_reap(void)
{
    struct block_list busy = { 0 };
    lock_take(&memory_lock);
    for (uint32_t block = pop(&pool.abandoned); block != 0; block = pop(&pool.abandoned)) {
        if (is_unused(block)) {
            push_free(block);
        } else {
            push(&busy, block);
        }
    }
    pool.abandoned = busy;
    lock_release(&memory_lock);
}

uint64_t blocks_free(void)
{
    return atomic_load(&pool.free_pages);
}
