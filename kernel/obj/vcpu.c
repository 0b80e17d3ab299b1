/* vcpu.c: what happens between a guest's exit and its next entry, whatever the hardware. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/vcpu.h"

#include "kernel/mem/phys.h"
#include "kernel/obj/direct.h"
#include "kernel/obj/endpoint.h"
#include "kernel/obj/klock.h"
#include "kernel/obj/sched.h"
#include "kernel/obj/space.h"
#include "kernel/x86/lapic.h"

noreturn void return_to_current(void);

enum status vcpu_init(struct vcpu *vcpu)
{
    if (!virt->enter) {
        return E_UNSUPPORTED;
    }
    thread_init(&vcpu->thread, THREAD_VCPU);
    vcpu->thread.uses_fpu = true;
    vcpu->xcr0 = 1;
    vcpu->loaded_cpu = UINT32_MAX;
    vcpu->load = VS_ALL;
    vcpu->control_page = page_physical((char *)vcpu + VCPU_CONTROL_OFFSET);
    for (unsigned i = 0; i < EXIT_COUNT; i++) {
        vcpu->mask[i] = VS_IP;
    }
    virt->vcpu_init(vcpu);
    return OK;
}

void vcpu_reload(struct core *core, struct vcpu *vcpu)
{
    if (core->vcpu != vcpu) {
        vcpu_unload(core);
        virt->load(core, vcpu);
        core->vcpu = vcpu;
    }
}

void vcpu_unload(struct core *core)
{
    if (core->vcpu) {
        virt->unload(core, core->vcpu);
        core->vcpu = NULL;
    }
}

/*
 * The other half of a shootdown (space_enter() is the one for threads): this CPU shows that it runs on the Space, then
 * reads the generation (I15); the interrupts stay off until the entry.
 */
static void enter_space(struct core *core, struct vcpu *vcpu)
{
    struct space *space = vcpu->thread.space;
    uint64_t *seen = &space->seen[core_cpu(core)->id];

    (void)__atomic_exchange_n(&core->nested, space, __ATOMIC_SEQ_CST);
    uint64_t generation = __atomic_load_n(&space->generation, __ATOMIC_RELAXED);

    if (__builtin_expect(*seen != generation, 0)) {
        core_count(core, CT_INVALIDATE);
        virt->flush_nested(vcpu);
        __atomic_store_n(seen, generation, __ATOMIC_RELEASE);
    }
}

static struct slot *part(struct vcpu *vcpu, enum thread_slot index)
{
    struct slot *slot = &vcpu->thread.slot[index];

    return slot->cap.type == OBJ_ENDPOINT ? slot : NULL;
}

/* The general way of a message; without an endpoint the virtual CPU stops. */
static void send(struct core *core, struct vcpu *vcpu, enum thread_slot index, enum call_kind kind,
                 const struct message *message)
{
    struct slot *slot = part(vcpu, index);

    if (!slot) {
        vcpu->thread.state = TS_STOPPED;
        sched_block(core);
        return;
    }
    vcpu->thread.fault = *message;
    endpoint_call(core, &vcpu->thread, cap_object(&slot->cap), &slot->cap, kind);
}

void vcpu_exit(struct core *core, struct vcpu *vcpu, enum vcpu_exit reason, uint64_t word1,
               uint64_t word2, uint64_t word3)
{
    const uint64_t tag = TAG_KERNEL | TAG(KL_EXIT, 4);

    if (vcpu->mask[reason]) {
        virt->get(vcpu, vcpu->mask[reason]);
    }
    if (__builtin_expect(!direct_send(core, vcpu, TSLOT_EXIT, CALL_EXIT, tag, reason, word1,
                                      word2, word3),
                         0)) {
        send(core, vcpu, TSLOT_EXIT, CALL_EXIT,
             &(struct message){tag, {reason, word1, word2, word3}});
    }
}

void vcpu_fault(struct core *core, struct vcpu *vcpu, uint64_t address, uint64_t access,
                uint64_t linear)
{
    const uint64_t tag = TAG_KERNEL | TAG(KL_NESTED_FAULT, 2);
    struct space *space = vcpu->thread.space;

    core_count(core, CT_NESTED_FAULT);
    if (address >= space->window_first && address <= space->window_last) {
        vcpu_exit(core, vcpu, EXIT_MEMORY, address, access, linear);
        return;
    }
    vcpu->fault_address = address;
    vcpu->fault_access = access;
    vcpu->fault_linear = linear;
    core_count(core, CT_NESTED_MESSAGE);
    if (__builtin_expect(!direct_send(core, vcpu, TSLOT_FAULT, CALL_NESTED_FAULT, tag, address,
                                      access, 0, 0),
                         0)) {
        send(core, vcpu, TSLOT_FAULT, CALL_NESTED_FAULT,
             &(struct message){tag, {address, access, 0, 0}});
    }
}

bool vcpu_answer_exit(struct vcpu *vcpu, uint64_t groups)
{
    vcpu->load |= groups;
    return true;
}

bool vcpu_answer_fault(struct vcpu *vcpu, uint64_t label)
{
    vcpu->device = label == FR_DEVICE;
    return label != FR_STOP;
}

void vcpu_kick(struct core *core, struct vcpu *vcpu)
{
    struct core *other = core_of(vcpu->thread.cpu);

    __atomic_store_n(&vcpu->kick, true, __ATOMIC_SEQ_CST);
    if (other != core && __atomic_load_n(&other->nested, __ATOMIC_SEQ_CST)) {
        core_count(core, CT_IPI);
        lapic_send_ipi(vcpu->thread.cpu, VECTOR_IPI_WAKE);
    }
}

/* vmspace has said that there is no memory: the fault is the VMM's. */
static void report_device(struct core *core, struct vcpu *vcpu)
{
    vcpu->device = false;
    vcpu_exit(core, vcpu, EXIT_MEMORY, vcpu->fault_address, vcpu->fault_access,
              vcpu->fault_linear);
}

static void report_kick(struct core *core, struct vcpu *vcpu)
{
    vcpu->kick = false;
    __atomic_store_n(&core->nested, NULL, __ATOMIC_RELEASE);
    vcpu_exit(core, vcpu, EXIT_KICK, 0, 0, 0);
}

noreturn void vcpu_enter(struct core *core, struct vcpu *vcpu)
{
    vcpu_reload(core, vcpu);
    if (vcpu->load) {
        uint64_t groups = vcpu->load;

        vcpu->load = 0;
        virt->put(vcpu, groups);
    }
    if (__builtin_expect(vcpu->device, 0)) {
        report_device(core, vcpu);
    } else {
        enter_space(core, vcpu);
        /* Who kicks sets the flag, then looks whether we are in: so we look after being in. */
        if (__builtin_expect(!vcpu->kick, 1)) {
            klock_leave(core);
            virt->enter(core, vcpu);
            __builtin_unreachable();
        }
        report_kick(core, vcpu);
    }
    kernel_leave(core);
    return_to_current();
}
