/* buddy.h: gives out Untypeds of any power of two, cut from larger ones, and joins them again. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_LIB_BUDDY_H
#define SERVERS_LIB_BUDDY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Each piece is an Untyped in a slot of its own. Cutting one retypes it into two Untypeds of half
 * the size, in two consecutive slots; when both halves are free again they are deleted and the
 * whole is free. No lock.
 */
#define BUDDY_NODE_MAX 1024u
#define BUDDY_MIN_BITS 12u /* UNTYPED_MIN_BITS */
#define BUDDY_MAX_BITS 46u
#define BUDDY_NONE     UINT32_MAX

/* What the pieces need from the world: system calls in a server, a model in the host test. */
struct buddy_operations {
    /*
     * Cuts the Untyped in `slot` into two of 2^bits bytes, in the slot that is the value (0: no
     * slots are left) and the next.
     */
    uint32_t (*cut)(void *context, uint32_t slot, unsigned bits);
    /* Deletes the two halves in `first` and `first` + 1 and frees their slots. */
    void (*join)(void *context, uint32_t first);
    void *context;
};

/* A piece. Nodes are used in pairs, so that a half finds the other half by its number. */
struct buddy_node {
    uint32_t slot;
    uint32_t parent; /* node, or BUDDY_NONE */
    uint32_t next;   /* free list, or BUDDY_NONE */
    uint8_t bits;
    uint8_t state;   /* enum buddy_state */
    uint16_t second; /* 1: it is the second half; the first is the node before it */
};

struct buddy {
    struct buddy_operations operations;
    uint32_t free[BUDDY_MAX_BITS + 1]; /* by size in bits: the first of a list */
    uint32_t unused;  /* nodes that stand for nothing: a list of pairs, by their first */
    uint32_t used_up; /* nodes from here on were never used */
    struct buddy_node node[BUDDY_NODE_MAX];
};

void buddy_init(struct buddy *buddy, struct buddy_operations operations);

/* Adds an Untyped of 2^bits bytes. False: no node is left for it. */
bool buddy_add(struct buddy *buddy, uint32_t slot, unsigned bits);

/* Takes a piece of exactly 2^bits bytes: the index of its node in buddy->node[], or BUDDY_NONE. */
uint32_t buddy_take(struct buddy *buddy, unsigned bits);

/* Takes the largest piece there is; BUDDY_NONE: nothing is left. */
uint32_t buddy_take_largest(struct buddy *buddy);

/* Gives a piece back. Its Untyped must have been revoked: nothing is made of it any more. */
void buddy_give(struct buddy *buddy, uint32_t node);

/* Free bytes. */
uint64_t buddy_free(const struct buddy *buddy);

#endif
