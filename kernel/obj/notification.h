/* notification.h: notifications: bits to signal and to wait for, and a timer that signals. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_OBJ_NOTIFICATION_H
#define KERNEL_OBJ_NOTIFICATION_H

#include "kernel/lib/lock.h"
#include "kernel/obj/core.h"
#include "kernel/obj/endpoint.h"

struct notification {
    struct lock lock;
    uint32_t word;              /* bits signalled and not yet taken */
    struct thread *queue;       /* threads that wait; circular */
    struct thread *bound;       /* the thread whose SYS_RECV takes the bits */
    uint64_t deadline;          /* the timer, guarded by timer_lock of 'timer_cpu'; 0: not armed */
    uint32_t timer_cpu;
    uint32_t timer_badge;
    struct notification *timer_next;
};

_Static_assert(sizeof(struct notification) <= 1 << NOTIFICATION_BITS, "object size");

/* ORs bits into the word, or hands them to a thread that waits. */
void notification_signal(struct core *core, struct notification *notification, uint32_t bits);

/* The current thread takes the bits, or waits for some. */
void notification_wait(struct core *core, struct notification *notification,
                       struct thread *thread);

/* Takes the bits, if any, without waiting: 0 if none. */
uint32_t notification_poll(struct notification *notification);

/*
 * A thread is about to receive: if bits are pending it gets them as a message and true is returned. Else returns false with the
 * notification's lock held, which the caller gives back when the thread waits in the endpoint; so no signal is missed.
 */
bool notification_take(struct notification *notification, struct thread *thread);

/* Sets the timer: signals 'badge' when this CPU's TSC reaches 'deadline'; 0 disarms. Replaces an earlier one. */
void notification_timer(struct core *core, struct notification *notification, uint64_t deadline,
                        uint32_t badge);

/* Fires the timers of this CPU that are due; returns the TSC of the next, or UINT64_MAX. */
uint64_t notification_timers_due(struct core *core, uint64_t now);

/* Binds a thread (E_BUSY if either is bound already), or unbinds it. Kernel lock: writing. */
enum status notification_bind(struct notification *notification, struct thread *thread);
void notification_unbind(struct thread *thread);

/* Takes a waiting thread out of the queue; lock held, or kernel lock: writing. */
void notification_remove(struct notification *notification, struct thread *thread);

/* Ends all waits with E_GONE, disarms, unbinds. Kernel lock: writing. */
void notification_kill(struct core *core, struct notification *notification);

#endif
