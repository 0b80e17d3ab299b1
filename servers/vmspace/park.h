/* park.h: faulters that wait, unanswered, until there is memory again. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_PARK_H
#define SERVERS_VMSPACE_PARK_H

#include <stdint.h>

struct guest;

/* Sets up the spare Reply objects, in reply_cap(0) to reply_cap(REPLY_MAX - 1). Start-up only. */
void park_init(void);

/* Grows with each return of memory. A worker reads it before it looks for memory, and passes it to
 * park_add(). */
uint32_t park_epoch(void);

/*
 * Lets the faulter wait that `reply` holds. Value: a free Reply for the worker's next receive; 0:
 * all are in use, the faulter must be answered. If memory came back since `epoch` the faulter is
 * answered at once, to try again. Any thread. Lock: takes the park lock.
 */
uint32_t park_add(struct guest *guest, uint32_t reply, uint32_t epoch);

/* Memory came back: all who wait try again. Any thread. Lock: takes the park lock. */
void park_wake(void);

/* Stops those who wait for this guest. No worker adds more. Lock: takes the park lock. */
void park_stop(struct guest *guest);

/* How many wait. Any time; may be old. */
uint32_t park_count(void);

#endif
