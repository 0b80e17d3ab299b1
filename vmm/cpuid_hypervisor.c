/* cpuid_hypervisor.c: CPUID leaves from 0x40000000 up: the hypervisor and what it offers. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/cpuid_hypervisor.h"

#include <string.h>

/* KVM's interface, as the Linux kernel's Documentation/virt/kvm/x86/cpuid.rst has it. */
#define KVM_NO_IO_DELAY (UINT32_C(1) << 1)
#define KVM_PV_EOI (UINT32_C(1) << 6)

static void sign(struct cpuid_regs *guest, uint32_t last_leaf, const char name[12])
{
    guest->eax = last_leaf;
    memcpy(&guest->ebx, name, 4);
    memcpy(&guest->ecx, name + 4, 4);
    memcpy(&guest->edx, name + 8, 4);
}

void cpuid_hypervisor(const struct cpuid_policy *policy, uint32_t leaf, struct cpuid_regs *guest)
{
    *guest = (struct cpuid_regs){ 0 };
    switch (leaf) {
    case CPUID_HYPERVISOR_LEAF: sign(guest, CPUID_HYPERVISOR_TIMING, "QuireQuire  "); return;
    case CPUID_HYPERVISOR_TIMING:
        guest->eax = policy->choice.tsc_khz;
        guest->ebx = policy->choice.apic_timer_khz;
        return;
    case CPUID_KVM_LEAF: sign(guest, CPUID_KVM_FEATURES, "KVMKVMKVM\0\0"); return;
    case CPUID_KVM_FEATURES: guest->eax = KVM_NO_IO_DELAY | KVM_PV_EOI; return;
    default: return;
    }
}
