/* direct.c: answers to virtual CPUs without detours. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/direct.h"

#include "kernel/obj/notification.h"

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

    if (!caller || caller->kind != THREAD_VCPU || !self->sched || self->sched->limited ||
        !direct_can_run(core, caller, lent ?: caller->sched) ||
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
    core_count(core, CT_SWITCH);
    core_cpu(core)->current = caller;
    if (__builtin_expect(!fpu_is_right(core, caller), 0)) {
        fpu_switch(core, caller);
    }
    return true;
}
