/* lend.h: lending a SchedContext through a Reply, and back. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_OBJ_LEND_H
#define KERNEL_OBJ_LEND_H

#include "kernel/obj/endpoint.h"
#include "kernel/obj/sched.h"

/* A receiver without time of its own gets the caller's: the Reply is the new top of its stack. */
static inline void reply_lend(struct reply *reply, struct thread *caller, struct thread *receiver)
{
    struct sched *sched = caller->sched;

    reply->lent = NULL;
    if (receiver->sched || !sched) {
        return;
    }
    sched_pass(sched);
    caller->sched = NULL;
    sched_bind(sched, receiver);
    reply->lent = sched;
    reply->outer = sched->lender;
    sched->lender = reply;
}

/* The time that was lent through the Reply, which is the top, is its caller's again. */
static inline void reply_take_home(struct reply *reply, struct sched *sched, struct thread *caller)
{
    sched_pass(sched);
    sched->lender = reply->outer;
    reply->lent = NULL;
    sched_bind(sched, caller);
}

#endif
