/* buddy.c: gives out Untypeds of any power of two, cut from larger ones, and joins them again. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/lib/buddy.h"

enum buddy_state { NODE_UNUSED, NODE_FREE, NODE_TAKEN, NODE_CUT };

void buddy_init(struct buddy *buddy, struct buddy_operations operations)
{
    buddy->operations = operations;
    buddy->unused = BUDDY_NONE;
    buddy->used_up = 0;
    for (unsigned bits = 0; bits <= BUDDY_MAX_BITS; bits++) {
        buddy->free[bits] = BUDDY_NONE;
    }
}

static uint32_t new_pair(struct buddy *buddy)
{
    uint32_t first = buddy->unused;
    if (first != BUDDY_NONE) {
        buddy->unused = buddy->node[first].next;
        return first;
    }
    if (buddy->used_up + 2 > BUDDY_NODE_MAX) {
        return BUDDY_NONE;
    }
    first = buddy->used_up;
    buddy->used_up += 2;
    return first;
}

static void push(struct buddy *buddy, uint32_t node)
{
    struct buddy_node *n = &buddy->node[node];
    n->state = NODE_FREE;
    n->next = buddy->free[n->bits];
    buddy->free[n->bits] = node;
}

static uint32_t pop(struct buddy *buddy, unsigned bits)
{
    uint32_t node = buddy->free[bits];
    if (node != BUDDY_NONE) {
        buddy->free[bits] = buddy->node[node].next;
        buddy->node[node].state = NODE_TAKEN;
    }
    return node;
}

static void unlink_free(struct buddy *buddy, uint32_t node)
{
    uint32_t *link = &buddy->free[buddy->node[node].bits];
    while (*link != node) {
        link = &buddy->node[*link].next;
    }
    *link = buddy->node[node].next;
}

bool buddy_add(struct buddy *buddy, uint32_t slot, unsigned bits)
{
    uint32_t node = bits >= BUDDY_MIN_BITS && bits <= BUDDY_MAX_BITS ? new_pair(buddy) : BUDDY_NONE;
    if (node == BUDDY_NONE) {
        return false;
    }
    buddy->node[node] = (struct buddy_node){
        .slot = slot, .parent = BUDDY_NONE, .bits = (uint8_t)bits
    };
    buddy->node[node + 1] = (struct buddy_node){ .parent = BUDDY_NONE, .state = NODE_UNUSED };
    push(buddy, node);
    return true;
}

/*
 * Cuts a piece; its first half is the value, its second half is free. BUDDY_NONE: not possible,
 * nothing changed.
 */
static uint32_t cut(struct buddy *buddy, uint32_t whole)
{
    uint32_t first = new_pair(buddy);
    if (first == BUDDY_NONE) {
        return BUDDY_NONE;
    }
    unsigned bits = buddy->node[whole].bits - 1u;
    uint32_t slot = buddy->operations.cut(buddy->operations.context, buddy->node[whole].slot, bits);
    if (slot == 0) {
        buddy->node[first].next = buddy->unused;
        buddy->unused = first;
        return BUDDY_NONE;
    }
    buddy->node[whole].state = NODE_CUT;
    for (uint32_t half = 0; half < 2; half++) {
        buddy->node[first + half] = (struct buddy_node){
            .slot = slot + half, .parent = whole, .bits = (uint8_t)bits, .second = (uint16_t)half
        };
    }
    buddy->node[first].state = NODE_TAKEN;
    push(buddy, first + 1);
    return first;
}

uint32_t buddy_take(struct buddy *buddy, unsigned bits)
{
    unsigned found = bits < BUDDY_MIN_BITS ? BUDDY_MIN_BITS : bits;
    while (found <= BUDDY_MAX_BITS && buddy->free[found] == BUDDY_NONE) {
        found++;
    }
    if (found > BUDDY_MAX_BITS) {
        return BUDDY_NONE;
    }
    uint32_t node = pop(buddy, found);
    while (buddy->node[node].bits > bits && buddy->node[node].bits > BUDDY_MIN_BITS) {
        uint32_t half = cut(buddy, node);
        if (half == BUDDY_NONE) {
            buddy_give(buddy, node);
            return BUDDY_NONE;
        }
        node = half;
    }
    return node;
}

uint32_t buddy_take_largest(struct buddy *buddy)
{
    for (unsigned bits = BUDDY_MAX_BITS; bits >= BUDDY_MIN_BITS; bits--) {
        if (buddy->free[bits] != BUDDY_NONE) {
            return pop(buddy, bits);
        }
    }
    return BUDDY_NONE;
}

void buddy_give(struct buddy *buddy, uint32_t node)
{
    while (buddy->node[node].parent != BUDDY_NONE) {
        uint32_t first = node - buddy->node[node].second;
        uint32_t other = first + 1u - buddy->node[node].second;
        if (buddy->node[other].state != NODE_FREE) {
            break;
        }
        unlink_free(buddy, other);
        buddy->operations.join(buddy->operations.context, buddy->node[first].slot);
        node = buddy->node[first].parent;
        buddy->node[first].state = NODE_UNUSED;
        buddy->node[first + 1].state = NODE_UNUSED;
        buddy->node[first].next = buddy->unused;
        buddy->unused = first;
    }
    push(buddy, node);
}

uint64_t buddy_free(const struct buddy *buddy)
{
    uint64_t bytes = 0;
    for (uint32_t node = 0; node < buddy->used_up; node++) {
        bytes += buddy->node[node].state == NODE_FREE ? 1ull << buddy->node[node].bits : 0;
    }
    return bytes;
}
