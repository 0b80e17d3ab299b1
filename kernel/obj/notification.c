/* notification.c: signals, waits, and the timers that signal. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/notification.h"

#include "kernel/obj/sched.h"

void notification_remove(struct notification *notification, struct thread *thread)
{
    struct thread *next = thread->next;

    if (next == thread) {
        notification->queue = NULL;
        return;
    }
    next->prev = thread->prev;
    thread->prev->next = next;
    if (notification->queue == thread) {
        notification->queue = next;
    }
}

static void hand_over(struct thread *thread, uint32_t bits)
{
    thread->regs.rax = OK;
    thread->regs.rdi = bits;
}

/* To a thread that receives: as a message. */
static void hand_over_message(struct thread *thread, uint32_t bits)
{
    hand_over(thread, bits);
    thread->regs.rsi = TAG_KERNEL | TAG(KL_NOTIFICATION, 0);
}

/* If the bound thread waits in an endpoint, takes it out of there and hands it the bits. */
static bool signal_bound(struct core *core, struct thread *thread, uint32_t bits)
{
    struct endpoint *endpoint;
    uint64_t queue;

    if (!thread || __atomic_load_n(&thread->state, __ATOMIC_RELAXED) != TS_RECV) {
        return false;
    }
    /* It cannot begin to wait without our lock; a caller may take it out before we do. */
    endpoint = thread->waits_in;
    queue = endpoint_lock(endpoint);
    if (thread->state != TS_RECV) {
        endpoint_unlock(endpoint, queue);
        return false;
    }
    thread->state = TS_READY;
    endpoint_unlock(endpoint, queue_remove(queue, thread));
    thread->reply->receiver = NULL;
    thread->reply = NULL;
    hand_over_message(thread, bits);
    sched_wake(core, thread);
    return true;
}

void notification_signal(struct core *core, struct notification *notification, uint32_t bits)
{
    struct thread *thread;

    lock_take(&notification->lock);
    bits |= notification->word;
    thread = notification->queue;
    if (thread) {
        notification_remove(notification, thread);
        notification->word = 0;
        hand_over(thread, bits);
        sched_wake(core, thread);
    } else if (signal_bound(core, notification->bound, bits)) {
        notification->word = 0;
    } else {
        notification->word = bits;
    }
    lock_release(&notification->lock);
}

void notification_wait(struct core *core, struct notification *notification,
                       struct thread *thread)
{
    lock_take(&notification->lock);
    if (notification->word) {
        hand_over(thread, notification->word);
        notification->word = 0;
        lock_release(&notification->lock);
        return;
    }
    thread->state = TS_WAIT;
    thread->waits_in = notification;
    if (notification->queue) {
        thread->next = notification->queue;
        thread->prev = thread->next->prev;
        thread->prev->next = thread;
        thread->next->prev = thread;
    } else {
        thread->next = thread->prev = thread;
        notification->queue = thread;
    }
    lock_release(&notification->lock);
    sched_block(core);
}

uint32_t notification_poll(struct notification *notification)
{
    uint32_t bits;

    lock_take(&notification->lock);
    bits = notification->word;
    notification->word = 0;
    lock_release(&notification->lock);
    return bits;
}

bool notification_take(struct notification *notification, struct thread *thread)
{
    lock_take(&notification->lock);
    if (notification->word == 0) {
        return false;
    }
    hand_over_message(thread, notification->word);
    notification->word = 0;
    lock_release(&notification->lock);
    return true;
}

static void timer_remove(struct notification *notification)
{
    struct core *core = core_of(notification->timer_cpu);
    struct notification **at = &core->timers;

    lock_take(&core->timer_lock);
    while (*at && *at != notification) {
        at = &(*at)->timer_next;
    }
    if (*at) {
        *at = notification->timer_next;
    }
    notification->deadline = 0;
    lock_release(&core->timer_lock);
}

void notification_timer(struct core *core, struct notification *notification, uint64_t deadline,
                        uint32_t badge)
{
    struct notification **at = &core->timers;

    lock_take(&notification->lock);
    timer_remove(notification);
    if (deadline) {
        lock_take(&core->timer_lock);
        notification->deadline = deadline;
        notification->timer_badge = badge;
        notification->timer_cpu = core_cpu(core)->id;
        while (*at && (*at)->deadline <= deadline) {
            at = &(*at)->timer_next;
        }
        notification->timer_next = *at;
        *at = notification;
        sched_arm(core, core->timers->deadline);
        lock_release(&core->timer_lock);
    }
    lock_release(&notification->lock);
}

uint64_t notification_timers_due(struct core *core, uint64_t now)
{
    for (;;) {
        lock_take(&core->timer_lock);
        struct notification *first = core->timers;

        if (!first || first->deadline > now) {
            lock_release(&core->timer_lock);
            return first ? first->deadline : UINT64_MAX;
        }
        uint32_t badge = first->timer_badge;

        core->timers = first->timer_next;
        first->deadline = 0;
        lock_release(&core->timer_lock);
        notification_signal(core, first, badge);
    }
}

enum status notification_bind(struct notification *notification, struct thread *thread)
{
    if (notification->bound || thread->bound) {
        return E_BUSY;
    }
    notification->bound = thread;
    thread->bound = notification;
    return OK;
}

void notification_unbind(struct thread *thread)
{
    if (thread->bound) {
        thread->bound->bound = NULL;
        thread->bound = NULL;
    }
}

void notification_kill(struct core *core, struct notification *notification)
{
    timer_remove(notification);
    if (notification->bound) {
        notification_unbind(notification->bound);
    }
    while (notification->queue) {
        struct thread *thread = notification->queue;

        notification_remove(notification, thread);
        thread_end_wait(core, thread, E_GONE);
    }
}
