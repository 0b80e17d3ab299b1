/* thread.c: threads: their own capabilities, stopping and ending them. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/thread.h"

#include "kernel/mem/phys.h"
#include "kernel/obj/destroy.h"
#include "kernel/obj/endpoint.h"
#include "kernel/obj/klock.h"
#include "kernel/obj/notification.h"
#include "kernel/obj/sched.h"
#include "kernel/obj/vcpu.h"
#include "kernel/x86/cpu.h"

void thread_init(struct thread *thread, enum thread_kind kind)
{
    thread->kind = kind;
    thread->regs.cs = SEL_USER_CODE;
    thread->regs.ss = SEL_USER_DATA;
    thread->regs.rflags = RFLAGS_FIXED | RFLAGS_IF;
    fpu_init(thread_fpu(thread));
}

/* Unpacks what the slot holds now, or nothing. */
static void unpack(struct thread *thread, enum thread_slot index)
{
    struct cap *cap = &thread->slot[index].cap;
    bool empty = cap->type == OBJ_NULL;

    switch (index) {
    case TSLOT_CSPACE:
        thread->cspace.slots = empty ? NULL : cnode_slots(cap);
        thread->cspace.count = empty ? 0 : cnode_count(cap);
        break;
    case TSLOT_SPACE:
        thread->space = empty ? NULL : cap_object(cap);
        break;
    case TSLOT_BUFFER:
        thread->buffer = empty ? NULL : page_address(cap->object + cap->badge);
        break;
    default:
        break;
    }
}

bool thread_set_slot(struct core *core, struct thread *thread, enum thread_slot index,
                     struct slot *source, uint32_t offset)
{
    struct slot *slot = &thread->slot[index];

    if (!source) {
        return true;
    }
    if (!slot_is_empty(slot) && !destroy_slot(core, slot)) {
        return false;
    }
    struct cap cap = source->cap;

    cap.flags = CAP_INSIDE;
    if (index == TSLOT_BUFFER) {
        cap.badge = offset; /* a Frame has no other use for it */
    }
    lock_take(&derivation_lock);
    slot_insert_locked(slot, cap, source);
    lock_release(&derivation_lock);
    unpack(thread, index);
    return true;
}

void thread_slot_lost(struct slot *slot)
{
    struct thread *thread = (struct thread *)((uint64_t)slot & ~((1ull << THREAD_BITS) - 1));
    enum thread_slot index = (enum thread_slot)(slot - thread->slot);

    if (index == TSLOT_SPACE || (thread->kind == THREAD_VCPU && index == TSLOT_BUFFER)) {
        thread_stop(thread);
    }
    unpack(thread, index);
}

void thread_end_wait(struct core *core, struct thread *thread, enum status status)
{
    /* A fault that nobody will answer leaves its thread stopped. */
    if (thread->state != TS_WAIT && thread->call != CALL_USER && thread->state != TS_RECV) {
        thread->state = TS_STOPPED;
        return;
    }
    thread->regs.rax = status;
    sched_wake(core, thread);
}

/* Takes the thread out of the queue that its state names. */
static void leave_queue(struct thread *thread)
{
    switch (thread->state) {
    case TS_RECV:
        endpoint_remove(thread->waits_in, thread);
        thread->reply->receiver = NULL;
        thread->reply = NULL;
        break;
    case TS_CALL:
        endpoint_remove(thread->waits_in, thread);
        break;
    case TS_REPLY:
        reply_forget(thread->waits_in);
        break;
    case TS_WAIT:
        notification_remove(thread->waits_in, thread);
        break;
    default:
        break;
    }
}

/*
 * A thread that was about to make a system call, when it was stopped, has not made it: it will when it is resumed.
 * (The instruction SYSCALL is two bytes long.)
 */
static void system_call_undo(struct thread *thread)
{
    if (thread->kind == THREAD_USER && thread->regs.vector == REGS_SYSCALL) {
        thread->regs.rip -= 2;
    }
}

/* Takes a ready thread from its CPU, wherever it is there. */
static void leave_cpu(struct thread *thread)
{
    struct core *core = core_this(), *other = core_of(thread->cpu);

    sched_cancel_wake(thread);
    sched_dequeue(thread);
    if (core_current(other) == thread) {
        if (other != core) {
            core_leave(core, other);
            if (other->held == thread) {
                system_call_undo(thread);
            }
        }
        if (thread->sched && thread->sched->limited) {
            sched_charge(thread->sched);
        }
        core_cpu(other)->current = NULL;
        other->reschedule = true;
    }
}

void thread_stop(struct thread *thread)
{
    if (thread->state == TS_READY) {
        leave_cpu(thread);
    } else if (thread->state != TS_STOPPED) {
        leave_queue(thread);
        if (thread->call == CALL_USER || thread->state == TS_WAIT || thread->state == TS_RECV) {
            thread->regs.rax = E_GONE;
        }
    }
    thread->state = TS_STOPPED;
}

void thread_forget_cached(struct thread *thread)
{
    struct core *core = core_this();

    for (unsigned cpu = 0; cpu < cpu_count; cpu++) {
        struct core *other = core_of(cpu);
        bool vcpu = thread->kind == THREAD_VCPU && other->vcpu == vcpu_of(thread);

        if (other->fpu_owner != thread && !vcpu) {
            continue;
        }
        if (other == core) {
            core_drop(core);
        } else {
            core_leave(core, other);
        }
    }
}

void thread_kill(struct thread *thread)
{
    thread_stop(thread);
    thread_forget_cached(thread);
    reply_give_back(thread);
    if (thread->sched) {
        sched_unbind(thread->sched);
    }
    notification_unbind(thread);
}
