/* faulter.h: a thread that runs a few bytes of code, and what its fault handler hears. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_KTEST_FAULTER_H
#define RUN_KTEST_FAULTER_H

#include "run/programs/ktest/rest.h"

#define FAULTER_CODE 0x300000000000ull  /* one page, all rights */
#define FAULTER_STACK (FAULTER_CODE + 0xf00)  /* zeros above */
#define FAULTER_BADGE 99

struct faulter {
    uint32_t thread, sched, endpoint, reply;
    uint8_t *code;
};

/* Makes a stopped thread with a fault endpoint and, once a test, the page for its code. */
void faulter_make(struct faulter *f, uint32_t cpu);

/* Runs the code and receives the message about its end. The rest of the page is UD2. */
void faulter_run(struct faulter *f, const void *code, uint64_t size, uint64_t rdi, uint64_t flags,
                 struct message *m);

/* Answers the fault so that the thread stays stopped. */
void faulter_stop(struct faulter *f);

#endif
