/* vcpus.c: system calls on virtual CPUs. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/destroy.h"
#include "kernel/obj/space.h"
#include "kernel/obj/vcpu.h"
#include "kernel/sys/sys.h"

enum status sys_vcpu_configure(struct core *core, struct thread *self, struct slot *slot)
{
    struct vcpu *vcpu = cap_object(&slot->cap);
    const struct regs *regs = &self->regs;
    struct slot *space, *frame, *exits, *faults;
    enum status status = sys_find(self, low_half(regs->rsi), OBJ_SPACE, SP_ASSIGN, &space);

    if (status == OK) {
        status = sys_find(self, high_half(regs->rsi), OBJ_FRAME, FR_READ | FR_WRITE, &frame);
    }
    if (status == OK) {
        status = sys_find(self, low_half(regs->rdx), OBJ_ENDPOINT, EP_CALL, &exits);
    }
    if (status == OK) {
        status = sys_find(self, high_half(regs->rdx), OBJ_ENDPOINT, EP_CALL, &faults);
    }
    if (status != OK) {
        return status;
    }
    uint8_t type = ((struct space *)cap_object(&space->cap))->type;

    if (type != PT_EPT && type != PT_NPT) {
        return E_TYPE;
    }
    if (regs->r8 % VCPU_STATE_SIZE) {
        return E_ALIGN;
    }
    if (regs->r8 >= 1ull << frame->cap.bits || regs->r8 > UINT32_MAX ||
        (frame->cap.flags & CAP_DEVICE)) {
        return E_ARGUMENT;
    }
    if (vcpu->thread.state != TS_STOPPED) {
        return E_STATE;
    }
    struct thread *thread = &vcpu->thread;
    bool done = thread_set_slot(core, thread, TSLOT_SPACE, space, 0) &&
                thread_set_slot(core, thread, TSLOT_BUFFER, frame, (uint32_t)regs->r8) &&
                thread_set_slot(core, thread, TSLOT_EXIT, exits, 0) &&
                thread_set_slot(core, thread, TSLOT_FAULT, faults, 0);

    return done && !destroy_steps(core) ? OK : SYS_AGAIN;
}

enum status sys_vcpu_mask(struct core *core, struct thread *self, struct slot *slot)
{
    struct vcpu *vcpu = cap_object(&slot->cap);
    uint64_t reason = self->regs.rsi, groups = self->regs.rdx;

    (void)core;
    if (reason >= EXIT_COUNT || (groups & ~(uint64_t)VS_ALL)) {
        return E_ARGUMENT;
    }
    vcpu->mask[reason] = (uint16_t)groups;
    return OK;
}

enum status sys_vcpu_kick(struct core *core, struct thread *self, struct slot *slot)
{
    (void)self;
    vcpu_kick(core, cap_object(&slot->cap));
    return OK;
}
