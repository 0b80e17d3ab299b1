/* sched.c: which thread runs: priorities, turns and budgets on each CPU. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/sched.h"

#include "kernel/lib/bits.h"
#include "kernel/obj/endpoint.h"
#include "kernel/obj/notification.h"
#include "kernel/x86/lapic.h"
#include "kernel/x86/tsc.h"

void sched_init(struct sched *sched)
{
    sched->budget = sched->period = 1;
}

static void ready_insert(struct core *core, struct thread *thread, bool front)
{
    struct thread **head = &core->ready[thread->priority];

    ASSERT(!thread->queued && thread->state == TS_READY);
    thread->queued = true;
    if (*head) {
        thread->next = *head;
        thread->prev = (*head)->prev;
        thread->prev->next = thread;
        thread->next->prev = thread;
    } else {
        thread->next = thread->prev = thread;
    }
    if (front || !*head) {
        *head = thread;
    }
    core->ready_map[thread->priority / 64] |= 1ull << (thread->priority % 64);
    if (core->top < thread->priority) {
        core->top = core->bar = thread->priority;
    }
}

static void find_top(struct core *core)
{
    if (core->ready_map[1]) {
        core->top = 64 + (int32_t)bit_highest(core->ready_map[1]);
    } else {
        core->top = core->ready_map[0] ? (int32_t)bit_highest(core->ready_map[0]) : -1;
    }
    core->bar = core->top;
}

void sched_dequeue(struct thread *thread)
{
    struct core *core = core_of(thread->cpu);
    struct thread **head = &core->ready[thread->priority];

    if (!thread->queued) {
        return;
    }
    thread->queued = false;
    if (thread->next == thread) {
        *head = NULL;
        core->ready_map[thread->priority / 64] &= ~(1ull << (thread->priority % 64));
        find_top(core);
        return;
    }
    thread->next->prev = thread->prev;
    thread->prev->next = thread->next;
    if (*head == thread) {
        *head = thread->next;
    }
}

/* A SchedContext that has run out waits in its CPU's list, by time, until its next period. */
static void refill_later(struct core *core, struct sched *sched)
{
    struct sched **at = &core->refills;

    while (*at && (*at)->refill_at <= sched->refill_at) {
        at = &(*at)->next;
    }
    sched->next = *at;
    *at = sched;
    sched->waits = true;
    sched_arm(core, core->refills->refill_at);
}

static void refill_cancel(struct sched *sched)
{
    for (unsigned cpu = 0; sched->waits && cpu < cpu_count; cpu++) {
        struct sched **at = &core_of(cpu)->refills;

        while (*at && *at != sched) {
            at = &(*at)->next;
        }
        if (*at) {
            *at = sched->next;
            sched->waits = false;
        }
    }
}

/* Whether a thread runs on it at this moment. */
static bool is_in_use(const struct sched *sched)
{
    return sched->thread && core_current(core_of(sched->thread->cpu)) == sched->thread;
}

void sched_configure(struct sched *sched, uint64_t budget, uint64_t period)
{
    uint64_t now = rdtsc();
    bool waited = sched->waits;

    refill_cancel(sched);
    sched->budget = budget;
    sched->left = (int64_t)budget;
    sched->period = period;
    sched->limited = budget < period;
    sched->since = sched->limited && is_in_use(sched) ? now : 0;
    sched->refill_at = now + period;
    if (waited && sched->thread && sched->thread->state == TS_READY) {
        sched_wake(core_this(), sched->thread);
    }
}

void sched_take_back(struct sched *sched)
{
    struct thread *thread = sched->thread;

    if (thread && thread->state == TS_READY) {
        thread_stop(thread);
        thread->state = TS_READY;
    }
    sched->since = 0;
    sched_unbind(sched);
}

void sched_kill(struct sched *sched)
{
    refill_cancel(sched);
    sched_take_back(sched);
    for (struct reply *reply = sched->lender; reply; reply = reply->outer) {
        reply->lent = NULL;
    }
}

/* Puts a ready thread where it waits for its turn: the queue, or the list of those without budget. */
static void enqueue(struct core *core, struct thread *thread, bool front)
{
    struct sched *sched = thread->sched;

    if (!sched) {
        return;
    }
    if (sched->waits) {
        /* Its CPU gives it time, then looks whether the thread is ready; we the other way round. */
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        if (__atomic_load_n(&sched->waits, __ATOMIC_RELAXED)) {
            return;
        }
    }
    if (sched->limited && sched->left <= 0) {
        refill_later(core, sched);
        return;
    }
    ready_insert(core, thread, front);
}

void sched_wake(struct core *core, struct thread *thread)
{
    thread->state = TS_READY;
    if (thread->cpu == core_cpu(core)->id) {
        struct thread *current = core_current(core);

        enqueue(core, thread, false);
        if (thread->queued && (!current || thread->priority > current->priority)) {
            core->reschedule = true;
        }
        return;
    }
    struct core *other = core_of(thread->cpu);
    struct thread *first = __atomic_load_n(&other->wake_list, __ATOMIC_RELAXED);

    if (__atomic_exchange_n(&thread->waking, true, __ATOMIC_ACQ_REL)) {
        return;
    }
    do {
        thread->wake_next = first;
    } while (!__atomic_compare_exchange_n(&other->wake_list, &first, thread, false,
                                          __ATOMIC_RELEASE, __ATOMIC_RELAXED));
    if (!first) {
        core_count(core, CT_IPI);
        lapic_send_ipi(thread->cpu, VECTOR_IPI_WAKE);
    }
}

