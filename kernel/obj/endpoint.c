/* endpoint.c: synchronous messages: call, receive, reply. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/endpoint.h"

#include "kernel/lib/string.h"
#include "kernel/obj/notification.h"
#include "kernel/obj/lend.h"
#include "kernel/obj/sched.h"
#include "kernel/obj/transfer.h"
#include "kernel/obj/vcpu.h"

void endpoint_remove(struct endpoint *endpoint, struct thread *thread)
{
    endpoint_unlock(endpoint, queue_remove(endpoint_lock(endpoint), thread));
}

void reply_give_back(struct thread *thread)
{
    struct sched *sched = thread->sched;
    struct reply *reply = sched ? sched->lender : NULL;

    if (reply) {
        thread->sched = NULL;
        reply_take_home(reply, sched, reply->caller);
    }
}

/*
 * Hands the caller's message to the receiver and the caller to the receiver's Reply. Both are in no queue, so
 * this CPU alone may touch them. A receiver without time of its own runs on the caller's.
 */
static inline void deliver(struct core *core, struct thread *caller, struct thread *receiver,
                           uint32_t badge)
{
    struct reply *reply = receiver->reply;

    core_count(core, CT_MESSAGE);
    message_transfer(caller, receiver, badge);
    reply_lend(reply, caller, receiver);
    caller->state = TS_REPLY;
    caller->waits_in = reply;
    receiver->reply = NULL;
    __atomic_store_n(&reply->caller, caller, __ATOMIC_RELEASE);
    __atomic_store_n(&reply->receiver, NULL, __ATOMIC_RELEASE);
}

/* The receiver of a message goes on: here and now if nothing here is more urgent. */
static inline void run_receiver(struct core *core, struct thread *thread)
{
    if (__builtin_expect(thread->cpu == core_cpu(core)->id && thread->priority >= core->bar &&
                             thread->sched && !thread->sched->waits,
                         1)) {
        sched_switch(core, thread);
        return;
    }
    sched_wake(core, thread);
    sched_block(core);
}

void endpoint_call(struct core *core, struct thread *caller, struct endpoint *endpoint,
                   const struct cap *cap, enum call_kind kind)
{
    struct thread *receiver;
    uint64_t queue;

    caller->call = kind;
    caller->badge = cap->badge;
    caller->may_grant = cap->rights & EP_GRANT;
    queue = endpoint_lock(endpoint);
    if (__builtin_expect(queue == 0 || (queue & QUEUE_CALLERS), 0)) {
        caller->state = TS_CALL;
        caller->waits_in = endpoint;
        endpoint_unlock(endpoint, queue_add(queue, caller, QUEUE_CALLERS));
        sched_block(core);
        return;
    }
    receiver = queue_first(queue);
    receiver->state = TS_READY;
    endpoint_unlock(endpoint, queue_remove(queue, receiver));
    deliver(core, caller, receiver, cap->badge);
    run_receiver(core, receiver);
}

bool endpoint_recv(struct core *core, struct thread *receiver, struct endpoint *endpoint,
                   struct reply *reply)
{
    struct notification *bound = receiver->bound;
    struct thread *caller;

    if (bound && notification_take(bound, receiver)) {
        reply->receiver = NULL;
        return false;
    }
    reply_give_back(receiver);
    receiver->reply = reply;
    uint64_t queue = endpoint_lock(endpoint);
    bool waits = !(queue & QUEUE_CALLERS);

    caller = queue_first(queue);
    if (__builtin_expect(waits, 1)) {
        receiver->state = TS_RECV;
        receiver->waits_in = endpoint;
        endpoint_unlock(endpoint, queue_add(queue, receiver, 0));
    } else {
        endpoint_unlock(endpoint, queue_remove(queue, caller));
    }
    if (bound) {
        lock_release(&bound->lock);
    }
    if (!waits) {
        deliver(core, caller, receiver, caller->badge);
        sched_use(core, receiver->sched);
    }
    return waits;
}

/* What the answer does to a faulted thread or a virtual CPU: whether it goes on. */
static bool answer_fault(struct thread *caller, uint64_t tag)
{
    switch (caller->call) {
    case CALL_FAULT:
        return tag_label(tag) != FR_STOP;
    case CALL_EXIT:
        return vcpu_answer_exit(vcpu_of(caller), tag_label(tag));
    default:
        return vcpu_answer_fault(vcpu_of(caller), tag_label(tag));
    }
}

struct thread *reply_answer(struct core *core, struct thread *self, struct reply *reply,
                            bool direct)
{
    struct thread *caller = __atomic_exchange_n(&reply->caller, NULL, __ATOMIC_ACQUIRE);
    struct sched *lent;

    if (__builtin_expect(!caller, 0)) {
        return NULL;
    }
    lent = reply->lent;
    if (lent) {
        self->sched = NULL;
        reply_take_home(reply, lent, caller);
    }
    if (__builtin_expect(caller->call == CALL_USER, 1)) {
        message_answer(self, caller);
    } else if (!answer_fault(caller, self->regs.rsi)) {
        if (caller->state == TS_REPLY) {
            caller->state = TS_STOPPED;
        }
        return NULL;
    }
    caller->state = TS_READY;
    if (direct && caller->cpu == core_cpu(core)->id && caller->sched && !caller->sched->waits) {
        return caller;
    }
    sched_wake(core, caller);
    return NULL;
}

void endpoint_kill(struct core *core, struct endpoint *endpoint)
{
    while (endpoint->queue) {
        struct thread *thread = queue_first(endpoint->queue);

        endpoint_remove(endpoint, thread);
        if (thread->state == TS_RECV) {
            thread->reply->receiver = NULL;
            thread->reply = NULL;
        }
        thread_end_wait(core, thread, E_GONE);
    }
}

/* Time that was lent through the Reply, and perhaps further, is its caller's again. */
static void unwind(struct reply *reply, struct thread *caller)
{
    struct sched *sched = reply->lent;
    struct reply *inner = sched->lender;

    sched_take_back(sched);
    while (inner != reply) {
        inner->lent = NULL;
        inner = inner->outer;
    }
    reply_take_home(reply, sched, caller);
}

void reply_forget(struct reply *reply)
{
    struct thread *caller = reply->caller;

    if (reply->lent) {
        unwind(reply, caller);
    }
    reply->caller = NULL;
}

void reply_kill(struct core *core, struct reply *reply)
{
    struct thread *caller = reply->caller;

    if (caller) {
        reply_forget(reply);
        thread_end_wait(core, caller, E_GONE);
    }
    if (reply->receiver) {
        struct thread *receiver = reply->receiver;

        endpoint_remove(receiver->waits_in, receiver);
        receiver->reply = NULL;
        reply->receiver = NULL;
        thread_end_wait(core, receiver, E_GONE);
    }
}
