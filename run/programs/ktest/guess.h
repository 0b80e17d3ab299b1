/* guess.h: random system calls, for threads with a bag of capabilities. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_KTEST_GUESS_H
#define RUN_KTEST_GUESS_H

#include "run/programs/ktest/rig.h"

/* The thread's CSpace, the bag, has so many slots. */
#define GUESS_BITS 7u
#define GUESS_SLOTS (1u << GUESS_BITS)

/*
 * Slots of the bag that hold an object of each type at first: Untypeds from 1, CNodes 8, Threads 10, SchedContexts
 * 12, Endpoints 14, Replies 16, Notifications 18, Frames 20, Spaces 23, VCpus 26, the Platform in 28, Ports in 29.
 */
enum { GUESS_UNTYPED = 1, GUESS_OBJECTS = 8, GUESS_PLATFORM = 28, GUESS_PORTS, GUESS_REST };

struct dice {
    uint64_t state; /* not 0 */
};

/* Throws a system call: its number, and the registers RDI RSI RDX R8 R9 R10. */
void guess(struct dice *dice, uint64_t *number, uint64_t registers[6]);

#endif
