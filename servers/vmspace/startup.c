/* startup.c: from the memory that init gave to pools and tables. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vmspace/startup.h"

#include <stdbool.h>

#include "servers/lib/log.h"
#include "servers/lib/slots.h"
#include "servers/vmspace/blocks.h"
#include "servers/vmspace/frames.h"
#include "servers/vmspace/park.h"
#include "servers/vmspace/tables.h"
#include "servers/vmspace/threads.h"
#include "servers/vmspace/worker.h"

#define REPLY_NODE_BITS 9u

/*
 * The area holds what lasts: the tables of chunks and blocks, then the stacks. It begins with the
 * first frame of all.
 */
#define AREA_FIRST CHUNK_PAGES

_Static_assert(8 * BLOCKS_A_CHUNK + CHUNK_MAX / 2 + 1 <= BLOCK_MAX, "blocks have slots");

/* How large things are on this machine. */
struct plan {
    uint32_t chunks;      /* highest number of a chunk */
    uint32_t small;       /* highest number of a small block */
    uint32_t blocks;      /* highest number of any block */
    uint32_t block_table; /* bytes from the beginning of the area */
    uint32_t stacks;      /* pages from the beginning of the area */
    uint32_t pages;       /* of the whole area */
};

static enum status fail(enum status status, const char *what)
{
    if (status != OK) {
        log_line("can't start: %s: %s", what, status_words(status));
    }
    return status;
}

/* log2 of the slots of a CNode that has numbers up to `highest`. */
static unsigned node_bits(uint32_t highest)
{
    unsigned bits = 1;
    while ((1u << bits) <= highest) {
        bits++;
    }
    return bits;
}

static enum status add_sources(const struct start_info *info)
{
    const struct start_entry *e;
    for (unsigned i = 0; (e = start_find(info, START_UNTYPED, NULL, i)) != NULL; i++) {
        enum status status = source_add(e->cap);
        if (status != OK) {
            return fail(status, "an untyped of the start page");
        }
    }
    return OK;
}

static struct plan plan_memory(void)
{
    struct plan plan = { 0 };
    uint32_t chunks = source_chunks();
    plan.chunks = chunks < CHUNK_MAX ? chunks : CHUNK_MAX;
    /*
     * A guest page in use takes 12 bytes of tables in each of two Spaces if they are dense, and up
     * to two pages if not: up to a quarter of all chunks can become large blocks.
     */
    plan.small = 8 * BLOCKS_A_CHUNK + plan.chunks / 4;
    plan.blocks = plan.small + 1 + plan.chunks / 4;
    plan.block_table = (plan.chunks + 1) * (uint32_t)sizeof(struct chunk);
    uint32_t bytes = plan.block_table + (plan.blocks + 1) * (uint32_t)sizeof(uint32_t);
    plan.stacks = (uint32_t)((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
    plan.pages = plan.stacks + (worker_count - 1) * THREAD_PAGES;
    return plan;
}

static enum status make_nodes(const struct plan *plan)
{
    const struct {
        enum cap_slot slot;
        unsigned bits;
    } nodes[] = {
        { CAPS_CHUNKS, node_bits(plan->chunks) },
        { CAPS_BLOCKS, node_bits(plan->blocks) },
        { CAPS_GUESTS, node_bits(GUEST_MAX * caps_per_guest) },
        { CAPS_REPLIES, REPLY_NODE_BITS },
    };
    enum status status = OK;
    for (unsigned i = 0; i < sizeof nodes / sizeof nodes[0] && status == OK; i++) {
        status = source_make(OBJ_CNODE, nodes[i].bits, cap_root(nodes[i].slot), 1);
    }
    if (status == OK) {
        status = source_make(OBJ_REPLY, 0, reply_cap(0), REPLY_MAX);
    }
    return fail(status, "memory for CNodes and Replies");
}
_Static_assert(REPLY_MAX < 1u << REPLY_NODE_BITS, "slot 0 of a CNode has no address");

/* Pages for the tables of vmspace's own Space: for the area, and for a table a chunk, with three
 * pages for 512 of them. */
static enum status fund_self(const struct plan *plan)
{
    unsigned bits = FRAME_4K_BITS + node_bits(32 + plan->chunks / 128);
    enum status status = source_make(OBJ_UNTYPED, bits, cap_root(CAPS_OWN_FUND), 1);
    if (status == OK) {
        status = kernel_fund(SLOT_SPACE, cap_root(CAPS_OWN_FUND));
    }
    return fail(status, "memory for page tables");
}

/* Makes the chunks of the area, maps its tables and stacks, and puts all other frames of them into
 * the pool. */
static enum status make_area(const struct plan *plan)
{
    uint32_t made = (plan->pages + CHUNK_PAGES - 1) / CHUNK_PAGES;
    enum status status = OK;
    for (uint32_t i = 1; i <= made; i++) {
        if (!source_take_chunk(cap_in(CAPS_CHUNKS, i), OBJ_FRAME)) {
            return fail(E_MEMORY, "2 MiB for its own tables");
        }
    }
    for (uint32_t page = 0; page < plan->stacks && status == OK; page += CHUNK_PAGES) {
        uint32_t left = plan->stacks - page;
        status = table_map(AREA_FIRST + page, left < CHUNK_PAGES ? left : CHUNK_PAGES);
    }
    if (status == OK) {
        status = threads_map_stacks(AREA_FIRST + plan->stacks);
    }
    char *area = table_at(AREA_FIRST);
    if (status == OK) {
        frames_init((struct chunk *)area, plan->chunks, made, plan->pages);
        blocks_init((uint32_t *)(area + plan->block_table), plan->small, plan->blocks);
        park_init();
    }
    return fail(status, "the mapping of its own tables");
}

/* The slots that the others need; they must be there. */
static enum status plan_slots(const struct start_info *info)
{
    threads_plan(info->cpus);
    caps_first = info->free_slot;
    caps_per_guest = GUEST_ENDPOINTS + 2 * worker_count;
    bool fits = worker_cap(worker_count, 0) <= 1u << info->cnode_bits;
    return fail(fits ? OK : E_SLOT, "its CNode is too small");
}

enum status startup(const struct start_info *info, uint64_t *total, uint32_t *stacks)
{
    uint32_t service = start_cap(info, START_SERVE, NULL);
    enum status status = fail(service != CPTR_NONE ? OK : E_CAP, "the service that it provides");
    if (status == OK) {
        status = plan_slots(info);
    }
    if (status == OK) {
        status = add_sources(info);
    }
    struct plan plan = plan_memory();
    if (status == OK) {
        status = make_nodes(&plan);
    }
    if (status == OK) {
        status = fail(threads_make(service), "memory for threads");
    }
    if (status == OK) {
        status = fund_self(&plan);
    }
    *total = source_seal();
    if (status == OK) {
        status = make_area(&plan);
    }
    *total -= plan.pages;
    *stacks = AREA_FIRST + plan.stacks;
    return status;
}
