/* vmx.h: Intel's virtualisation: what the CPU offers, and the parts of its driver. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_VIRT_VMX_H
#define KERNEL_VIRT_VMX_H

#include "kernel/mem/format.h"
#include "kernel/obj/vcpu.h"
#include "kernel/virt/vmcs.h"

/* Read from the capability MSRs (SDM 3D appendix A) and settled once. */
struct vmx_caps {
    uint32_t revision;       /* first word of VMXON region and VMCS */
    uint32_t pin, primary, secondary, exit, entry; /* controls as every VMCS has them */
    bool unrestricted;
    bool invept_single, invvpid_single;
    bool ept_ad;
    uint64_t cr0_fixed0, cr4_fixed0; /* bits that must be 1 in VMX operation */
    uint32_t preemption_ticks;       /* of the preemption timer for a slice */
};
extern struct vmx_caps vmx_caps;

/* Fills vmx_caps and the EPT part of 'caps'. False, and a line in the log, if this CPU lacks what guests need. */
bool vmx_probe(struct pt_caps *caps);

/* The operations of struct virt, by file: vmx_setup.c, vmx_state.c, vmx.asm. */
bool vmx_start(struct core *core);
uint64_t vmx_nested_root(uint64_t root);
void vmx_vcpu_init(struct vcpu *vcpu);
void vmx_load(struct core *core, struct vcpu *vcpu);
void vmx_unload(struct core *core, struct vcpu *vcpu);
void vmx_flush_nested(struct vcpu *vcpu);
void vmx_put(struct vcpu *vcpu, uint64_t groups);
void vmx_get(struct vcpu *vcpu, uint64_t groups);
void vmx_enter(struct core *core, struct vcpu *vcpu);

extern const struct virt vmx_virt;

/* CR0 and CR4 bits that the guest sees in a shadow: NE, NW and CD; VMXE. */
#define CR0_OWNED ((1ull << 5) | (1ull << 29) | (1ull << 30))
#define CR4_OWNED (1ull << 13)

/* MSRs that the guest uses directly and the host needs its own of: switched by the CPU at exit and entry. */
struct vmx_msr {
    uint32_t index;
    uint32_t reserved;
    uint64_t value;
};
enum { SWITCHED_STAR, SWITCHED_LSTAR, SWITCHED_CSTAR, SWITCHED_SFMASK, SWITCHED_KERNEL_GS,
       SWITCHED_TSC_AUX, SWITCHED_COUNT };

/* What VMX keeps in vcpu->virt_words: the guest's values; the host's. */
struct vmx_vcpu {
    struct vmx_msr guest[SWITCHED_COUNT] __attribute__((aligned(16)));
    struct vmx_msr host[SWITCHED_COUNT] __attribute__((aligned(16)));
};
_Static_assert(sizeof(struct vmx_vcpu) <= sizeof(((struct vcpu *)0)->virt_words), "room");
static inline struct vmx_vcpu *vmx_of(struct vcpu *vcpu)
{
    return (struct vmx_vcpu *)vcpu->virt_words;
}

/* Entry points of vmx.asm and what they call. */
void vmx_run(struct vcpu *vcpu, struct vcpu_state *state, uint64_t launched);
extern char vmx_exit_entry[];
void vmx_exited(struct vcpu *vcpu);
void vmx_entry_failed(struct vcpu *vcpu);

#endif
