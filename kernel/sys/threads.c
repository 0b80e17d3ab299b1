/* threads.c: system calls on threads, virtual CPUs as threads, and SchedContexts. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mem/phys.h"
#include "kernel/obj/destroy.h"
#include "kernel/obj/endpoint.h"
#include "kernel/obj/notification.h"
#include "kernel/obj/sched.h"
#include "kernel/obj/space.h"
#include "kernel/obj/vcpu.h"
#include "kernel/sys/sys.h"

/* A capability for one of the thread's own slots: none if the address is 0. */
static enum status find_part(struct thread *self, uint32_t cptr, enum object_type type,
                             uint8_t rights, struct slot **slot)
{
    *slot = NULL;
    return cptr ? sys_find(self, cptr, type, rights, slot) : OK;
}

static enum status check_buffer(const struct slot *frame, uint64_t offset)
{
    if (!frame) {
        return OK;
    }
    if (offset % IPC_BUFFER_SIZE) {
        return E_ALIGN;
    }
    if (offset >= 1ull << frame->cap.bits || offset > UINT32_MAX ||
        (frame->cap.flags & CAP_DEVICE)) {
        return E_ARGUMENT;
    }
    return OK;
}

enum status sys_thread_configure(struct core *core, struct thread *self, struct slot *slot)
{
    struct thread *thread = cap_object(&slot->cap);
    struct slot *cnode, *space, *fault, *buffer;
    const struct regs *regs = &self->regs;
    enum status status = find_part(self, low_half(regs->rsi), OBJ_CNODE, 0, &cnode);

    if (status == OK) {
        status = find_part(self, high_half(regs->rsi), OBJ_SPACE, SP_ASSIGN, &space);
    }
    if (status == OK) {
        status = find_part(self, low_half(regs->rdx), OBJ_ENDPOINT, EP_CALL, &fault);
    }
    if (status == OK) {
        status = find_part(self, high_half(regs->rdx), OBJ_FRAME, FR_READ | FR_WRITE, &buffer);
    }
    if (status == OK) {
        status = check_buffer(buffer, regs->r8);
    }
    if (status == OK && space) {
        bool other = ((struct space *)cap_object(&space->cap))->type != PT_X86;

        status = other ? E_TYPE : thread->state != TS_STOPPED ? E_STATE : OK;
    }
    if (status != OK) {
        return status;
    }
    bool done = thread_set_slot(core, thread, TSLOT_CSPACE, cnode, 0) &&
                thread_set_slot(core, thread, TSLOT_SPACE, space, 0) &&
                thread_set_slot(core, thread, TSLOT_FAULT, fault, 0) &&
                thread_set_slot(core, thread, TSLOT_BUFFER, buffer, (uint32_t)regs->r8);

    return done && !destroy_steps(core) ? OK : SYS_AGAIN;
}

enum status sys_thread_regs(struct core *core, struct thread *self, struct slot *slot)
{
    struct thread *thread = cap_object(&slot->cap);
    const struct regs *regs = &self->regs;

    (void)core;
    if (thread->state != TS_STOPPED) {
        return E_STATE;
    }
    if (regs->rsi >= USER_END || regs->rdx > USER_END || (regs->r10 & ~(uint64_t)THREAD_FPU)) {
        return E_ARGUMENT;
    }
    thread->regs.rip = regs->rsi;
    thread->regs.rsp = regs->rdx;
    thread->regs.rdi = regs->r8;
    thread->regs.rsi = regs->r9;
    thread->regs.vector = 0;
    thread->uses_fpu = regs->r10 & THREAD_FPU;
    return OK;
}

enum status sys_thread_read(struct core *core, struct thread *self, struct slot *slot)
{
    struct thread *thread = cap_object(&slot->cap);

    (void)core;
    if (thread->state == TS_READY) {
        return E_STATE;
    }
    self->regs.rsi = thread->regs.rip;
    self->regs.rdx = thread->regs.rsp;
    self->regs.r8 = thread->regs.rflags;
    self->regs.r9 = thread->regs.rax;
    self->regs.r10 = thread->regs.rbp;
    return OK;
}

