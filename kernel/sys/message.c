/* message.c: the system calls that send and receive messages; the shortest paths of the kernel. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/direct.h"
#include "kernel/obj/sched.h"
#include "kernel/sys/sys.h"

static void refuse(struct core *core, struct thread *self, enum status status)
{
    self->regs.rax = status;
    kernel_leave(core);
}

void sys_call(struct thread *self)
{
    struct core *core = core_this();
    struct slot *slot;

    klock_read(core);
    enum status status = sys_find(self, low_half(self->regs.rdi), OBJ_ENDPOINT, EP_CALL, &slot);

    if (__builtin_expect(status != OK, 0)) {
        refuse(core, self, status);
        return;
    }
    endpoint_call(core, self, cap_object(&slot->cap), &slot->cap, CALL_USER);
    kernel_leave(core);
}

/*
 * The Reply becomes the receiver's: one thread at a time waits with it. A sender sets its caller before it takes the
 * receiver away, so who has claimed it sees whether it holds one.
 */
static inline bool reply_claim(struct thread *self, struct reply *reply)
{
    struct thread *nobody = NULL;

    return __atomic_compare_exchange_n(&reply->receiver, &nobody, self, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static inline void reply_unclaim(struct reply *reply)
{
    __atomic_store_n(&reply->receiver, NULL, __ATOMIC_RELEASE);
}

/* A thread that has given back the time it ran on cannot go on. */
static inline void stay_current(struct core *core, struct thread *self)
{
    if (__builtin_expect(!self->sched, 0)) {
        sched_block(core);
    } else if (__builtin_expect(core->reschedule, 0)) {
        sched_choose(core);
    }
}

void sys_recv(struct thread *self)
{
    struct core *core = core_this();
    struct slot *endpoint, *reply;
    enum status status;

    klock_read(core);
    status = sys_find(self, low_half(self->regs.rdi), OBJ_ENDPOINT, EP_RECV, &endpoint);
    if (status == OK) {
        status = sys_find(self, high_half(self->regs.rdi), OBJ_REPLY, RP_USE, &reply);
    }
    if (status == OK && !reply_claim(self, cap_object(&reply->cap))) {
        status = E_BUSY;
    }
    if (status == OK && ((struct reply *)cap_object(&reply->cap))->caller) {
        reply_unclaim(cap_object(&reply->cap));
        status = E_BUSY;
    }
    if (status != OK) {
        refuse(core, self, status);
        return;
    }
    if (endpoint_recv(core, self, cap_object(&endpoint->cap), cap_object(&reply->cap))) {
        sched_block(core);
    } else {
        stay_current(core, self);
    }
    kernel_leave(core);
}

void sys_reply(struct thread *self)
{
    struct core *core = core_this();
    struct slot *reply;
    enum status status;

    klock_read(core);
    status = sys_find(self, high_half(self->regs.rdi), OBJ_REPLY, RP_USE, &reply);
    if (status == OK && !reply_is_answerable(cap_object(&reply->cap), self)) {
        status = E_BUSY;
    }
    if (status == OK) {
        reply_answer(core, self, cap_object(&reply->cap), false);
    }
    self->regs.rax = status;
    stay_current(core, self);
    kernel_leave(core);
}

/* Answers, receives, and goes on as the caller that was answered, if nothing here is more urgent. */
static inline void answer_and_receive(struct core *core, struct thread *self,
                                      struct endpoint *endpoint, struct reply *reply)
{
    if (direct_answer(core, self, endpoint, reply)) {
        vcpu_enter(core, vcpu_of(core_current(core)));
    }
    struct thread *caller = reply_answer(core, self, reply, true);

    if (!endpoint_recv(core, self, endpoint, reply)) {
        if (caller) {
            sched_wake(core, caller);
        }
        stay_current(core, self);
    } else if (caller && caller->priority >= core->bar) {
        sched_switch(core, caller);
    } else {
        if (caller) {
            sched_wake(core, caller);
        }
        sched_block(core);
    }
    kernel_leave(core);
}

/* The endpoint and the Reply object, which is claimed, of a call that answers and receives. */
static inline enum status find_both(struct thread *self, struct slot **endpoint,
                                    struct slot **reply)
{
    enum status status =
        sys_find(self, low_half(self->regs.rdi), OBJ_ENDPOINT, EP_RECV, endpoint);

    if (status != OK) {
        return status;
    }
    status = sys_find(self, high_half(self->regs.rdi), OBJ_REPLY, RP_USE, reply);
    if (status != OK) {
        return status;
    }
    struct reply *object = cap_object(&(*reply)->cap);

    return reply_is_answerable(object, self) && reply_claim(self, object) ? OK : E_BUSY;
}

void sys_reply_recv(struct thread *self)
{
    struct core *core = core_this();
    struct slot *endpoint, *reply;

    klock_read(core);
    enum status status = find_both(self, &endpoint, &reply);

    if (__builtin_expect(status != OK, 0)) {
        refuse(core, self, status);
        return;
    }
    answer_and_receive(core, self, cap_object(&endpoint->cap), cap_object(&reply->cap));
}

void sys_map_reply_recv(struct thread *self)
{
    struct core *core = core_this();
    struct slot *endpoint, *reply;
    uint64_t lacking = 0;

    klock_read(core);
    enum status status = find_both(self, &endpoint, &reply);

    if (status == OK) {
        status = map_checked(self, low_half(self->regs.rsi), high_half(self->regs.rsi),
                             self->regs.rdx, self->regs.r8, 1, &lacking);
        if (__builtin_expect(status != OK, 0)) {
            reply_unclaim(cap_object(&reply->cap));
        }
    }
    if (__builtin_expect(status != OK, 0)) {
        self->regs.rsi = lacking;
        refuse(core, self, status);
        return;
    }
    self->regs.rsi = TAG(FR_RETRY, 0);
    answer_and_receive(core, self, cap_object(&endpoint->cap), cap_object(&reply->cap));
}
