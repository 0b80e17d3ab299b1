/* endpoint.h: endpoints and Reply objects: synchronous messages between threads. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_OBJ_ENDPOINT_H
#define KERNEL_OBJ_ENDPOINT_H

#include "kernel/lib/lock.h"
#include "kernel/obj/core.h"

/*
 * A queue of callers or of receivers, never both, and its lock, in one word: so that one exchange takes the lock and
 * reads the queue, and one store changes the queue and gives the lock back. 0: empty; QUEUE_LOCKED: somebody
 * else holds the lock; else the first thread of a circular list, | QUEUE_CALLERS if they call.
 */
struct endpoint {
    uint64_t queue;
};
enum { QUEUE_LOCKED = 1, QUEUE_CALLERS = 2 };

static inline uint64_t endpoint_lock(struct endpoint *endpoint)
{
    uint64_t queue;

    while ((queue = __atomic_exchange_n(&endpoint->queue, QUEUE_LOCKED, __ATOMIC_ACQUIRE)) ==
           QUEUE_LOCKED) {
        __builtin_ia32_pause();
    }
    return queue;
}

/* Gives the lock back; the queue is then what queue_add() or queue_remove() returned. */
static inline void endpoint_unlock(struct endpoint *endpoint, uint64_t queue)
{
    __atomic_store_n(&endpoint->queue, queue, __ATOMIC_RELEASE);
}

static inline struct thread *queue_first(uint64_t queue)
{
    return (struct thread *)(queue & ~(uint64_t)QUEUE_CALLERS);
}

/* A queue without the thread, which is in it. */
static inline uint64_t queue_remove(uint64_t queue, struct thread *thread)
{
    struct thread *next = thread->next;

    if (next == thread) {
        return 0;
    }
    next->prev = thread->prev;
    thread->prev->next = next;
    return queue_first(queue) == thread ? (uint64_t)next | (queue & QUEUE_CALLERS) : queue;
}

/* A queue with the thread at its end; 'callers': 0 or QUEUE_CALLERS, the same for all in it. */
static inline uint64_t queue_add(uint64_t queue, struct thread *thread, uint64_t callers)
{
    struct thread *first = queue_first(queue);

    if (!first) {
        thread->next = thread->prev = thread;
        return (uint64_t)thread | callers;
    }
    thread->next = first;
    thread->prev = first->prev;
    thread->prev->next = thread;
    first->prev = thread;
    return queue;
}

_Static_assert(sizeof(struct endpoint) <= 1 << ENDPOINT_BITS, "object size");

/* Holds one caller until it is answered. Whoever takes 'caller' by an exchange answers it. */
struct reply {
    struct thread *caller;  /* atomic; NULL: none */
    struct sched *lent;     /* the caller's SchedContext, if it was lent to the receiver */
    struct thread *receiver; /* who waits in an endpoint with this Reply; NULL: nobody. Kernel lock: writing, or the receiver */
    struct reply *outer;    /* of lent time: the Reply it was lent through before */
};

_Static_assert(sizeof(struct reply) <= 1 << REPLY_BITS, "object size");

/*
 * Lent time. A caller's SchedContext can travel on with the calls that its receiver makes: the Replies that it went through
 * are a stack, from sched.lender by reply.outer. It comes back in the same order: the thread that runs on it answers, or
 * waits for another message and so gives it back, or dies. Nobody else can answer that caller meanwhile (E_BUSY).
 */

/* A thread that runs on lent time gives it back to the caller, who may still wait for its answer. */
void reply_give_back(struct thread *thread);

/*
 * The current thread calls: its message (registers, or 'fault' for a CALL_FAULT) goes to the receiver that waits, which
 * then runs at once, or the caller waits in the queue. Returns with the next thread current.
 */
void endpoint_call(struct core *core, struct thread *caller, struct endpoint *endpoint,
                   const struct cap *cap, enum call_kind kind);

/*
 * The current thread takes a message that waits for it, or begins to wait for one: then true is returned, and the
 * caller chooses another thread. 'reply' holds nobody.
 */
bool endpoint_recv(struct core *core, struct thread *receiver, struct endpoint *endpoint,
                   struct reply *reply);

/* Whether the thread may answer the caller that 'reply' holds: nobody else runs on that caller's time. */
static inline bool reply_is_answerable(const struct reply *reply, const struct thread *self)
{
    return !reply->caller || !reply->lent || reply->lent == self->sched;
}

/*
 * Answers the caller that 'reply' holds, if any, with the message in the current thread's registers, and makes it ready. Returns
 * the caller if it belongs to this CPU and was not put into the ready queue yet ('direct'), else NULL.
 */
struct thread *reply_answer(struct core *core, struct thread *self, struct reply *reply,
                            bool direct);

/* Takes a waiting thread out of the endpoint's queue. Kernel lock: writing. */
void endpoint_remove(struct endpoint *endpoint, struct thread *thread);

/* Ends all waits with E_GONE. Kernel lock: writing. */
void endpoint_kill(struct core *core, struct endpoint *endpoint);
void reply_kill(struct core *core, struct reply *reply);

/* Takes back a thread that a Reply holds: it will not be answered. Kernel lock: writing. */
void reply_forget(struct reply *reply);

#endif
