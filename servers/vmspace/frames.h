/* frames.h: the pool of 4 KiB frames that back guests, in chunks of 2 MiB. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_FRAMES_H
#define SERVERS_VMSPACE_FRAMES_H

#include <stdatomic.h>
#include <stdint.h>

#include "servers/vmspace/capmap.h"
#include "servers/vmspace/source.h"

/*
 * A frame's number: chunk * CHUNK_PAGES + index in the chunk. Chunks begin at 1, so that 0 means
 * "none". 31 bits.
 *
 * A reservation of 2 MiB, when there will be such, is a chunk taken out of the empty list as a
 * whole: its frames are in order and aligned, which is what promotion asks for.
 */
#define FRAME_NONE 0u
#define CHUNK_MAX  65535u /* slots of a CNode: 128 GiB */

static inline uint32_t frame_cap(uint32_t frame)
{
    return cap_in(CAPS_CHUNKS, frame / CHUNK_PAGES);
}

static inline uint64_t frame_offset(uint32_t frame)
{
    return (uint64_t)(frame % CHUNK_PAGES) << 12;
}

/* What a chunk's frames are for. Kept apart, so that vmspace's own tables lie close together. */
enum frame_use { FRAMES_GUEST = 0, FRAMES_TABLE, FRAME_USES };

/* Letter: all by memory_lock. */
struct chunk {
    uint64_t free[CHUNK_PAGES / 64]; /* bit set: free */
    uint32_t next, previous;         /* in its list; 0 ends */
    uint16_t free_count;
    uint8_t use; /* enum frame_use */
};

/*
 * Sets up the pool. `table` has room for chunks 0 (not used) to `limit`; the first `made` exist
 * already and of them the first `used` frames are in use for good. Start-up only.
 */
void frames_init(struct chunk *table, uint32_t limit, uint32_t made, uint32_t used);

/* Takes up to `want` frames and returns how many there were. Lock: takes memory_lock. */
unsigned frames_take(enum frame_use use, uint32_t *frames, unsigned want);

/*
 * Gives frames back: nothing maps them any more (I4). A frame that is free already stops vmspace.
 * Lock: takes memory_lock.
 */
void frames_give(const uint32_t *frames, unsigned count);

/* Frames that are free in the chunks made so far, without those in the workers' caches. Any time;
 * may be old. */
uint64_t frames_free(void);

/*
 * A worker's own stock, so that a fault in the common case takes no lock. Only its worker uses it;
 * others may read the count.
 */
#define FRAME_CACHE_SIZE 32u
struct frame_cache {
    _Atomic uint32_t count;
    uint32_t frame[FRAME_CACHE_SIZE];
};

static inline uint32_t frame_cache_count(const struct frame_cache *cache)
{
    return atomic_load_explicit(&cache->count, memory_order_relaxed);
}

/*
 * Fills an empty cache; with less the less there is, so that no cache hoards what another needs.
 * Value: one frame more, or FRAME_NONE.
 */
uint32_t frame_cache_refill(struct frame_cache *cache);

/* A frame from the cache, or FRAME_NONE: there is no free memory. */
static inline uint32_t frame_cache_take(struct frame_cache *cache)
{
    uint32_t count = frame_cache_count(cache);
    if (__builtin_expect(count == 0, 0)) {
        return frame_cache_refill(cache);
    }
    atomic_store_explicit(&cache->count, count - 1, memory_order_relaxed);
    return cache->frame[count - 1];
}

/* Puts back a frame that was taken and not used. */
void frame_cache_put(struct frame_cache *cache, uint32_t frame);

#endif
