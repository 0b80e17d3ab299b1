/* memory.c: the root task's memory: Untypeds by size, slots of its CNode, its own objects. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/init/memory.h"

#include "kernel/abi/object.h"
#include "servers/lib/buddy.h"
#include "servers/lib/layout.h"
#include "servers/lib/slot_map.h"
#include "servers/lib/syscall.h"

#define OWN_OBJECT_BITS 16u /* memory for init's own small objects */
#define OWN_FUND_BITS   17u /* and for its own page tables */
#define REST_MIN_BITS   16u
#define SHOW_ADDRESS    LAYOUT_PRIVATE

static struct buddy pool;
static struct slot_map slots;
static struct block own_objects;

/* RETYPE_RAW keeps UT_RAW in the halves, so that init can pass it on where the manifest says so. */
static uint32_t cut(void *context, uint32_t slot, unsigned bits)
{
    (void)context;
    uint32_t first = slot_take(&slots, 2);
    if (first != 0 && sys_retype(slot, first, OBJ_UNTYPED, bits, RETYPE_RAW, 2) != OK) {
        slot_give(&slots, first, 2);
        first = 0;
    }
    return first;
}

static void join(void *context, uint32_t first)
{
    (void)context;
    sys_cap_delete(first);
    sys_cap_delete(first + 1);
    slot_give(&slots, first, 2);
}

enum status memory_init(const struct boot_info *boot)
{
    slot_map_init(&slots, BOOT_FREE + boot->untyped_count, 1u << BOOT_CNODE_BITS);
    buddy_init(&pool, (struct buddy_operations){ .cut = cut, .join = join });
    for (uint32_t i = 0; i < boot->untyped_count && i < BOOT_UNTYPED_MAX; i++) {
        if (boot->untyped[i].device == 0) {
            buddy_add(&pool, BOOT_FREE + i, boot->untyped[i].bits);
        }
    }
    struct block fund;
    if (!memory_take(OWN_OBJECT_BITS, &own_objects) || !memory_take(OWN_FUND_BITS, &fund)) {
        return E_MEMORY;
    }
    return sys_space_fund(BOOT_SPACE, fund.slot, NULL);
}

static bool to_block(uint32_t node, struct block *block)
{
    if (node == BUDDY_NONE) {
        *block = (struct block){ 0 };
        return false;
    }
    *block = (struct block){ node, pool.node[node].slot, pool.node[node].bits };
    return true;
}

bool memory_take(unsigned bits, struct block *block)
{
    return to_block(buddy_take(&pool, bits), block);
}

bool memory_take_largest(struct block *block)
{
    if (!to_block(buddy_take_largest(&pool), block)) {
        return false;
    }
    if (block->bits < REST_MIN_BITS) {
        buddy_give(&pool, block->node);
        return false;
    }
    return true;
}

void memory_revoke(const struct block *block)
{
    if (block->slot != 0) {
        sys_cap_revoke(block->slot);
    }
}

uint32_t memory_slots(uint32_t count)
{
    return slot_take(&slots, count);
}

enum status memory_frames(const struct block *block, uint32_t first, uint32_t count)
{
    enum status status = OK;
    for (uint32_t i = 0; i < count && status == OK; i++) {
        status = sys_retype(block->slot, first + i, OBJ_FRAME, FRAME_2M_BITS, 0, 1);
    }
    return status;
}

uint32_t memory_object(uint32_t type)
{
    uint32_t slot = slot_take(&slots, 1);
    if (slot != 0 && sys_retype(own_objects.slot, slot, type, 0, 0, 1) != OK) {
        slot_give(&slots, slot, 1);
        slot = 0;
    }
    return slot;
}

uint64_t memory_free(void)
{
    return buddy_free(&pool);
}

void memory_hide(uint32_t count)
{
    sys_unmap(BOOT_SPACE, SHOW_ADDRESS, count * (LARGE_PAGE_SIZE / PAGE_SIZE), NULL);
}

void *memory_show(uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t address = SHOW_ADDRESS + i * LARGE_PAGE_SIZE;
        if (sys_map(BOOT_SPACE, first + i, 0, address | MAP_READ | MAP_WRITE | MAP_2M, 1, NULL) !=
            OK) {
            memory_hide(count);
            return NULL;
        }
    }
    return (void *)SHOW_ADDRESS;
}
