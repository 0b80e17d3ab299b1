/* klock.h: the kernel lock: shared by all CPUs at no cost, or held by one for taking things apart. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_OBJ_KLOCK_H
#define KERNEL_OBJ_KLOCK_H

#include "kernel/obj/core.h"

/*
 * Each CPU has a flag of its own, 'inside'. To work with objects a CPU sets its own flag: no cache line is shared, so
 * messages, exits and faults on different CPUs do not meet. Who takes something apart (delete, revoke, stop)
 * sets the flags of all CPUs, and is then alone in the kernel.
 *
 * A CPU that finds its flag set by a writer waits here, with interrupts off, and serves requests meanwhile
 * (core_serve), so that a writer or a shootdown that waits for this CPU is never held up by it.
 */

/* The slow way into the lock: waits. Returns with the lock, or not at all if the current thread is not to go on. */
void klock_read_slow(struct core *core);

/* Enters as one of many. Interrupts are off. */
static inline void klock_read(struct core *core)
{
    if (__builtin_expect(__atomic_exchange_n(&core->inside, 1, __ATOMIC_ACQUIRE), 0)) {
        klock_read_slow(core);
    }
}

/*
 * The same for an interrupt, which is to be served whatever becomes of the current thread: always returns. If the thread
 * was taken from this CPU meanwhile nobody is current, and core->reschedule says so.
 */
void klock_read_interrupt(struct core *core);

/* Leaves, as reader. After it the current thread's memory is kept only because 'core_leave' waits for this CPU. */
static inline void klock_leave(struct core *core)
{
    ASSERT(core->inside);
    __atomic_store_n(&core->inside, 0, __ATOMIC_RELEASE);
}

/*
 * The way out of every kernel entry: what is current goes on when the caller's caller has returned to
 * entry.asm; if it is a virtual CPU, its guest is entered and this does not return.
 */
void kernel_leave(struct core *core);

/* Becomes the only one in the kernel; the caller is not inside yet. May not return, as klock_read_slow(). */
void klock_write(struct core *core);

/* Back to being one of many: the caller stays inside as a reader. */
void klock_write_end(struct core *core);

/*
 * Makes another CPU forget the current thread of its: FPU registers saved, VMCS cleared, page tables left.
 * When it returns, that CPU waits in klock_read_slow() or idles. Kernel lock: writing.
 */
void core_leave(struct core *core, struct core *other);

/* The same on this CPU. */
void core_drop(struct core *core);

/* Does what other CPUs ask of this one: leave requests, invalidation. Any state, interrupts off. */
void core_serve(struct core *core);

#endif
