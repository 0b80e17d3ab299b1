/* direct.h: the short way of a guest's exit to the thread that waits for it, and of the answer back. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_OBJ_DIRECT_H
#define KERNEL_OBJ_DIRECT_H

#include "kernel/obj/lend.h"
#include "kernel/obj/vcpu.h"

/*
 * Both ways do what endpoint_call() and reply_answer() with endpoint_recv() do in general, for the
 * common case: one thread of this CPU waits, nothing here is more urgent, no budget to account.
 * false means that nothing has changed, and that the general way is due.
 */

/* The thread can go on here and now on that time, which needs no accounting. */
static inline bool direct_can_run(struct core *core, const struct thread *thread,
                                  const struct sched *sched)
{
    return thread->cpu == core_cpu(core)->id && thread->priority >= core->bar && sched &&
           !sched->waits && !sched->limited;
}

/* The one thread that waits, with the endpoint locked; NULL, and unlocked, if it is not so simple. */
static inline struct thread *direct_receiver(struct endpoint *endpoint)
{
    uint64_t queue = endpoint_lock(endpoint);
    struct thread *thread = (struct thread *)queue;

    if (__builtin_expect(queue != 0 && !(queue & QUEUE_CALLERS) && thread->next == thread, 1)) {
        return thread;
    }
    endpoint_unlock(endpoint, queue);
    return NULL;
}

/*
 * The current virtual CPU sends a kernel message to the endpoint in its slot 'index'; the receiver, to which
 * the words go, is current then. Inlined for each kind of message: the words stay in registers.
 */
static inline __attribute__((always_inline)) bool
direct_send(struct core *core, struct vcpu *vcpu, enum thread_slot index, enum call_kind kind,
            uint64_t tag, uint64_t word0, uint64_t word1, uint64_t word2, uint64_t word3)
{
    struct thread *self = &vcpu->thread, *receiver;
    const struct cap *cap = &self->slot[index].cap;
    struct endpoint *endpoint = cap_object(cap);

    if (__builtin_expect(cap->type != OBJ_ENDPOINT, 0)) {
        return false;
    }
    receiver = direct_receiver(endpoint);
    if (__builtin_expect(!receiver, 0)) {
        return false;
    }
    if (__builtin_expect(receiver->uses_fpu || self->sched->limited ||
                             !direct_can_run(core, receiver, receiver->sched ?: self->sched),
                         0)) {
        endpoint_unlock(endpoint, (uint64_t)receiver);
        return false;
    }
    receiver->state = TS_READY;
    endpoint_unlock(endpoint, 0);

    struct reply *reply = receiver->reply;

    core_count(core, CT_MESSAGE);
    receiver->regs.rax = OK;
    receiver->regs.rdi = cap->badge;
    receiver->regs.rsi = tag;
    receiver->regs.rdx = word0;
    receiver->regs.r8 = word1;
    receiver->regs.r9 = word2;
    receiver->regs.r10 = word3;
    receiver->reply = NULL;
    self->call = (uint8_t)kind;
    self->state = TS_REPLY;
    self->waits_in = reply;
    reply_lend(reply, self, receiver);
    __atomic_store_n(&reply->caller, self, __ATOMIC_RELEASE);
    __atomic_store_n(&reply->receiver, NULL, __ATOMIC_RELEASE);
    sched_switch_plain(core, receiver);
    return true;
}

/*
 * The current thread answers the virtual CPU that 'reply' holds, and receives. If true is returned the
 * virtual CPU is current, and the caller enters it.
 */
bool direct_answer(struct core *core, struct thread *self, struct endpoint *endpoint,
                   struct reply *reply);

#endif