enum status sys_thread_bind(struct core *core, struct thread *self, struct slot *slot)
{
    struct thread *thread = cap_object(&slot->cap);
    struct slot *notification;
    uint32_t cptr = high_half(self->regs.rdi);

    (void)core;
    if (cptr == CPTR_NONE) {
        notification_unbind(thread);
        return OK;
    }
    enum status status = sys_find(self, cptr, OBJ_NOTIFICATION, NT_WAIT, &notification);

    return status == OK ? notification_bind(cap_object(&notification->cap), thread) : status;
}

/* The thread of a Thread or VCpu capability that has the right. */
static enum status thread_of(const struct cap *cap, uint8_t thread_right, uint8_t vcpu_right,
                             struct thread **thread)
{
    if (cap->type != OBJ_THREAD && cap->type != OBJ_VCPU) {
        return E_TYPE;
    }
    *thread = cap_object(cap);
    return cap->rights & (cap->type == OBJ_THREAD ? thread_right : vcpu_right) ? OK : E_RIGHT;
}

enum status sys_sched(struct core *core, struct thread *self, struct slot *slot)
{
    (void)core;
    uint32_t cptr = high_half(self->regs.rdi);
    uint64_t priority = self->regs.rsi & 0xff, cpu = self->regs.rsi >> 8;
    struct thread *thread;
    struct slot *sched = NULL;
    enum status status = thread_of(&slot->cap, TH_CONFIGURE, VC_CONFIGURE, &thread);

    if (status == OK && cptr) {
        status = sys_find(self, cptr, OBJ_SCHED, SC_BIND, &sched);
    }
    if (status != OK) {
        return status;
    }
    struct sched *time = sched ? cap_object(&sched->cap) : NULL;

    /* Nobody makes anything more urgent than itself. */
    if (priority > self->priority || cpu >= cpu_count) {
        return E_ARGUMENT;
    }
    if (time && time->thread && time->thread != thread) {
        return E_BUSY;
    }
    /* Of one that waits for an answer the time may be lent. */
    if (thread->state == TS_READY || thread->state == TS_REPLY) {
        return E_STATE;
    }
    if (thread->sched) {
        sched_unbind(thread->sched);
    }
    if (thread->cpu != cpu) {
        thread_forget_cached(thread);
    }
    thread->priority = (uint8_t)priority;
    thread->cpu = (uint32_t)cpu;
    if (time) {
        sched_bind(time, thread);
    }
    return OK;
}

enum status sys_resume(struct core *core, struct thread *self, struct slot *slot)
{
    struct thread *thread;
    enum status status = thread_of(&slot->cap, TH_CONTROL, VC_CONTROL, &thread);

    (void)self;
    if (status != OK) {
        return status;
    }
    if (thread->state != TS_STOPPED || !thread->space ||
        (thread->kind == THREAD_VCPU && !thread->buffer)) {
        return E_STATE;
    }
    sched_wake(core, thread);
    return OK;
}

enum status sys_suspend(struct core *core, struct thread *self, struct slot *slot)
{
    struct thread *thread;
    enum status status = thread_of(&slot->cap, TH_CONTROL, VC_CONTROL, &thread);

    (void)core;
    if (status != OK) {
        return status;
    }
    if (thread == self) {
        self->regs.rax = OK;
    }
    thread_stop(thread);
    return OK;
}

enum status sys_sc_configure(struct core *core, struct thread *self, struct slot *slot)
{
    struct sched *sched = cap_object(&slot->cap);
    uint64_t budget = self->regs.rsi, period = self->regs.rdx;

    (void)core;
    if (budget == 0 || budget > period || period > INT64_MAX) {
        return E_ARGUMENT;
    }
    sched_configure(sched, budget, period);
    return OK;
}

enum status sys_yield(struct core *core, struct thread *self, struct slot *slot)
{
    (void)slot;
    self->regs.rax = OK;
    sched_yield(core);
    return OK;
}
