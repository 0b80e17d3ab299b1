/* sched.h: SchedContexts, ready queues and the choice of what runs. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_OBJ_SCHED_H
#define KERNEL_OBJ_SCHED_H

#include "kernel/obj/core.h"
#include "kernel/obj/fpu.h"
#include "kernel/obj/space.h"

/* Time to run: 'budget' ticks in each 'period'. A call lends it to the thread that answers. */
struct sched {
    struct thread *thread;   /* who runs on it now; NULL: nobody */
    struct reply *lender;    /* through which it was lent last (endpoint.h); NULL: it is not lent */
    uint64_t budget, period; /* TSC ticks; equal: no limit */
    int64_t left;            /* of this period's budget; below 0: overrun, to be made up for */
    uint64_t refill_at;      /* TSC when the next period begins */
    uint64_t since;          /* TSC when it began to be used; 0: nobody runs on it, or no limit */
    struct sched *next;      /* in its CPU's list of refills */
    bool limited;            /* budget < period */
    bool waits;              /* in that list: has run out */
};

_Static_assert(sizeof(struct sched) <= 1 << SCHED_BITS, "object size");

/* How long threads of one priority run in turn, in milliseconds. */
#define SLICE_MS 5

/* A SchedContext of zeroed memory: without limit. */
void sched_init(struct sched *sched);

/* Sets budget and period in TSC ticks, 0 < budget <= period; a new period begins. Kernel lock: writing. */
void sched_configure(struct sched *sched, uint64_t budget, uint64_t period);

/* Gives a SchedContext to a thread that has none. */
static inline void sched_bind(struct sched *sched, struct thread *thread)
{
    sched->thread = thread;
    thread->sched = sched;
}

static inline void sched_unbind(struct sched *sched)
{
    if (sched->thread) {
        sched->thread->sched = NULL;
        sched->thread = NULL;
    }
}

/*
 * Takes the SchedContext from whoever runs on it: that thread stays ready, but runs only when it is
 * given other time. Kernel lock: writing.
 */
void sched_take_back(struct sched *sched);

/* The same for ever; it is not lent to anybody any more either. Kernel lock: writing. */
void sched_kill(struct sched *sched);

/*
 * Makes a thread ready, on its own CPU at once or by a message to it. If it is more urgent than what runs here,
 * core->reschedule is set. The thread is in no queue. Any thread in TS_READY that is not current must have gone through here.
 */
void sched_wake(struct core *core, struct thread *thread);

/* Takes a ready thread out of its CPU's queue, if it is in it. Its own CPU, or kernel lock: writing. */
void sched_dequeue(struct thread *thread);

/* Makes ready what other CPUs put on this one's list. */
void sched_take_wake_list(struct core *core);

/* Takes a thread out of the list of those that other CPUs made ready. Kernel lock: writing. */
void sched_cancel_wake(struct thread *thread);

/* Chooses the most urgent ready thread as current; the thread that was current, if any, waits its turn. */
void sched_choose(struct core *core);

/*
 * The current thread waits for something: another is chosen. Its state says so since before it could be found by
 * another CPU, which may have made it ready already, by a message to this one: so its state is not looked at here.
 */
void sched_block(struct core *core);

/* The current thread's turn is over: others of its priority first. */
void sched_yield(struct core *core);

/* Looks at slice, budgets and notification timers; sets the timer for what comes next. */
void sched_tick(struct core *core);

/* Charges a SchedContext with a limit for the time that it was used, which is over. */
void sched_charge(struct sched *sched);

/* It changes hands, perhaps to another CPU: what it was used for so far is charged. */
static inline void sched_pass(struct sched *sched)
{
    if (__builtin_expect(sched->limited, 0)) {
        sched_charge(sched);
    }
}

/*
 * The current thread begins to use a SchedContext with a limit, outside of sched_choose(): the turn
 * ends when the budget does.
 */
void sched_begin(struct core *core, struct sched *sched);

static inline void sched_use(struct core *core, struct sched *sched)
{
    if (sched && __builtin_expect(sched->limited, 0) && sched->since == 0) {
        sched_begin(core, sched);
    }
}

/* Makes sure that the timer fires no later than 'deadline'. */
void sched_arm(struct core *core, uint64_t deadline);

/*
 * Makes a user thread without FPU current, when the FPU is blocked and the time of what was current needs no accounting.
 */
static inline void sched_switch_plain(struct core *core, struct thread *thread)
{
    struct cpu *cpu = core_cpu(core);

    core_count(core, CT_SWITCH);
    cpu->current = thread;
    cpu->tss.rsp0 = (uint64_t)(&thread->regs + 1);
    if (thread->space != core->space) {
        space_enter(core, thread->space);
    }
}

/*
 * Makes 'thread', which is ready and in no queue, current at once, without a look at the queues: the short way
 * of a message from one thread to the other.
 */
static inline void sched_switch(struct core *core, struct thread *thread)
{
    struct cpu *cpu = core_cpu(core);
    struct thread *old = cpu->current;

    core_count(core, CT_SWITCH);
    if (old && old->sched && __builtin_expect(old->sched->limited, 0)) {
        sched_charge(old->sched);
    }
    cpu->current = thread;
    cpu->tss.rsp0 = (uint64_t)(&thread->regs + 1);
    if (thread->kind == THREAD_USER && thread->space != core->space) {
        space_enter(core, thread->space);
    }
    if (__builtin_expect(!fpu_is_right(core, thread), 0)) {
        fpu_switch(core, thread);
    }
    sched_use(core, thread->sched);
}

#endif
