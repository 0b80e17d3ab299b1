/* vcpu.h: virtual CPUs: a thread whose code is a guest's, and whose exits are messages. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_OBJ_VCPU_H
#define KERNEL_OBJ_VCPU_H

#include <stdnoreturn.h>

#include "kernel/abi/vcpu.h"
#include "kernel/obj/core.h"
#include "kernel/obj/virt.h"

/* Letters as in thread.h. The control structure (VMCS, VMCB) is one page, the hardware's. */
struct vcpu {
    struct thread thread __attribute__((aligned(4096))); /* its buffer is the state page */
    uint64_t load __attribute__((aligned(4096))); /* c: VS_ groups to load at the next entry */
    uint16_t mask[EXIT_COUNT];  /* w: VS_ groups to send with each exit */
    bool kick;                  /* a: exit before the next guest instruction */
    bool device;                /* c: vmspace said "no memory there": the VMM gets the fault */
    bool launched;              /* c: VMX: VMRESUME, not VMLAUNCH */
    uint32_t loaded_cpu;        /* c: the CPU on which it was loaded last */
    uint64_t host_cr3;          /* c: what the control structure has the host return with */
    uint64_t xcr0;              /* c: the guest's */
    uint64_t fault_address;     /* c: of the last nested fault, for 'device' */
    uint64_t fault_access;
    uint64_t fault_linear;
    uint64_t guest_cr2;         /* c: not in the control structure of VMX */
    uint64_t control_page;      /* fixed: physical address of the control structure */
    uint64_t virt_words[64] __attribute__((aligned(16))); /* the hardware's own business: MSR lists, control shadows */
};

#define VCPU_CONTROL_OFFSET 8192u
_Static_assert(sizeof(struct vcpu) <= VCPU_CONTROL_OFFSET, "the control structure follows");
_Static_assert(VCPU_CONTROL_OFFSET + 4096 <= 1u << VCPU_BITS, "object size");

static inline struct vcpu *vcpu_of(struct thread *thread) { return (struct vcpu *)thread; }
static inline struct vcpu_state *vcpu_state(struct vcpu *vcpu)
{
    return (struct vcpu_state *)vcpu->thread.buffer;
}
static inline uint64_t vcpu_xcr0(const struct vcpu *vcpu) { return vcpu->xcr0; }

/* Makes a VCpu of zeroed memory, stopped. E_UNSUPPORTED where the CPU has no virtualisation. */
enum status vcpu_init(struct vcpu *vcpu);

/*
 * Runs the current virtual CPU: does what is due before an entry (a kick, a fault that goes to the VMM, state to
 * load), leaves the kernel lock and enters the guest; or sends a message instead, and goes on with
 * whoever is current then, if that is a thread by return_to_current.
 */
noreturn void vcpu_enter(struct core *core, struct vcpu *vcpu);

/* A guest has exited with something for its VMM: sends KL_EXIT with the state its mask asks for. */
void vcpu_exit(struct core *core, struct vcpu *vcpu, enum vcpu_exit reason, uint64_t word1,
               uint64_t word2, uint64_t word3);

/* A nested page fault (access: FAULT_ bits): to vmspace, or to the VMM if it is in the Space's window. */
void vcpu_fault(struct core *core, struct vcpu *vcpu, uint64_t address, uint64_t access,
                uint64_t linear);

/* The answers to an exit (VS_ groups to load) and to a nested fault: whether the virtual CPU goes on. */
bool vcpu_answer_exit(struct vcpu *vcpu, uint64_t groups);
bool vcpu_answer_fault(struct vcpu *vcpu, uint64_t label);

/* Makes it exit with EXIT_KICK soon, wherever it is. */
void vcpu_kick(struct core *core, struct vcpu *vcpu);

/* Makes this CPU hold the VCpu's control structure, and unloads the one it holds, if any. */
void vcpu_reload(struct core *core, struct vcpu *vcpu);
void vcpu_unload(struct core *core);

/* Leaves the guest: entered by the hardware layer after it saved the guest's registers. */
static inline void vcpu_left(struct core *core)
{
    core_count(core, CT_EXIT);
    __atomic_store_n(&core->nested, NULL, __ATOMIC_RELEASE);
}

#endif
