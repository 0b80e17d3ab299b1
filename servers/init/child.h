/* child.h: one process that init starts: its memory, and how it is built and taken apart. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_INIT_CHILD_H
#define SERVERS_INIT_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include "servers/init/life.h"
#include "servers/init/manifest.h"
#include "servers/init/memory.h"
#include "servers/lib/elf_load.h"
#include "servers/lib/layout.h"

#define CHILD_FRAME_MAX 128u /* of 2 MiB: what a program, its stack and its heap may have */
#define CHILD_GRANT_MAX 40u  /* Untypeds that it may be given */

/* Slots of init's CNode that a child has: the first is child->slots. */
enum child_slot {
    CHILD_CNODE,
    CHILD_SPACE,
    CHILD_THREAD,
    CHILD_SCHED,
    CHILD_FUND,
    CHILD_CONTROL, /* init's endpoint with the child's number as its badge */
    CHILD_FAULT,   /* the fault endpoint of a VMM's thread: vmspace's */
    CHILD_SIGNAL,  /* for a moment: a capability to signal its events by */
    CHILD_FRAMES   /* child->frames of them */
};

/*
 * The memory that a process begins with is one row of pages in Frames of 2 MiB: first its segments,
 * then these. Parts of the row are mapped, each with its own rights; the process has no capability
 * to the Frames.
 */
enum row_page {
    ROW_START_INFO, /* counted from the end of the segments */
    ROW_IPC_BUFFER,
    ROW_STACK,
    ROW_HEAP = ROW_STACK + LAYOUT_STACK_SIZE / PAGE_SIZE
};

struct child {
    const struct manifest_child *wish;
    uint32_t number; /* 1 and up: its badge */
    uint32_t slots;
    uint32_t events;        /* Notification that tells it of ended clients; 0: it does not watch */
    const uint8_t *program; /* the ELF file */
    struct elf_plan plan;
    uint64_t heap_pages;
    uint32_t frames;              /* of 2 MiB: enough for the row */
    unsigned fund_bits;           /* size of what its Space is funded with */
    struct block objects, memory; /* kernel objects; Frames */
    uint32_t grants;
    struct block grant[CHILD_GRANT_MAX];
    struct life life;
};

struct root;

/*
 * Sets aside all that child `number` needs, once, for all its starts: memory, slots, services,
 * files. It is what keeps a later start from failing. False: not possible, a line in the log says
 * why.
 */
bool child_reserve(struct root *root, uint32_t number);

/*
 * Gives it all memory that is left, if that is what the manifest says. After all children were
 * reserved.
 */
void child_take_rest(struct child *child);

/*
 * Builds the process and lets it run. False: not possible, the log says why, and nothing of it is
 * left.
 */
bool child_start(struct root *root, struct child *child);

/* Destroys the process and all that was made of its memory. */
void child_destroy(struct child *child);

/* Logs that a step to start it failed. The value is whether `status` is OK. */
bool child_step(const struct child *child, const char *what, enum status status);

#endif
