/* lock.h: a fair spinlock. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_LIB_LOCK_H
#define KERNEL_LIB_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/lib/assert.h"

/*
 * A ticket lock: whoever takes 'next' waits until 'serving' has come to it. All zero is free.
 * The kernel runs with interrupts off, so there is no variant that saves them; code that an NMI
 * may run takes no lock. Debug builds keep the holder (lock_cpu() + 1, 0 when free) and panic
 * when a CPU takes a lock that it holds, or gives back one that it does not.
 */
struct lock {
    uint16_t next;
    uint16_t serving;
    uint32_t holder; /* of debug builds; always there, for assembly knows offsets behind locks */
};

/* Number of the calling CPU; only debug builds call it. Provided by kernel/x86/cpu.c. */
unsigned lock_cpu(void);

/* Whether this CPU holds the lock: for ASSERT only, since other builds do not know. */
static inline bool lock_held(const struct lock *lock)
{
    bool held = lock->next != lock->serving;

    DEBUG_ONLY(held = __atomic_load_n(&lock->holder, __ATOMIC_RELAXED) == lock_cpu() + 1;)
    return held;
}

/* Takes the lock; spins while another CPU has it. */
static inline void lock_take(struct lock *lock)
{
    DEBUG_ONLY(REQUIRE(!lock_held(lock));)
    uint16_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

    while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket) {
        __builtin_ia32_pause();
    }
    DEBUG_ONLY(__atomic_store_n(&lock->holder, lock_cpu() + 1, __ATOMIC_RELAXED);)
}

/* Takes the lock if it is free at this moment; says whether it did. */
static inline bool lock_try(struct lock *lock)
{
    uint16_t ticket = __atomic_load_n(&lock->serving, __ATOMIC_RELAXED);
    bool taken = __atomic_compare_exchange_n(&lock->next, &ticket, (uint16_t)(ticket + 1), false,
                                             __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);

    DEBUG_ONLY(if (taken) { __atomic_store_n(&lock->holder, lock_cpu() + 1, __ATOMIC_RELAXED); })
    return taken;
}

/* Gives the lock back. */
static inline void lock_release(struct lock *lock)
{
    DEBUG_ONLY(REQUIRE(lock_held(lock));)
    DEBUG_ONLY(__atomic_store_n(&lock->holder, 0, __ATOMIC_RELAXED);)
    __atomic_store_n(&lock->serving, (uint16_t)(lock->serving + 1), __ATOMIC_RELEASE);
}

#endif
