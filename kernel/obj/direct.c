/* direct.c: messages between a virtual CPU and the thread that handles its exits, without detours. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/direct.h"

#include "kernel/obj/notification.h"
#include "kernel/obj/lend.h"
#include "kernel/obj/sched.h"
#include "kernel/obj/transfer.h"

/* The thread can go on here and now, and its time needs no accounting. */
static inline bool can_run(const struct core *core, const struct thread *thread,
                           const struct sched *sched)
{
    return thread->cpu == core_cpu((struct core *)core)->id && thread->priority >= core->top &&
           sched && !sched->waits && !sched->limited;
}

/* The one thread that waits, with the endpoint locked; NULL, and unlocked, if it is not so simple. */
static inline struct thread *sole_receiver(struct endpoint *endpoint)
{
    uint64_t queue = endpoint_lock(endpoint);
    struct thread *thread = (struct thread *)queue;

    if (__builtin_expect(queue != 0 && !(queue & QUEUE_CALLERS) && thread->next == thread, 1)) {
        return thread;
    }
    endpoint_unlock(endpoint, queue);
    return NULL;
}

bool direct_send(struct core *core, struct vcpu *vcpu, enum thread_slot index, enum call_kind kind,
                 const struct message *message)
{
    struct thread *self = &vcpu->thread, *receiver;
    const struct cap *cap = &self->slot[index].cap;
    struct endpoint *endpoint = cap_object(cap);

    if (__builtin_expect(cap->type != OBJ_ENDPOINT, 0)) {
        return false;
    }
    receiver = sole_receiver(endpoint);
    if (__builtin_expect(!receiver, 0)) {
        return false;
    }
    if (__builtin_expect(receiver->uses_fpu || self->sched->limited ||
                             !can_run(core, receiver, receiver->sched ?: self->sched),
                         0)) {
        endpoint_unlock(endpoint, (uint64_t)receiver);
        return false;
    }
    receiver->state = TS_READY;
    endpoint_unlock(endpoint, 0);

    struct reply *reply = receiver->reply;

    core_count(core, CT_MESSAGE);
    transfer_fault(message, receiver);
    receiver->regs.rdi = cap->badge;
    receiver->reply = NULL;
    self->call = kind;
    self->state = TS_REPLY;
    self->waits_in = reply;
    reply_lend(reply, self, receiver);
    reply->receiver = NULL;
    __atomic_store_n(&reply->caller, self, __ATOMIC_RELEASE);
    sched_switch(core, receiver);
    return true;
}

/* The answer lets the virtual CPU go on: what it asks for is noted. */
static inline bool accept_answer(struct vcpu *vcpu, uint64_t label)
{
    if (vcpu->thread.call == CALL_EXIT) {
        vcpu->load |= label;
        return true;
    }
    return label == FR_RETRY;
}

/* Waits like endpoint_recv() if nothing at all is there to receive. */
static inline bool wait_for_more(struct thread *self, struct endpoint *endpoint,
                                 struct reply *reply)
{
    uint64_t queue = endpoint_lock(endpoint);

    if (__builtin_expect(queue != 0, 0)) {
        endpoint_unlock(endpoint, queue);
        return false;
    }
    self->next = self->prev = self;
    self->state = TS_RECV;
    self->waits_in = endpoint;
    self->reply = reply;
    reply->receiver = self;
    endpoint_unlock(endpoint, (uint64_t)self);
    return true;
}

/* Signals to a bound notification cannot slip in while its lock is held. */
static inline bool wait_unsignalled(struct thread *self, struct endpoint *endpoint,
                                    struct reply *reply)
{
    struct notification *bound = self->bound;
    bool waits;

    if (!bound) {
        return wait_for_more(self, endpoint, reply);
    }
    lock_take(&bound->lock);
    waits = bound->word == 0 && wait_for_more(self, endpoint, reply);
    lock_release(&bound->lock);
    return waits;
}

bool direct_answer(struct core *core, struct thread *self, struct endpoint *endpoint,
                   struct reply *reply)
{
    struct thread *caller = reply->caller;
    struct sched *lent = reply->lent;

    if (!caller || caller->kind != THREAD_VCPU || self->sched->limited ||
        !can_run(core, caller, lent ?: caller->sched) ||
        !accept_answer(vcpu_of(caller), tag_label(self->regs.rsi))) {
        return false;
    }
    /* Its SchedContext goes home before somebody can call this thread again. */
    if (__atomic_exchange_n(&reply->caller, NULL, __ATOMIC_ACQUIRE) != caller) {
        return false;
    }
    if (lent) {
        self->sched = NULL;
        reply_take_home(reply, lent, caller);
    }
    caller->state = TS_READY;
    if (__builtin_expect(!wait_unsignalled(self, endpoint, reply), 0)) {
        sched_wake(core, caller);
        return false;
    }
    sched_switch(core, caller);
    return true;
}
