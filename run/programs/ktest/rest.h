/* rest.h: pauses of the test's own thread, so that less urgent threads run, and an end for threads. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_KTEST_REST_H
#define RUN_KTEST_REST_H

#include "run/programs/ktest/rig.h"

/* The calling thread sleeps; one thread at a time. */
void rest(uint64_t microseconds);

/* Sleeps until the word has that value, or so many milliseconds: whether it has it. */
bool rest_until(const volatile uint64_t *word, uint64_t value, uint64_t milliseconds);

/* For threads that have done their work: waits for ever. */
__attribute__((noreturn)) void park(void);

#endif
