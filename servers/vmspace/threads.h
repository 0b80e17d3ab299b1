/* threads.h: vmspace's threads: their objects, their stacks, their start. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_THREADS_H
#define SERVERS_VMSPACE_THREADS_H

#include <stdint.h>

#include "servers/lib/start_info.h"
#include "servers/vmspace/kernel.h"

/*
 * For each worker but the first, from its first frame up: a page that is not mapped, so that a
 * stack that grows too large faults; the stack; a page that begins with the IPC buffer.
 */
#define STACK_PAGES  4u
#define THREAD_PAGES (1u + STACK_PAGES + 1u)

/* Plans one worker for each CPU in the mask, after number 0, the calling thread: fills their fixed
 * fields. */
void threads_plan(uint64_t cpus);

/*
 * Makes the objects of all workers. `service` is the endpoint of the first, the others have their
 * own. Each has time of its own too: time lent by a faulter could be destroyed with its VMM while
 * the worker runs on it, and would be taken along by a faulter that has to wait. E_MEMORY.
 */
enum status threads_make(uint32_t service);

/* Maps the stacks, whose frames begin with number `first`. The status is SYS_MAP's. */
enum status threads_map_stacks(uint32_t first);

/* Starts all workers but the first. The status is that of the system call that failed. */
enum status threads_start(const struct start_info *info, uint32_t first);

#endif
