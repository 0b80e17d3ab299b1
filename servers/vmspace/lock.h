/* lock.h: a small lock between vmspace's threads, which yields while another has it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_LOCK_H
#define SERVERS_VMSPACE_LOCK_H

#include <stdatomic.h>

#include "servers/vmspace/kernel.h"

/*
 * All threads of vmspace have one priority and time of their own: so a holder that shares the CPU
 * with one that waits is reached by the yield. Order: memory_lock (source.h) alone, park lock
 * (park.c) alone: nobody holds two.
 */
struct lock {
    atomic_uint held;
};

static inline void lock_take(struct lock *lock)
{
    while (atomic_exchange_explicit(&lock->held, 1, memory_order_acquire) != 0) {
        kernel_yield();
    }
}

static inline void lock_release(struct lock *lock)
{
    atomic_store_explicit(&lock->held, 0, memory_order_release);
}

#endif
