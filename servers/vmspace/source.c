/* source.c: the untyped memory that init gave, and what is made of it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vmspace/source.h"

#include "kernel/abi/syscall.h"

#define SOURCE_MAX 64u

struct source {
    uint32_t untyped;
    unsigned bits;
    uint32_t chunks; /* whole chunks that are left, after source_seal() */
    uint32_t blocks; /* blocks that are left, if it has no whole chunk, after source_seal() */
};

struct lock memory_lock;

/* By size, the smallest first. Guarded by memory_lock; at start-up there is one thread. */
static struct source sources[SOURCE_MAX];
static unsigned source_count;

/* Written under memory_lock. */
static _Atomic uint32_t chunks_left, blocks_left;

enum status source_add(uint32_t untyped)
{
    struct cap_identity id;
    enum status status = kernel_identify(untyped, &id);
    if (status != OK) {
        return status;
    }
    if (id.type != OBJ_UNTYPED) {
        return E_TYPE;
    }
    if ((id.rights & (UT_RETYPE | UT_RAW)) != (UT_RETYPE | UT_RAW)) {
        return E_RIGHT;
    }
    if (source_count == SOURCE_MAX) {
        return E_LIMIT;
    }
    unsigned at = source_count++;
    for (; at > 0 && sources[at - 1].bits > id.bits; at--) {
        sources[at] = sources[at - 1];
    }
    sources[at] = (struct source){ .untyped = untyped, .bits = id.bits };
    return OK;
}

enum status source_make(enum object_type type, unsigned bits, uint32_t first, unsigned count)
{
    for (unsigned i = 0; i < source_count; i++) {
        enum status status = kernel_retype(sources[i].untyped, first, type, bits, 0, count);
        if (status != E_MEMORY) {
            return status;
        }
    }
    return E_MEMORY;
}

static uint64_t free_bytes(const struct source *source)
{
    struct cap_identity id;
    return kernel_identify(source->untyped, &id) == OK ? id.free : 0;
}

uint32_t source_chunks(void)
{
    uint32_t chunks = 0;
    for (unsigned i = 0; i < source_count; i++) {
        chunks += (uint32_t)(free_bytes(&sources[i]) >> CHUNK_BITS);
    }
    return chunks;
}

uint64_t source_seal(void)
{
    for (unsigned i = 0; i < source_count; i++) {
        /* Sizes are powers of two and used from the front: what is free ends at a boundary of any
         * size. */
        uint64_t free = free_bytes(&sources[i]);
        sources[i].chunks = (uint32_t)(free >> CHUNK_BITS);
        sources[i].blocks = sources[i].chunks == 0 ? (uint32_t)(free >> BLOCK_BITS) : 0;
        atomic_fetch_add(&chunks_left, sources[i].chunks);
        atomic_fetch_add(&blocks_left, sources[i].blocks);
    }
    return source_frames_left() + source_blocks_left();
}

bool source_take_chunk(uint32_t slot, enum object_type type)
{
    unsigned flags = type == OBJ_FRAME ? RETYPE_RAW : 0;
    for (unsigned i = 0; i < source_count; i++) {
        struct source *source = &sources[i];
        if (source->chunks > 0 &&
            kernel_retype(source->untyped, slot, type, CHUNK_BITS, flags, 1) == OK) {
            source->chunks--;
            atomic_fetch_sub(&chunks_left, 1);
            return true;
        }
    }
    return false;
}

static bool take_blocks_of(const struct source *source, uint32_t first, unsigned count)
{
    return count > 0 &&
           kernel_retype(source->untyped, first, OBJ_UNTYPED, BLOCK_BITS, 0, count) == OK;
}

unsigned source_take_blocks(uint32_t first, unsigned room)
{
    for (unsigned i = 0; i < source_count; i++) {
        struct source *source = &sources[i];
        unsigned count = source->blocks < room ? source->blocks : room;
        if (take_blocks_of(source, first, count)) {
            source->blocks -= count;
            atomic_fetch_sub(&blocks_left, count);
            return count;
        }
    }
    for (unsigned i = 0; i < source_count && room >= BLOCKS_A_CHUNK; i++) {
        struct source *source = &sources[i];
        if (source->chunks > 0 && take_blocks_of(source, first, BLOCKS_A_CHUNK)) {
            source->chunks--;
            atomic_fetch_sub(&chunks_left, 1);
            return BLOCKS_A_CHUNK;
        }
    }
    return 0;
}

uint64_t source_frames_left(void)
{
    return (uint64_t)atomic_load(&chunks_left) * CHUNK_PAGES;
}

uint64_t source_blocks_left(void)
{
    return (uint64_t)atomic_load(&blocks_left) * BLOCK_PAGES;
}
