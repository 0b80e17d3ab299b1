/* frames.c: the pool of 4 KiB frames that back guests, in chunks of 2 MiB. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vmspace/frames.h"

#include <string.h>

#include "servers/vmspace/check.h"

/* Lists of chunks: for each use those in part free, and those all free, which are for any use. Full
 * ones are in none. */
#define LIST_EMPTY FRAME_USES

static struct {
    struct chunk *chunk;           /* fixed */
    uint32_t limit;                /* fixed */
    uint32_t made;                 /* memory_lock: chunks 1 to made exist */
    uint32_t head[FRAME_USES + 1]; /* memory_lock */
    _Atomic uint64_t free;         /* written under memory_lock */
} pool;

static unsigned list_of(const struct chunk *chunk)
{
    return chunk->free_count == CHUNK_PAGES ? LIST_EMPTY : chunk->use;
}

static void link_chunk(uint32_t number)
{
    struct chunk *chunk = &pool.chunk[number];
    if (chunk->free_count == 0) {
        return;
    }
    uint32_t *head = &pool.head[list_of(chunk)];
    chunk->previous = 0;
    chunk->next = *head;
    if (*head != 0) {
        pool.chunk[*head].previous = number;
    }
    *head = number;
}

static void unlink_chunk(uint32_t number)
{
    struct chunk *chunk = &pool.chunk[number];
    if (chunk->free_count == 0) {
        return;
    }
    if (chunk->previous != 0) {
        pool.chunk[chunk->previous].next = chunk->next;
    } else {
        pool.head[list_of(chunk)] = chunk->next;
    }
    if (chunk->next != 0) {
        pool.chunk[chunk->next].previous = chunk->previous;
    }
}

/* A chunk whose first `used` frames are taken for good. */
static void add_chunk(uint32_t number, uint32_t used)
{
    struct chunk *chunk = &pool.chunk[number];
    *chunk = (struct chunk){ .use = FRAMES_TABLE, .free_count = (uint16_t)(CHUNK_PAGES - used) };
    for (uint32_t i = used; i < CHUNK_PAGES; i++) {
        chunk->free[i / 64] |= 1ull << (i % 64);
    }
    atomic_fetch_add(&pool.free, chunk->free_count);
    link_chunk(number);
}

void frames_init(struct chunk *table, uint32_t limit, uint32_t made, uint32_t used)
{
    pool.chunk = table;
    pool.limit = limit;
    pool.made = made;
    atomic_store(&pool.free, 0);
    memset(pool.head, 0, sizeof pool.head);
    for (uint32_t number = 1; number <= made; number++) {
        uint32_t here = used < CHUNK_PAGES ? used : CHUNK_PAGES;
        add_chunk(number, here);
        used -= here;
    }
}

/* The chunk to take from next: one in part used, an empty one, a new one, or at last one of another
 * use. 0: none. */
static uint32_t choose(enum frame_use use)
{
    if (pool.head[use] != 0) {
        return pool.head[use];
    }
    if (pool.head[LIST_EMPTY] == 0 && pool.made < pool.limit &&
        source_take_chunk(cap_in(CAPS_CHUNKS, pool.made + 1), OBJ_FRAME)) {
        add_chunk(++pool.made, 0);
    }
    if (pool.head[LIST_EMPTY] != 0) {
        return pool.head[LIST_EMPTY];
    }
    return pool.head[use == FRAMES_GUEST ? FRAMES_TABLE : FRAMES_GUEST];
}

static unsigned take_from(uint32_t number, uint32_t *frames, unsigned want)
{
    struct chunk *chunk = &pool.chunk[number];
    unsigned taken = 0;
    for (unsigned word = 0; word < CHUNK_PAGES / 64; word++) {
        while (chunk->free[word] != 0 && taken < want) {
            unsigned bit = (unsigned)__builtin_ctzll(chunk->free[word]);
            chunk->free[word] &= chunk->free[word] - 1;
            frames[taken++] = number * CHUNK_PAGES + word * 64 + bit;
        }
    }
    return taken;
}

unsigned frames_take(enum frame_use use, uint32_t *frames, unsigned want)
{
    unsigned taken = 0;
    lock_take(&memory_lock);
    while (taken < want) {
        uint32_t number = choose(use);
        if (number == 0) {
            break;
        }
        struct chunk *chunk = &pool.chunk[number];
        unlink_chunk(number);
        if (chunk->free_count == CHUNK_PAGES) {
            chunk->use = (uint8_t)use;
        }
        unsigned here = take_from(number, frames + taken, want - taken);
        chunk->free_count = (uint16_t)(chunk->free_count - here);
        link_chunk(number);
        taken += here;
    }
    atomic_fetch_sub(&pool.free, taken);
    lock_release(&memory_lock);
    return taken;
}

void frames_give(const uint32_t *frames, unsigned count)
{
    lock_take(&memory_lock);
    for (unsigned i = 0; i < count; i++) {
        uint32_t number = frames[i] / CHUNK_PAGES, index = frames[i] % CHUNK_PAGES;
        check(number != 0 && number <= pool.made, "a frame that does not exist was given back");
        struct chunk *chunk = &pool.chunk[number];
        check((chunk->free[index / 64] >> (index % 64) & 1) == 0, "a frame was given back twice");
        unlink_chunk(number);
        chunk->free[index / 64] |= 1ull << (index % 64);
        chunk->free_count++;
        link_chunk(number);
    }
    atomic_fetch_add(&pool.free, count);
    lock_release(&memory_lock);
}

uint64_t frames_free(void)
{
    return atomic_load(&pool.free);
}

uint32_t frame_cache_refill(struct frame_cache *cache)
{
    uint64_t share = (frames_free() + source_frames_left()) / (4 * FRAME_CACHE_SIZE) + 1;
    uint32_t frames[FRAME_CACHE_SIZE];
    unsigned want = share < FRAME_CACHE_SIZE ? (unsigned)share : FRAME_CACHE_SIZE;
    unsigned count = frames_take(FRAMES_GUEST, frames, want);
    if (count == 0) {
        return FRAME_NONE;
    }
    /* The lowest is used first: a guest that touches its memory in order gets it in order. */
    for (unsigned i = 1; i < count; i++) {
        cache->frame[count - 1 - i] = frames[i];
    }
    atomic_store_explicit(&cache->count, count - 1, memory_order_relaxed);
    return frames[0];
}

void frame_cache_put(struct frame_cache *cache, uint32_t frame)
{
    uint32_t count = frame_cache_count(cache);
    if (count < FRAME_CACHE_SIZE) {
        cache->frame[count] = frame;
        atomic_store_explicit(&cache->count, count + 1, memory_order_relaxed);
    } else {
        frames_give(&frame, 1);
    }
}