void sched_cancel_wake(struct thread *thread)
{
    struct thread **at = &core_of(thread->cpu)->wake_list;

    while (*at && *at != thread) {
        at = &(*at)->wake_next;
    }
    if (*at) {
        *at = thread->wake_next;
    }
    thread->waking = false;
}

/* Of a thread that another CPU found ready this CPU may know more: that it runs, or waits its turn. */
static void wake_once(struct core *core, struct thread *thread)
{
    if (thread->state == TS_READY && !thread->queued && thread != core_current(core)) {
        sched_wake(core, thread);
    }
}

void sched_take_wake_list(struct core *core)
{
    struct thread *thread = __atomic_exchange_n(&core->wake_list, NULL, __ATOMIC_ACQUIRE);

    while (thread) {
        struct thread *next = thread->wake_next;

        (void)__atomic_exchange_n(&thread->waking, false, __ATOMIC_ACQ_REL);
        wake_once(core, thread);
        thread = next;
    }
}

void sched_charge(struct sched *sched)
{
    if (sched->since) {
        sched->left -= (int64_t)(rdtsc() - sched->since);
        sched->since = 0;
    }
}

static void charge(struct sched *sched)
{
    if (sched && sched->limited) {
        sched_charge(sched);
    }
}

void sched_arm(struct core *core, uint64_t deadline)
{
    if (deadline < core->armed) {
        core->armed = deadline;
        lapic_timer_arm(deadline);
    }
}

void sched_begin(struct core *core, struct sched *sched)
{
    uint64_t end;

    sched->since = rdtsc();
    end = sched->left > 0 ? sched->since + (uint64_t)sched->left : sched->since;
    if (end < core->slice_end) {
        core->slice_end = end;
        sched_arm(core, end);
    }
}

/* A turn begins: its end is the slice's, or that of the budget. */
static void begin_turn(struct core *core, struct thread *thread)
{
    uint64_t length = thread->turn_left;

    thread->turn_left = 0;
    core->slice_end = rdtsc() + (length ? length : tsc_hz / 1000 * SLICE_MS);
    sched_arm(core, core->slice_end);
    if (thread->sched->limited) {
        sched_begin(core, thread->sched);
    }
}

static void nothing_to_run(struct core *core)
{
    struct cpu *cpu = core_cpu(core);

    cpu->current = NULL;
    core->idle.vector = REGS_IDLE;
    cpu->tss.rsp0 = (uint64_t)(&core->idle + 1);
    core->slice_end = UINT64_MAX;
}

void sched_choose(struct core *core)
{
    struct thread *old = core_current(core);

    core->reschedule = false;
    if (old) {
        uint64_t now = rdtsc();

        charge(old->sched);
        old->turn_left = now < core->slice_end ? core->slice_end - now : 0;
        enqueue(core, old, old->turn_left);
    }
    if (core->top < 0) {
        nothing_to_run(core);
        return;
    }
    struct thread *thread = core->ready[core->top];

    sched_dequeue(thread);
    sched_switch(core, thread);
    begin_turn(core, thread);
}

void sched_block(struct core *core)
{
    charge(core_current(core)->sched);
    core_cpu(core)->current = NULL;
    sched_choose(core);
}

void sched_yield(struct core *core)
{
    struct thread *current = core_current(core);

    charge(current->sched);
    core_cpu(core)->current = NULL;
    enqueue(core, current, false);
    sched_choose(core);
}

/* A period begins. An overrun is made up for, but no longer than a period of it. */
static void refill(struct sched *sched, uint64_t now)
{
    int64_t budget = (int64_t)sched->budget, least = -(int64_t)sched->period;

    sched->left = (sched->left > least ? sched->left : least) + budget;
    if (sched->left > budget) {
        sched->left = budget;
    }
    sched->refill_at = now + sched->period;
}

static void refill_due(struct core *core, uint64_t now)
{
    while (core->refills && core->refills->refill_at <= now) {
        struct sched *sched = core->refills;

        core->refills = sched->next;
        refill(sched, now);
        if (sched->left <= 0) {
            refill_later(core, sched);
            continue;
        }
        /* See enqueue(). The thread may be another CPU's, and be lending or getting time just now. */
        (void)__atomic_exchange_n(&sched->waits, false, __ATOMIC_SEQ_CST);
        struct thread *thread = __atomic_load_n(&sched->thread, __ATOMIC_RELAXED);

        if (thread && thread->cpu == core_cpu(core)->id) {
            wake_once(core, thread);
        } else if (thread && __atomic_load_n(&thread->state, __ATOMIC_RELAXED) == TS_READY) {
            sched_wake(core, thread);
        }
    }
}

/*
 * The turn that ends may be that of another thread, which the current one works for: if it goes on for want of others of its priority,
 * the next direct switch must not lead to one of the priority that waits, but that one has its turn.
 */
static void end_turn(struct core *core)
{
    struct thread *current = core_current(core);

    sched_yield(core);
    core->bar = core->top + (core_current(core) == current);
}

void sched_tick(struct core *core)
{
    uint64_t now = rdtsc(), next;

    core->armed = UINT64_MAX;
    refill_due(core, now);
    next = notification_timers_due(core, now);
    if (core->refills && core->refills->refill_at < next) {
        next = core->refills->refill_at;
    }
    if (core_current(core) && core->slice_end <= now) {
        end_turn(core);
    }
    if (core->slice_end < next) {
        next = core->slice_end;
    }
    if (next != UINT64_MAX) {
        sched_arm(core, next);
    }
}
