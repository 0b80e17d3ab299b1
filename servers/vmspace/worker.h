/* worker.h: the threads that answer faults, one a CPU. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_WORKER_H
#define SERVERS_VMSPACE_WORKER_H

#include <stdint.h>

#include "servers/vmspace/fault.h"

/* Used by its own thread alone once that runs, but for the fixed fields and the cache's count. */
struct worker {
    uint32_t endpoint; /* fixed */
    unsigned index;    /* fixed: in `workers` */
    unsigned cpu;      /* fixed */
    uint32_t reply;    /* holds the present caller */
    struct frame_cache cache;
    /* What the last system call mapped fresh; it is marked as settled when that call has returned.
     */
    _Atomic uint32_t *settle_entry;
    uint32_t settle_value;
};

/* 0 is the service thread (service.c), the others serve one CPU each. Fixed after the start. */
extern struct worker workers[WORKER_MAX];
extern unsigned worker_count;

/* Answers faults for ever; returns only if the endpoint fails, with the status that says why. */
enum status worker_run(struct worker *worker);

/*
 * Waits until every other worker has finished what it is at: what a worker found before, it does
 * not use any more. By a call to each. Service thread, which holds no lock.
 */
void workers_barrier(void);

/*
 * Makes the mapping that a FAULT_MAP asked for, for a thread that goes on itself. Value:
 * FAULT_RETRY: it is there now; else what fault_failed() says, but never FAULT_MAP. The worker's
 * own thread.
 */
enum verdict worker_map(struct worker *worker, struct fault *fault);

/* Tells init that a thread of that child died, of the fault in `m`. */
void worker_report(uint32_t child, const struct message *m);

/* Label of the answer to the faulter: enum fault_reply. Not for FAULT_MAP and FAULT_WAIT. */
enum fault_reply verdict_label(enum verdict verdict);

#endif
